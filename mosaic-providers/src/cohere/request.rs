//! The whole request: settings, messages, tools.
//!
//! A member of `params.extra` replaces the codec's own of the same name, `messages` and `tools` too.
//!
//! Source: <https://docs.cohere.com/reference/chat>, <https://docs.cohere.com/docs/structured-outputs>,
//! <https://docs.cohere.com/docs/reasoning>

use bytes::Bytes;
use mosaic_core::{Delivery, Encodable, EncodeError, HttpRequest, Reasoning, ToolChoice};
use serde_json::{Value, json};

use super::schema::dialect;
use crate::wire::functions::{only, told};
use crate::wire::request::{Body, EVENTS, Settings, accept};
use crate::wire::url;

/// How the answer is brought into its shape.
#[derive(Debug)]
enum Shape {
    Free,
    /// By the API, which wants to be asked for JSON in words too: without them it may write blanks without end.
    Forced(Value),
    /// JSON by the API, the schema in words.
    Json,
    /// In words alone.
    Told,
}

/// The request.
pub(super) fn encode(request: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
    let shape = shape(request);
    let mut body = Body::begin(request, settings(request, &shape))?;
    if let Some(tools) = request.tools.filter(|_| body.lacks("tools")) {
        body.tools(Some(&chosen(tools, request.tool_choice)?));
    }
    if body.lacks("messages") {
        body.out.key("messages").raw("[");
        let system = match &shape {
            Shape::Free => request.instructions.into(),
            Shape::Forced(_) if request.instructions.trim().is_empty() => "Answer with a JSON object.".into(),
            Shape::Forced(_) => format!("{}\n\nAnswer with a JSON object.", request.instructions).into(),
            Shape::Json | Shape::Told => told(request.instructions, request.output),
        };
        if !system.trim().is_empty() {
            body.out.raw(r#"{"role":"system","content":"#).string(&system).raw("}");
        }
        body.elements(request.fragments);
        body.out.raw("]");
    }
    let url = url::versioned(request.base_url, "/v2", "/chat");
    Ok(body.post(url, accept(request.delivery, EVENTS)))
}

/// The tools that may be called: of a named choice, the named one alone.
fn chosen(tools: &Bytes, choice: &ToolChoice) -> Result<Bytes, EncodeError> {
    let ToolChoice::Tool { name } = choice else { return Ok(tools.clone()) };
    only(tools, name).ok_or_else(|| EncodeError::Unsupported {
        api: super::API,
        what: format!("a forced call of `{name}`, which is none of the tools"),
        hint: "name a tool of the request".to_owned(),
    })
}

fn shape(request: &Encodable<'_>) -> Shape {
    match request.output {
        None => Shape::Free,
        Some(_) if request.tools.is_some() || request.params.extra.contains_key("documents") => Shape::Told,
        Some(output) => dialect(&output.schema).map_or(Shape::Json, Shape::Forced),
    }
}

/// All members but the two long ones.
fn settings(request: &Encodable<'_>, shape: &Shape) -> Settings {
    let params = request.params;
    let mut all = Settings::default();
    all.set("model", Some(request.profile.origin.model.as_ref().into()));
    all.set("stream", Some((request.delivery == Delivery::Streamed).into()));
    all.set("max_tokens", params.max_output_tokens.map(Value::from));
    all.set("temperature", params.temperature.map(Value::from));
    // 0.01 to 0.99 is all that the API takes.
    all.set("p", params.top_p.map(|p| p.clamp(0.01, 0.99).into()));
    all.set("stop_sequences", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    all.set("seed", params.seed.map(Value::from));
    all.set("thinking", params.reasoning.and_then(thinking));
    let format = match shape {
        Shape::Forced(schema) => Some(json!({ "type": "json_object", "json_schema": schema })),
        Shape::Json => Some(json!({ "type": "json_object" })),
        Shape::Free | Shape::Told => None,
    };
    all.set("response_format", format);
    if request.tools.is_some() {
        let choice = match request.tool_choice {
            ToolChoice::None => Some("NONE"),
            ToolChoice::Required | ToolChoice::Tool { .. } => Some("REQUIRED"),
            _ => None,
        };
        all.set("tool_choice", choice.map(Value::from));
    }
    all
}

/// Models that think do so unless they are told not to; how much is a matter of the budget.
fn thinking(reasoning: Reasoning) -> Option<Value> {
    let budget = match reasoning {
        Reasoning::Off => return Some(json!({ "type": "disabled" })),
        Reasoning::Low => 2_048,
        Reasoning::Medium => 8_192,
        Reasoning::High => return Some(json!({ "type": "enabled" })),
        _ => return None,
    };
    Some(json!({ "type": "enabled", "token_budget": budget }))
}
