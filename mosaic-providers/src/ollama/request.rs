//! The whole request: settings, messages, tools.
//!
//! A member of `params.extra` replaces the codec's own of the same name, `messages` and `tools` too; but the members of
//! `options` are added to the codec's options.
//!
//! Source: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>,
//! <https://docs.ollama.com/modelfile#valid-parameters-and-values> (the options),
//! <https://docs.ollama.com/capabilities/structured-outputs>

use bytes::Bytes;
use mosaic_core::{Delivery, Encodable, EncodeError, Headers, HttpRequest, Method, ToolChoice};
use serde_json::{Map, Value};

use super::models;
use crate::wire::functions::told;
use crate::wire::url;
use crate::wire::write::Writer;

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
    if let Some(output) = format {
        settings.insert("format".to_owned(), output.schema.clone());
    }
    settings.extend(request.params.extra.clone());
    settings.extend(options(request));
    let messages: usize = request.fragments.iter().map(|fragment| fragment.len() + 1).sum();
    let mut out = Writer::with_capacity(messages + tools.map_or(0, Bytes::len) + system.len() + 512);
    out.raw("{");
    for (name, value) in &settings {
        out.key(name).value(name, value)?;
    }
    if let Some(tools) = tools.filter(|_| !settings.contains_key("tools")) {
        out.key("tools").bytes(tools);
    }
    if !settings.contains_key("messages") {
        out.key("messages").raw("[");
        if !system.is_empty() {
            out.raw(r#"{"role":"system","content":"#).string(&system).raw("}");
        }
        for fragment in request.fragments.iter().filter(|fragment| !fragment.is_empty()) {
            out.comma().bytes(fragment);
        }
        out.raw("]");
    }
    out.raw("}");
    let mut headers = Headers::default();
    headers.push("content-type", "application/json");
    headers.push(
        "accept",
        match request.delivery {
            Delivery::Streamed => "application/x-ndjson",
            Delivery::Whole => "application/json",
        },
    );
    Ok(HttpRequest {
        method: Method::Post,
        url: url::versioned(address(request.base_url), "/api", "/chat"),
        headers,
        body: vec![out.into_bytes()],
        connect_timeout: None,
    })
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

fn settings(request: &Encodable<'_>) -> Map<String, Value> {
    let model = request.profile.origin.model.as_ref();
    let mut all = Map::new();
    all.insert("model".to_owned(), model.into());
    all.insert("stream".to_owned(), (request.delivery == Delivery::Streamed).into());
    if let Some(think) = request.params.reasoning.and_then(|reasoning| models::think(model, reasoning)) {
        all.insert("think".to_owned(), think);
    }
    all
}

/// `options`, ours and the host's.
fn options(request: &Encodable<'_>) -> Option<(String, Value)> {
    let params = request.params;
    let mut all = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    };
    set("num_predict", params.max_output_tokens.map(Value::from));
    set("temperature", params.temperature.map(Value::from));
    set("top_p", params.top_p.map(Value::from));
    set("stop", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    set("seed", params.seed.map(Value::from));
    match params.extra.get("options") {
        Some(Value::Object(more)) => all.extend(more.clone()),
        Some(other) => return Some(("options".to_owned(), other.clone())),
        None => {}
    }
    (!all.is_empty()).then(|| ("options".to_owned(), all.into()))
}
