//! The whole request: settings, items, tools.
//!
//! Settings come first and are small; the items are joined from fragments without a look inside. A member of
//! `params.extra` replaces the codec's own of the same name, `input` and `tools` too; so `extra` is how server-side tools,
//! a summary of the reasoning (`reasoning: {effort, summary}`) or a `prompt_cache_key` are asked for.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/create>

use bytes::Bytes;
use mosaic_core::{
    Delivery, Encodable, EncodeError, Headers, HttpRequest, Method, OutputSpec, Reasoning, ToolChoice,
    ToolSpec,
};
use serde_json::{Map, Value, json};

use super::models;
use super::quirks::{Quirks, ReasoningParam, Sampling, Stateless, Structured};
use crate::openai_chat::{NamedChoice, strict};
use crate::wire::url;
use crate::wire::write::Writer;

/// `tools`. Whether a schema is strict is always said: unsaid, this API takes it for strict and changes it.
pub(super) fn tools(tools: &[&ToolSpec], quirks: &Quirks) -> Result<Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    out.raw("[");
    for tool in tools {
        let parameters = quirks.schemas.root().of_tool(tool)?;
        out.comma().raw(r#"{"type":"function","name":"#).string(&tool.name);
        if !tool.description.is_empty() {
            out.raw(r#","description":"#).string(&tool.description);
        }
        out.raw(r#","parameters":"#).value("a tool's schema", &parameters)?;
        out.raw(if strict(&parameters) { r#","strict":true}"# } else { r#","strict":false}"# });
    }
    out.raw("]");
    Ok(out.into_bytes())
}

/// The request.
pub(super) fn encode(request: &Encodable<'_>, quirks: &Quirks) -> Result<HttpRequest, EncodeError> {
    let mut settings = settings(request, quirks)?;
    settings.extend(request.params.extra.clone());
    let items: usize = request.fragments.iter().map(|fragment| fragment.len() + 1).sum();
    let size = items + request.tools.map_or(0, Bytes::len) + request.instructions.len() + 512;
    let mut out = Writer::with_capacity(size);
    out.raw("{");
    for (name, value) in &settings {
        out.key(name).value(name, value)?;
    }
    if !settings.contains_key("instructions") && !request.instructions.is_empty() {
        out.key("instructions").string(request.instructions);
    }
    if !settings.contains_key("input") {
        out.key("input").raw("[");
        for fragment in request.fragments.iter().filter(|fragment| !fragment.is_empty()) {
            out.comma().bytes(fragment);
        }
        out.raw("]");
    }
    if let Some(tools) = request.tools.filter(|_| !settings.contains_key("tools")) {
        out.key("tools").bytes(tools);
    }
    out.raw("}");
    let mut headers = Headers::default();
    headers.push("content-type", "application/json");
    headers.push(
        "accept",
        match request.delivery {
            Delivery::Streamed => "text/event-stream",
            Delivery::Whole => "application/json",
        },
    );
    Ok(HttpRequest {
        method: Method::Post,
        url: url::join(request.base_url, "/responses"),
        headers,
        body: vec![out.into_bytes()],
        connect_timeout: None,
    })
}

/// All members but the three long ones.
fn settings(request: &Encodable<'_>, quirks: &Quirks) -> Result<Map<String, Value>, EncodeError> {
    let params = request.params;
    let model = request.profile.origin.model.as_ref();
    let mut all = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    };
    set("model", Some(model.into()));
    set("stream", Some((request.delivery == Delivery::Streamed).into()));
    if quirks.stateless == Stateless::Asked {
        set("store", Some(false.into()));
        let encrypted = models::reasons(&request.profile.info, model);
        set("include", encrypted.then(|| json!(["reasoning.encrypted_content"])));
    }
    set("max_output_tokens", params.max_output_tokens.map(Value::from));
    set("temperature", params.temperature.map(Value::from));
    set("top_p", params.top_p.map(Value::from));
    match quirks.sampling {
        Sampling::AsInChat => {
            set("stop", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
            set("seed", params.seed.map(Value::from));
        }
        Sampling::Responses if !params.stop.is_empty() => {
            return Err(EncodeError::Unsupported {
                api: super::API,
                what: "stop sequences".to_owned(),
                hint: "ask the same provider through Chat Completions, or leave them out".to_owned(),
            });
        }
        Sampling::Responses => {}
    }
    if let Some((name, value)) = params.reasoning.and_then(|reasoning| thinking(reasoning, quirks.reasoning))
    {
        set(name, Some(value));
    }
    if let Some(output) = request.output {
        quirks.schemas.root().of_answer(output)?;
        let (name, value) = format(output, quirks.structured);
        set(name, Some(value));
    }
    if request.tools.is_some() {
        set("tool_choice", tool_choice(request.tool_choice, quirks.named_choice));
    }
    Ok(all)
}

fn tool_choice(choice: &ToolChoice, named: NamedChoice) -> Option<Value> {
    Some(match choice {
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Tool { name } => match named {
            NamedChoice::Ignored => "required".into(),
            _ => json!({ "type": "function", "name": name }),
        },
        // `auto` is what every server does by itself.
        _ => return None,
    })
}

fn thinking(reasoning: Reasoning, param: ReasoningParam) -> Option<(&'static str, Value)> {
    let effort = match reasoning {
        Reasoning::Off => "none",
        Reasoning::Low => "low",
        Reasoning::Medium => "medium",
        Reasoning::High => "high",
        // A level of a newer core: the model's own default.
        _ => return None,
    };
    Some(match param {
        ReasoningParam::Effort => ("reasoning", json!({ "effort": effort })),
        ReasoningParam::Template => {
            ("chat_template_kwargs", json!({ "enable_thinking": reasoning != Reasoning::Off }))
        }
        ReasoningParam::Unsupported => return None,
    })
}

fn format(output: &OutputSpec, structured: Structured) -> (&'static str, Value) {
    let OutputSpec { name, schema } = output;
    let strict = strict(schema);
    match structured {
        Structured::TextFormat => {
            let format = json!({ "type": "json_schema", "name": name, "schema": schema, "strict": strict });
            ("text", json!({ "format": format }))
        }
        Structured::ResponseFormat => {
            let schema = json!({ "name": name, "schema": schema, "strict": strict });
            ("response_format", json!({ "type": "json_schema", "json_schema": schema }))
        }
    }
}
