//! The whole request: address, settings, tools, system and messages.
//!
//! | asked | sent |
//! | --- | --- |
//! | tool choice `auto` | no `toolChoice` |
//! | `required`, a tool's name | `any`, `tool` |
//! | `none`, or no tools, without calls in the conversation | no `toolConfig` |
//! | the same, with calls in it | a tool that does nothing: the API has no `none`, and takes no calls without tools |
//!
//! Sources: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>

use bytes::Bytes;
use mosaic_core::{Delivery, Encodable, EncodeError, HttpRequest, Profile, Reasoning, ToolChoice, ToolSpec};
use serde_json::{Map, Value, json};

use super::join::{self, CACHE_POINT};
use super::models::{self, Points, Thinking};
use super::{API, Quirks};
use crate::anthropic;
use crate::wire::request::{Body, Settings, accept};
use crate::wire::schema::Root;
use crate::wire::write::Writer;

/// Stands where the API wants tools and none may be called.
const NO_TOOL: &str = r#"{"toolSpec":{"name":"no_tool","description":"Does nothing. No tool can be called now.","inputSchema":{"json":{"type":"object","properties":{}}}}}"#;

/// The API wants `type: object` at the root, written out.
const ROOT: Root = Root { api: API, refused: &[], object: true, properties: false, plain_names: false };

/// The tools, as a list.
pub(super) fn tools(tools: &[&ToolSpec], profile: &Profile, quirks: &Quirks) -> Result<Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    out.raw("[");
    for tool in tools {
        out.comma().raw(r#"{"toolSpec":{"name":"#).string(&tool.name);
        if !tool.description.is_empty() {
            out.raw(r#","description":"#).string(&tool.description);
        }
        out.raw(r#","inputSchema":{"json":"#).value("a tool's schema", &*ROOT.of_tool(tool)?)?.raw("}}}");
    }
    if !tools.is_empty() && models::points(&profile.origin.model, quirks) == Points::Everywhere {
        out.comma().raw(CACHE_POINT);
    }
    out.raw("]");
    Ok(out.into_bytes())
}

/// The request.
pub(super) fn encode(request: &Encodable<'_>, quirks: &Quirks) -> Result<HttpRequest, EncodeError> {
    let model = request.profile.origin.model.as_ref();
    let points = models::points(model, quirks);
    let mut settings = settings(request)?.into_members();
    extend(&mut settings, &request.params.extra);
    let own = settings.remove("toolConfig");
    let mut body = Body::of(request, settings)?;
    // In the order in which the cache reads them: tools, instructions, messages.
    write_tools(request, own.as_ref(), &mut body.out)?;
    if body.lacks("system") && !request.instructions.trim().is_empty() {
        body.out.key("system").raw(r#"[{"text":"#).string(request.instructions).raw("}");
        if points != Points::Nowhere {
            body.out.comma().raw(CACHE_POINT);
        }
        body.out.raw("]");
    }
    if body.lacks("messages") {
        body.out.key("messages");
        join::messages(request.fragments, points, &mut body.out);
    }
    let operation = match request.delivery {
        Delivery::Streamed => "converse-stream",
        Delivery::Whole => "converse",
    };
    let mut url = format!("{}/model/", request.base_url.trim_end_matches('/'));
    crate::sigv4::encode(model, &mut url);
    url.push('/');
    url.push_str(operation);
    Ok(body.post(url, accept(request.delivery, "application/vnd.amazon.eventstream")))
}

/// `toolConfig`: our tools, the host's behind them.
fn write_tools(request: &Encodable<'_>, own: Option<&Value>, out: &mut Writer) -> Result<(), EncodeError> {
    let none = *request.tool_choice == ToolChoice::None;
    let ours = request.tools.filter(|_| !none).map(|tools| inner(tools)).filter(|tools| !tools.is_empty());
    let theirs = own.filter(|_| !none).and_then(|own| own.get("tools")).and_then(Value::as_array);
    let theirs = theirs.filter(|tools| !tools.is_empty());
    if ours.is_none() && theirs.is_none() {
        if join::any_tools(request.fragments) {
            out.key("toolConfig").raw(r#"{"tools":["#).raw(NO_TOOL).raw("]}");
        }
        return Ok(());
    }
    out.key("toolConfig").raw(r#"{"tools":["#).bytes(ours.unwrap_or_default());
    for tool in theirs.into_iter().flatten() {
        out.comma().value("a tool of `extra`", tool)?;
    }
    out.raw("]");
    let choice = match request.tool_choice {
        ToolChoice::Required => Some(json!({ "any": {} })),
        ToolChoice::Tool { name } => Some(json!({ "tool": { "name": name } })),
        _ => None,
    };
    if let Some(choice) = own.and_then(|own| own.get("toolChoice")).or(choice.as_ref()) {
        out.key("toolChoice").value("toolChoice", choice)?;
    }
    out.raw("}");
    Ok(())
}

/// The elements of a list.
fn inner(list: &[u8]) -> &[u8] {
    list.strip_prefix(b"[").and_then(|list| list.strip_suffix(b"]")).unwrap_or_default()
}

/// Adds the host's members; those of an object that both have stand beside ours, and theirs count more.
fn extend(settings: &mut Map<String, Value>, extra: &Map<String, Value>) {
    for (name, value) in extra {
        let beside = matches!(name.as_str(), "inferenceConfig" | "additionalModelRequestFields");
        match (settings.get_mut(name), value) {
            (Some(Value::Object(ours)), Value::Object(theirs)) if beside => ours.extend(theirs.clone()),
            _ => {
                settings.insert(name.clone(), value.clone());
            }
        }
    }
}

/// All members but the three long ones.
fn settings(request: &Encodable<'_>) -> Result<Settings, EncodeError> {
    let params = request.params;
    // A forced call and thinking exclude each other; the call is what the caller relies on.
    let forced = request.tools.is_some()
        && matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Tool { .. });
    let (fields, thinks) = match params.reasoning {
        Some(reasoning) => thinking(request, reasoning, forced),
        None => (Map::new(), false),
    };
    let mut config = Settings::default();
    config.set("maxTokens", params.max_output_tokens.map(Value::from));
    // Thinking allows no other temperature than the default.
    config.set("temperature", params.temperature.filter(|_| !thinks).map(Value::from));
    config.set("topP", params.top_p.filter(|_| !thinks).map(Value::from));
    config.set("stopSequences", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    let mut all = Settings::default();
    all.set("inferenceConfig", config.object());
    all.set("additionalModelRequestFields", (!fields.is_empty()).then_some(fields.into()));
    if let Some(spec) = request.output {
        // The schema is text here, not JSON.
        let schema = anthropic::closed(spec, API)?.to_string();
        let format = json!({ "type": "json_schema", "structure": { "jsonSchema": { "name": spec.name, "schema": schema } } });
        all.set("outputConfig", Some(json!({ "textFormat": format })));
    }
    Ok(all)
}

/// `additionalModelRequestFields`, and whether they make the model think.
fn thinking(request: &Encodable<'_>, reasoning: Reasoning, forced: bool) -> (Map<String, Value>, bool) {
    let (model, params) = (request.profile.origin.model.as_ref(), request.params);
    let mut fields = Map::new();
    let off = reasoning == Reasoning::Off || forced;
    let effort = anthropic::effort(reasoning);
    match (models::of(model).thinking, effort) {
        (Thinking::Claude, _) => {
            let (style, usual) = anthropic::models::of(model);
            let limit = params.max_output_tokens.or(request.profile.info.max_output).unwrap_or(usual);
            if let Some(thinking) = anthropic::thinking(reasoning, style, limit, forced) {
                fields.insert("thinking".to_owned(), thinking);
            }
            if let Some(effort) = effort.filter(|_| style == anthropic::models::Thinking::Adaptive) {
                fields.insert("output_config".to_owned(), json!({ "effort": effort }));
            }
        }
        (Thinking::Nova, Some(effort)) if !off => {
            // `high` excludes a limit of tokens; the limit is what the caller relies on.
            let effort =
                if params.max_output_tokens.is_some() && effort == "high" { "medium" } else { effort };
            let config = json!({ "type": "enabled", "maxReasoningEffort": effort });
            fields.insert("reasoningConfig".to_owned(), config);
        }
        (Thinking::Effort, Some(effort)) => {
            fields.insert("reasoning_effort".to_owned(), effort.into());
            return (fields, false);
        }
        _ => {}
    }
    let thinks = fields.contains_key("reasoningConfig")
        || fields.get("thinking").is_some_and(|thinking| thinking.get("type") != Some(&"disabled".into()));
    (fields, thinks)
}
