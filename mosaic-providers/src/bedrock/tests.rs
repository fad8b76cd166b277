mod error;
mod message;
mod request;

use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{
    CallId, Codec, Delivery, Encodable, Group, HttpRequest, Media, MediaData, ModelInfo, ModelParams, Origin,
    OutputSpec, Part, Profile, ToolCall, ToolChoice, ToolResult, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use super::{Bedrock, Quirks};

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const LLAMA: &str = "meta.llama3-3-70b-instruct-v1:0";

fn origin(model: &str) -> Origin {
    Origin { api: "bedrock-converse".into(), provider: "p".into(), model: model.into() }
}

fn profile(model: &str) -> Profile {
    Profile { origin: origin(model), info: ModelInfo::new("p", model) }
}

fn text(text: &str) -> Arc<Group> {
    Group::user(vec![Part::text(text)])
}

fn said(parts: Vec<Part>, results: Vec<ToolResult>) -> Arc<Group> {
    Group::assistant(parts, Some(origin(CLAUDE)), results).unwrap()
}

fn call(id: &str, wire_id: Option<&str>, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: CallId(id.into()),
        wire_id: wire_id.map(str::to_owned),
        name: "add".to_owned(),
        arguments: arguments.to_owned(),
    })
}

fn result(id: &str, status: ToolStatus, content: Vec<Part>) -> ToolResult {
    ToolResult { call: CallId(id.into()), status, content }
}

fn media(media_type: &str, name: Option<&str>, data: MediaData) -> Part {
    Part::Media(Media { media_type: media_type.to_owned(), data, name: name.map(str::to_owned) })
}

fn file(name: &str) -> Part {
    media("application/pdf", Some(name), MediaData::Base64 { data: "AA".to_owned() })
}

fn add() -> ToolSpec {
    ToolSpec::new("add", "Adds.", json!({"type": "object", "properties": {"x": {"type": "number"}}}))
}

/// What may differ from a plain request.
struct Ask<'a> {
    model: &'a str,
    tools: Vec<ToolSpec>,
    choice: ToolChoice,
    output: Option<OutputSpec>,
    params: ModelParams,
    delivery: Delivery,
    quirks: Quirks,
}

fn ask(model: &str) -> Ask<'_> {
    Ask {
        model,
        tools: Vec::new(),
        choice: ToolChoice::Auto,
        output: None,
        params: ModelParams::default(),
        delivery: Delivery::Streamed,
        quirks: Quirks::default(),
    }
}

impl Ask<'_> {
    fn request(&self, groups: &[Arc<Group>]) -> HttpRequest {
        let (codec, profile) = (Bedrock::new(self.quirks.clone()), profile(self.model));
        let fragments: Vec<Bytes> =
            groups.iter().map(|group| codec.fragment(group.body(), &profile).unwrap()).collect();
        let tools: Vec<&ToolSpec> = self.tools.iter().collect();
        let tools = (!tools.is_empty()).then(|| codec.tools(&tools, &profile).unwrap());
        codec
            .encode(&Encodable {
                base_url: "https://host",
                profile: &profile,
                instructions: "Be brief.",
                fragments: &fragments,
                tools: tools.as_ref(),
                tool_choice: &self.choice,
                output: self.output.as_ref(),
                params: &self.params,
                delivery: self.delivery,
            })
            .unwrap()
    }

    /// The body, which the API would take.
    fn body(&self, groups: &[Arc<Group>]) -> Value {
        let body: Value = serde_json::from_slice(&self.request(groups).body_bytes()).unwrap();
        assert_eq!(crate::validity::check("bedrock-converse", &body), Ok(()), "{body}");
        body
    }
}
