mod message;
mod request;

use std::sync::Arc;

use mosaic_core::{
    CallId, Codec, Delivery, Encodable, Group, Media, MediaData, ModelInfo, ModelParams, Origin, Part,
    Profile, ToolCall, ToolChoice, ToolResult, ToolStatus,
};
use serde_json::Value;

use super::{Gemini, Quirks};

const OLD: &str = "gemini-2.5-flash";
const NEW: &str = "gemini-3.1-pro-preview";

fn origin(model: &str) -> Origin {
    Origin { api: "gemini".into(), provider: "p".into(), model: model.into() }
}

fn profile(model: &str) -> Profile {
    Profile { origin: origin(model), info: ModelInfo::new("p", model) }
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

fn assistant(parts: Vec<Part>, from: &str, results: Vec<ToolResult>) -> Arc<Group> {
    Group::assistant(parts, Some(origin(from)), results).unwrap()
}

fn media(media_type: &str, data: MediaData) -> Part {
    Part::Media(Media { media_type: media_type.to_owned(), data, name: None })
}

fn bytes() -> MediaData {
    MediaData::Base64 { data: "AA==".to_owned() }
}

/// The group's fragment for that model, as a list of contents.
fn contents(group: &Arc<Group>, model: &str) -> Value {
    let bytes = Gemini::default().fragment(group.body(), &profile(model)).unwrap();
    serde_json::from_slice(&[b"[", bytes.as_ref(), b"]"].concat()).unwrap()
}

/// URL and body of a request with the defaults, changed. The defaults are leaked, so that a change may borrow from its
/// test.
fn sent<'a>(
    codec: &Gemini,
    model: &str,
    groups: &[Arc<Group>],
    change: impl FnOnce(&mut Encodable<'a>),
) -> (String, Value) {
    let profile: &'a Profile = Box::leak(Box::new(profile(model)));
    let params: &'a ModelParams = Box::leak(Box::default());
    let fragments: Vec<_> =
        groups.iter().map(|group| codec.fragment(group.body(), profile).unwrap()).collect();
    let mut request = Encodable {
        base_url: "https://host/v1beta",
        profile,
        instructions: "",
        fragments: Box::leak(fragments.into_boxed_slice()),
        tools: None,
        tool_choice: &ToolChoice::Auto,
        output: None,
        params,
        delivery: Delivery::Whole,
    };
    change(&mut request);
    let sent = codec.encode(&request).unwrap();
    (sent.url.clone(), serde_json::from_slice(&sent.body_bytes()).unwrap())
}

fn body<'a>(model: &str, groups: &[Arc<Group>], change: impl FnOnce(&mut Encodable<'a>)) -> Value {
    sent(&Gemini::default(), model, groups, change).1
}

fn vertex() -> Gemini {
    Gemini::new(Quirks::vertex())
}
