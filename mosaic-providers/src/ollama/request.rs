//! The whole request: settings, messages, tools.
//!
//! A member of `params.extra` replaces the codec's own of the same name, `messages` and `tools` too; but the members of
//! `options` are added to the codec's options.
//!
//! Source: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>,
//! <https://docs.ollama.com/modelfile#valid-parameters-and-values> (the options),
//! <https://docs.ollama.com/capabilities/structured-outputs>

use bytes::Bytes;
use mosaic_core::{Delivery, Encodable, EncodeError, HttpRequest, ToolChoice};
use serde_json::Value;

use super::models;
use crate::wire::functions::told;
use crate::wire::request::{Body, Settings, accept};
use crate::wire::url;

/// The request.
pub(super) fn encode(request: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
    let tools = offered(request)?;
    // Under `format` the model cannot write a call.
    let format = request.output.filter(|_| tools.is_none());
    let system = match format {
        Some(_) => request.instructions.into(),
        None => told(request.instructions, request.output),
    };
    let mut settings = settings(request);
    settings.set("format", format.map(|output| output.schema.clone()));
    let mut settings = settings.into_members();
    settings.extend(request.params.extra.clone());
    settings.extend(options(request));
    let mut body = Body::of(request, settings)?;
    body.tools(tools);
    if body.lacks("messages") {
        body.out.key("messages").raw("[");
        if !system.is_empty() {
            body.out.raw(r#"{"role":"system","content":"#).string(&system).raw("}");
        }
        body.elements(request.fragments);
        body.out.raw("]");
    }
    let url = url::versioned(address(request.base_url), "/api", "/chat");
    Ok(body.post(url, accept(request.delivery, "application/x-ndjson")))
}

/// `OLLAMA_BASE_URL` is where people put the address of the compatible API, which is one level deeper.
fn address(base_url: &str) -> &str {
    let base_url = base_url.trim_end_matches('/');
    base_url.strip_suffix("/v1").unwrap_or(base_url)
}

/// The tools that the model is told of: none where none may be called.
fn offered<'a>(request: &Encodable<'a>) -> Result<Option<&'a Bytes>, EncodeError> {
    let forced = |what: String| EncodeError::Unsupported {
        api: super::API,
        what,
        hint: "leave the choice to the model, or use the tool mode `json_schema`, which forces calls"
            .to_owned(),
    };
    match request.tool_choice {
        ToolChoice::None => Ok(None),
        ToolChoice::Required if request.tools.is_some() => Err(forced("a forced tool call".to_owned())),
        ToolChoice::Tool { name } if request.tools.is_some() => {
            Err(forced(format!("a forced call of `{name}`")))
        }
        _ => Ok(request.tools),
    }
}

fn settings(request: &Encodable<'_>) -> Settings {
    let model = request.profile.origin.model.as_ref();
    let mut all = Settings::default();
    all.set("model", Some(model.into()));
    all.set("stream", Some((request.delivery == Delivery::Streamed).into()));
    all.set("think", request.params.reasoning.and_then(|reasoning| models::think(model, reasoning)));
    all
}

/// `options`, ours and the host's.
fn options(request: &Encodable<'_>) -> Option<(String, Value)> {
    let params = request.params;
    let mut all = Settings::default();
    all.set("num_predict", params.max_output_tokens.map(Value::from));
    all.set("temperature", params.temperature.map(Value::from));
    all.set("top_p", params.top_p.map(Value::from));
    all.set("stop", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    all.set("seed", params.seed.map(Value::from));
    let mut all = all.into_members();
    match params.extra.get("options") {
        Some(Value::Object(more)) => all.extend(more.clone()),
        Some(other) => return Some(("options".to_owned(), other.clone())),
        None => {}
    }
    (!all.is_empty()).then(|| ("options".to_owned(), all.into()))
}
