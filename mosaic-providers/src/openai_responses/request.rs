//! The whole request: settings, items, tools.
//!
//! Settings come first and are small; the items are joined from fragments without a look inside. A member of
//! `params.extra` replaces the codec's own of the same name, `input` and `tools` too; so `extra` is how server-side tools,
//! a summary of the reasoning (`reasoning: {effort, summary}`) or a `prompt_cache_key` are asked for.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/create>

use bytes::Bytes;
use mosaic_core::{
    Delivery, Encodable, EncodeError, HttpRequest, OutputSpec, Reasoning, ToolChoice, ToolSpec,
};
use serde_json::{Value, json};

use super::models;
use super::quirks::{Quirks, ReasoningParam, Sampling, Stateless, Structured};
use crate::openai_chat::{NamedChoice, strict};
use crate::wire::request::{Body, EVENTS, Settings, accept};
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
    let mut body = Body::begin(request, settings(request, quirks)?)?;
    if body.lacks("instructions") && !request.instructions.is_empty() {
        body.out.key("instructions").string(request.instructions);
    }
    if body.lacks("input") {
        body.out.key("input").raw("[");
        body.elements(request.fragments);
        body.out.raw("]");
    }
    body.tools(request.tools);
    let url = url::join(request.base_url, "/responses");
    Ok(body.post(url, accept(request.delivery, EVENTS)))
}

/// All members but the three long ones.
fn settings(request: &Encodable<'_>, quirks: &Quirks) -> Result<Settings, EncodeError> {
    let params = request.params;
    let model = request.profile.origin.model.as_ref();
    let mut all = Settings::default();
    all.set("model", Some(model.into()));
    all.set("stream", Some((request.delivery == Delivery::Streamed).into()));
    if quirks.stateless == Stateless::Asked {
        all.set("store", Some(false.into()));
        let encrypted = models::reasons(&request.profile.info, model);
        all.set("include", encrypted.then(|| json!(["reasoning.encrypted_content"])));
    }
    all.set("max_output_tokens", params.max_output_tokens.map(Value::from));
    all.set("temperature", params.temperature.map(Value::from));
    all.set("top_p", params.top_p.map(Value::from));
    match quirks.sampling {
        Sampling::AsInChat => {
            all.set("stop", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
            all.set("seed", params.seed.map(Value::from));
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
        all.set(name, Some(value));
    }
    if let Some(output) = request.output {
        quirks.schemas.root().of_answer(output)?;
        let (name, value) = format(output, quirks.structured);
        all.set(name, Some(value));
    }
    if request.tools.is_some() {
        all.set("tool_choice", tool_choice(request.tool_choice, quirks.named_choice));
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
