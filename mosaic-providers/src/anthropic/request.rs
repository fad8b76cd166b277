//! The whole request: settings, instructions, messages, tools, and where the cache breakpoints are.
//!
//! Breakpoints (four are allowed): the last tool, the instructions, and the last two messages of a user. What stands
//! before a breakpoint is read from the cache by the next request; of the last two, the older is where the previous
//! request wrote. The fragments stay as they are: a breakpoint is put before the closing brace of the last block.
//!
//! Source: <https://docs.anthropic.com/en/api/messages>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs>

use bytes::Bytes;
use mosaic_core::{Delivery, Encodable, EncodeError, HttpRequest, Reasoning, ToolChoice, ToolSpec};
use serde_json::{Map, Value, json};

use super::message::{ASSISTANT_HEAD, CACHEABLE_END};
use super::models::{self, Thinking};
use super::{Cache, Quirks, schema};
use crate::wire::request::{Body, Settings};
use crate::wire::schema::Root;
use crate::wire::url;
use crate::wire::write::Writer;

const BREAKPOINT: &str = r#","cache_control":{"type":"ephemeral"}"#;

/// "input_schema does not support oneOf, allOf, or anyOf at the top level".
const ROOT: Root = Root {
    api: super::API,
    refused: &["oneOf", "allOf", "anyOf"],
    object: true,
    properties: false,
    plain_names: true,
};

/// The version of the API; there is no later one. <https://docs.anthropic.com/en/api/versioning>
const VERSION: &str = "2023-06-01";

/// The least and the usual budgets of thinking. <https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking>
const LEAST_BUDGET: u64 = 1_024;

/// `tools`.
pub(super) fn tools(tools: &[&ToolSpec], quirks: &Quirks) -> Result<Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    out.raw("[");
    for (left, tool) in (0..tools.len()).rev().zip(tools) {
        out.comma().raw(r#"{"name":"#).string(&tool.name);
        if !tool.description.is_empty() {
            out.raw(r#","description":"#).string(&tool.description);
        }
        out.raw(r#","input_schema":"#).value("a tool's schema", &*ROOT.of_tool(tool)?)?;
        if left == 0 && quirks.cache == Cache::Ephemeral {
            out.raw(BREAKPOINT);
        }
        out.raw("}");
    }
    out.raw("]");
    Ok(out.into_bytes())
}

/// The request.
pub(super) fn encode(request: &Encodable<'_>, quirks: &Quirks) -> Result<HttpRequest, EncodeError> {
    let mut body = Body::begin(request, settings(request)?)?;
    // In the order in which the cache reads them: tools, instructions, messages.
    body.tools(request.tools);
    if body.lacks("system") && !request.instructions.trim().is_empty() {
        body.out.key("system").raw(r#"[{"type":"text","text":"#).string(request.instructions);
        if quirks.cache == Cache::Ephemeral {
            body.out.raw(BREAKPOINT);
        }
        body.out.raw("}]");
    }
    if body.lacks("messages") {
        write_messages(request.fragments, quirks, &mut body.out);
    }
    let mut request = body.post(url::versioned(request.base_url, "/v1", "/messages"), None);
    request.headers.push("anthropic-version", VERSION);
    Ok(request)
}

fn write_messages(fragments: &[Bytes], quirks: &Quirks, out: &mut Writer) {
    let mut breakpoints = match quirks.cache {
        Cache::Ephemeral => 2,
        Cache::Off => 0,
    };
    let mut marked = Vec::new();
    for (index, fragment) in fragments.iter().enumerate().rev() {
        if breakpoints > 0 && fragment.ends_with(CACHEABLE_END.as_bytes()) {
            marked.push(index);
            breakpoints -= 1;
        }
    }
    out.key("messages").raw("[");
    // "first message must use the user role": a conversation may have been cut before an answer.
    let first = fragments.iter().find(|fragment| !fragment.is_empty());
    if first.is_some_and(|first| first.starts_with(ASSISTANT_HEAD.as_bytes())) {
        out.raw(r#"{"role":"user","content":[{"type":"text","text":"(earlier messages were left out)"}]}"#);
    }
    for (index, fragment) in fragments.iter().enumerate().filter(|(_, fragment)| !fragment.is_empty()) {
        out.comma();
        match fragment.strip_suffix(CACHEABLE_END.as_bytes()) {
            Some(block) if marked.contains(&index) => out.bytes(block).raw(BREAKPOINT).raw(CACHEABLE_END),
            _ => out.bytes(fragment),
        };
    }
    out.raw("]");
}

/// All members but the three long ones.
fn settings(request: &Encodable<'_>) -> Result<Settings, EncodeError> {
    let params = request.params;
    let model = request.profile.origin.model.as_ref();
    let (style, usual) = models::of(model);
    let limit = params.max_output_tokens.or(request.profile.info.max_output).unwrap_or(usual);
    // A forced call and thinking exclude each other; the call is what the caller relies on.
    let forced = request.tools.is_some()
        && matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Tool { .. });
    let thinking = params.reasoning.and_then(|reasoning| thinking(reasoning, style, limit, forced));
    let thinks = thinking.as_ref().is_some_and(|thinking| thinking.get("type") != Some(&"disabled".into()));
    let mut all = Settings::default();
    all.set("model", Some(model.into()));
    all.set("max_tokens", Some(limit.into()));
    all.set("stream", Some((request.delivery == Delivery::Streamed).into()));
    // Thinking allows no other temperature than the default.
    all.set("temperature", params.temperature.filter(|_| !thinks).map(Value::from));
    all.set("top_p", params.top_p.filter(|_| !thinks).map(Value::from));
    all.set("stop_sequences", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    all.set("thinking", thinking);
    let mut output = Map::new();
    if let Some(spec) = request.output {
        let format = json!({ "type": "json_schema", "schema": schema::closed(spec, super::API)? });
        output.insert("format".to_owned(), format);
    }
    if let Some(effort) = params.reasoning.filter(|_| style == Thinking::Adaptive).and_then(effort) {
        output.insert("effort".to_owned(), effort.into());
    }
    all.set("output_config", (!output.is_empty()).then_some(output.into()));
    if request.tools.is_some() {
        all.set("tool_choice", tool_choice(request.tool_choice));
    }
    Ok(all)
}

pub(crate) fn effort(reasoning: Reasoning) -> Option<&'static str> {
    match reasoning {
        Reasoning::Low => Some("low"),
        Reasoning::Medium => Some("medium"),
        Reasoning::High => Some("high"),
        _ => None,
    }
}

pub(crate) fn thinking(reasoning: Reasoning, style: Thinking, limit: u64, forced: bool) -> Option<Value> {
    let off = reasoning == Reasoning::Off || forced;
    match style {
        Thinking::None => None,
        _ if off => Some(json!({ "type": "disabled" })),
        Thinking::Adaptive => Some(json!({ "type": "adaptive" })),
        Thinking::Budget => {
            let wanted = match reasoning {
                Reasoning::Low => 2_048,
                Reasoning::Medium => 8_192,
                _ => 24_576,
            };
            // The budget must be less than the limit, and some of that must be left for the answer.
            let budget = wanted.min(limit / 2);
            (budget >= LEAST_BUDGET).then(|| json!({ "type": "enabled", "budget_tokens": budget }))
        }
    }
}

fn tool_choice(choice: &ToolChoice) -> Option<Value> {
    Some(match choice {
        ToolChoice::None => json!({ "type": "none" }),
        ToolChoice::Required => json!({ "type": "any" }),
        ToolChoice::Tool { name } => json!({ "type": "tool", "name": name }),
        _ => return None,
    })
}
