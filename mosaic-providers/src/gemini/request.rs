//! The whole request: instructions, tools, contents, settings.
//!
//! The model is in the URL, and most settings are one level down, in `generationConfig`. So a member of `params.extra` that
//! is an object is joined with the codec's own of the same name, member by member; `tools` (Google Search, code execution)
//! are added to the functions; any other replaces the codec's own. Beside `cachedContent`, a cache that the host made
//! itself, instructions and tools are left out: the API takes them from the cache.
//!
//! An answer that has a schema while there are tools is forced into it by newer models only. The others are told the schema
//! in the instructions then, because they refuse both together, and the tools are what must not be lost.
//!
//! Sources: <https://ai.google.dev/api/generate-content#v1beta.GenerationConfig>,
//! <https://ai.google.dev/gemini-api/docs/structured-output>

use bytes::Bytes;
use mosaic_core::{Delivery, Encodable, EncodeError, HttpRequest, OutputSpec, ToolChoice, ToolSpec};
use serde_json::{Value, json};

use super::message::{MODEL_END, MODEL_HEAD, USER_END, unsupported};
use super::models::{self, Instructions};
use super::quirks::{Quirks, Schemas, Streams};
use super::schema;
use crate::wire::request::{self as wire, Settings};
use crate::wire::write::Writer;

/// `tools`.
pub(super) fn tools(tools: &[&ToolSpec], quirks: &Quirks) -> Result<Bytes, EncodeError> {
    let member = match quirks.schemas {
        Schemas::JsonSchema => "parametersJsonSchema",
        Schemas::OpenApi => "parameters",
    };
    let mut out = Writer::with_capacity(256);
    out.raw(r#"[{"functionDeclarations":["#);
    for tool in tools {
        if !tool.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Err(unsupported(
                format!("a tool named `{}`", tool.name),
                "rename it: a name begins with a letter or an underscore here",
            ));
        }
        let what = format!("the schema of tool `{}`", tool.name);
        let schema = schema::convert(&tool.input_schema, quirks.schemas, &what)?;
        out.comma().raw(r#"{"name":"#).string(&tool.name);
        out.raw(r#","description":"#).string(&tool.description);
        out.key(member).value("a tool's schema", &schema)?.raw("}");
    }
    out.raw("]}]");
    Ok(out.into_bytes())
}

/// The request.
pub(super) fn encode(request: &Encodable<'_>, quirks: &Quirks) -> Result<HttpRequest, EncodeError> {
    let mut out = wire::writer(request);
    out.raw("{");
    members(request, quirks, None, &mut out)?;
    out.raw("}");
    let method = match (request.delivery, quirks.streams) {
        (Delivery::Whole, _) => "generateContent",
        (Delivery::Streamed, Streams::Events) => "streamGenerateContent?alt=sse",
        (Delivery::Streamed, Streams::Array) => "streamGenerateContent",
    };
    Ok(post(request, method, out))
}

/// The model's name with what it is: `models/`, unless the name says it itself (`tunedModels/...`).
pub(super) fn resource(model: &str) -> String {
    if model.contains('/') { model.to_owned() } else { format!("models/{model}") }
}

pub(super) fn post(request: &Encodable<'_>, method: &str, body: Writer) -> HttpRequest {
    let base = request.base_url.trim_end_matches('/');
    let model = resource(&request.profile.origin.model);
    wire::post(format!("{base}/{model}:{method}"), None, body)
}

/// All members, or only those, in an order that never changes: what a cache compares comes first.
pub(super) fn members(
    request: &Encodable<'_>,
    quirks: &Quirks,
    only: Option<&[&str]>,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let family = models::of(&request.profile.origin.model);
    let told = request.output.filter(|_| request.tools.is_some() && !family.newer);
    let forced = request.output.filter(|_| told.is_none());
    let mut extra = request.params.extra.clone();
    let wanted = |name: &str| only.is_none_or(|names| names.contains(&name));
    let system = instructions(request.instructions, told);
    let as_user = family.instructions == Instructions::User && !system.trim().is_empty();
    // A cache of the host's own holds these three, and the API refuses them beside it.
    let cached = extra.contains_key("cachedContent");
    if let Some(value) = extra.remove("systemInstruction") {
        out.key("systemInstruction").value("systemInstruction", &value)?;
    } else if !cached && !as_user && !system.trim().is_empty() {
        out.key("systemInstruction").raw(r#"{"parts":[{"text":"#).string(&system).raw("}]}");
    }
    let tools = request.tools.filter(|_| !cached);
    let more = extra.remove("tools");
    write_tools(tools, more.as_ref(), out)?;
    let choice = tools.and_then(|_| tool_choice(request.tool_choice));
    let config = joined(choice, extra.remove("toolConfig"));
    if let Some(config) = config.filter(|_| wanted("toolConfig")) {
        out.key("toolConfig").value("toolConfig", &config)?;
    }
    match extra.remove("contents") {
        Some(contents) => {
            out.key("contents").value("contents", &contents)?;
        }
        None => contents(request.fragments, as_user.then_some(&*system), out),
    }
    let config = generation(request, &family, forced, quirks)?;
    if let Some(config) = joined(config, extra.remove("generationConfig")) {
        out.key("generationConfig").value("generationConfig", &config)?;
    }
    for (name, value) in extra.iter().filter(|(name, _)| wanted(name)) {
        out.key(name).value(name, value)?;
    }
    Ok(())
}

fn instructions<'a>(instructions: &'a str, told: Option<&OutputSpec>) -> std::borrow::Cow<'a, str> {
    match told {
        None => instructions.into(),
        Some(output) => format!(
            "{instructions}{}Give the final answer as one JSON value that fits this JSON Schema, and nothing else:\n{}",
            if instructions.is_empty() { "" } else { "\n\n" },
            output.schema
        )
        .into(),
    }
}

fn write_tools(tools: Option<&Bytes>, more: Option<&Value>, out: &mut Writer) -> Result<(), EncodeError> {
    let ours = tools.and_then(|tools| tools.strip_suffix(b"]"));
    match (ours, more) {
        (None, None) => {}
        (None, Some(more)) => {
            out.key("tools").value("tools", more)?;
        }
        (Some(ours), more) => {
            out.key("tools").bytes(ours);
            for tool in more.and_then(Value::as_array).into_iter().flatten() {
                out.comma().value("tools", tool)?;
            }
            out.raw("]");
        }
    }
    Ok(())
}

/// The host's members in the codec's object; what is no object replaces it.
fn joined(ours: Option<Value>, extra: Option<Value>) -> Option<Value> {
    match (ours, extra) {
        (Some(Value::Object(mut ours)), Some(Value::Object(extra))) => {
            ours.extend(extra);
            Some(ours.into())
        }
        (ours, extra) => extra.or(ours),
    }
}

fn tool_choice(choice: &ToolChoice) -> Option<Value> {
    let config = match choice {
        ToolChoice::None => json!({ "mode": "NONE" }),
        ToolChoice::Required => json!({ "mode": "ANY" }),
        ToolChoice::Tool { name } => json!({ "mode": "ANY", "allowedFunctionNames": [name] }),
        // What the API does by itself.
        _ => return None,
    };
    Some(json!({ "functionCallingConfig": config }))
}

/// `generationConfig`; nothing where nothing is set.
fn generation(
    request: &Encodable<'_>,
    family: &models::Family,
    output: Option<&OutputSpec>,
    quirks: &Quirks,
) -> Result<Option<Value>, EncodeError> {
    let params = request.params;
    let mut all = Settings::default();
    all.set("maxOutputTokens", params.max_output_tokens.map(Value::from));
    all.set("temperature", params.temperature.map(Value::from));
    all.set("topP", params.top_p.map(Value::from));
    all.set("stopSequences", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    // An int32 on the wire.
    all.set("seed", params.seed.map(|seed| (seed & 0x7fff_ffff).into()));
    let thinking =
        params.reasoning.and_then(|reasoning| models::thinking(reasoning, family, params.max_output_tokens));
    all.set("thinkingConfig", thinking);
    if let Some(output) = output {
        let what = format!("the schema of the answer `{}`", output.name);
        let member = match quirks.schemas {
            Schemas::JsonSchema => "responseJsonSchema",
            Schemas::OpenApi => "responseSchema",
        };
        all.set("responseMimeType", Some("application/json".into()));
        all.set(member, Some(schema::convert(&output.schema, quirks.schemas, &what)?));
    }
    Ok(all.object())
}

/// `contents`: neighbouring turns of the model become one, and the user has the first and the last word.
fn contents(fragments: &[Bytes], instructions: Option<&str>, out: &mut Writer) {
    out.key("contents").raw("[");
    if let Some(text) = instructions {
        out.raw(r#"{"role":"user","parts":[{"text":"#).string(text).raw("}]}");
    }
    // Whether a turn of the model was written and not closed.
    let mut open = false;
    let mut first = instructions.is_none();
    for fragment in fragments.iter().filter(|fragment| !fragment.is_empty()) {
        match (fragment.strip_prefix(MODEL_HEAD.as_bytes()), open) {
            (Some(rest), true) => {
                out.raw(",");
                open = turn(rest, out);
                continue;
            }
            // A conversation may have been cut before an answer.
            (Some(_), false) if first => {
                out.raw(r#"{"role":"user","parts":[{"text":"(earlier messages were left out)"}]}"#);
            }
            (None, true) => {
                out.raw(USER_END);
            }
            _ => {}
        }
        first = false;
        out.comma();
        open = turn(fragment, out);
    }
    if open {
        out.raw(USER_END).raw(r#",{"role":"user","parts":[{"text":"Go on."}]}"#);
    }
    out.raw("]");
}

/// Writes a fragment, but not the end of a turn of the model; says whether it was one.
fn turn(fragment: &[u8], out: &mut Writer) -> bool {
    match fragment.strip_suffix(MODEL_END.as_bytes()) {
        Some(begun) => {
            out.bytes(begun);
            true
        }
        None => {
            out.bytes(fragment);
            false
        }
    }
}
