//! `gemini`. What the form leaves out, beside the differences that hold for all:
//!
//! * The URL says the model and whether the answer is streamed; no body does.
//! * A text result that is JSON: the neutral input has the text of what the recorder sent as an object; we send the text
//!   under `result`.
//! * A thought's signature, where the neutral input has lost it, and `thought: false`.
//! * `parameters` and its two other names; `allowedFunctionNames` that allow all tools; the role of the instructions.
//! * `responseModalities` and `safetySettings`, which are the recorders' own; `thinkingConfig`, which the input does not tell.

use mosaic_core::Delivery;
use mosaic_providers::gemini::Gemini;
use serde_json::{Value, json};

use super::{Api, exotic, find, schema};
use crate::load::Recording;

pub(super) const API: Api = Api {
    name: "gemini",
    codec: |_| Box::new(Gemini::default()),
    form,
    output: |body| Some(schema(None, body.pointer("/generationConfig/responseJsonSchema")?)),
    delivery: |request| match request["path"].as_str() {
        Some(path) if path.contains(":streamGenerateContent") => Delivery::Streamed,
        _ => Delivery::Whole,
    },
    // An array ends with its bracket, a stream of events with the chunk that tells the reason.
    terminal: |body| match body.trim_ascii_end().strip_suffix(b"]") {
        Some(begun) if body.starts_with(b"[") => begun.len(),
        _ => find(body, "\"finishReason\"").unwrap(),
    },
};

fn form(body: &Value, recording: &Recording) -> Value {
    let exotic = exotic(recording);
    let contents: Vec<Value> = body["contents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|content| {
            let parts: Vec<Value> = content["parts"].as_array().unwrap().iter().map(part).collect();
            json!({ "role": content["role"], "parts": parts })
        })
        .collect();
    let system: Vec<Value> = body
        .pointer("/systemInstruction/parts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(part)
        .collect();
    let functions = |tool: &Value| tool["functionDeclarations"].as_array().cloned().unwrap_or_default();
    let tools: Vec<Value> = body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(functions)
        .map(|tool| function(&tool))
        .collect();
    let mut choice = body.pointer("/toolConfig/functionCallingConfig").cloned().unwrap_or_default();
    let names: Vec<&Value> = tools.iter().map(|tool| &tool["name"]).collect();
    if choice["allowedFunctionNames"]
        .as_array()
        .is_some_and(|allowed| allowed.iter().collect::<Vec<_>>() == names)
    {
        choice.as_object_mut().unwrap().remove("allowedFunctionNames");
    }
    assert!(
        exotic.iter().all(|name| name.starts_with("tool:") || *name == "structured-output"),
        "{exotic:?}"
    );
    json!({
        "contents": contents,
        "system": system,
        "tools": tools,
        "choice": Some(choice).filter(|choice| choice["mode"] != "AUTO"),
        "max_tokens": body.pointer("/generationConfig/maxOutputTokens"),
        "temperature": body.pointer("/generationConfig/temperature").and_then(Value::as_f64),
        "mime": body.pointer("/generationConfig/responseMimeType"),
        "output": body.pointer("/generationConfig/responseJsonSchema"),
    })
}

fn part(part: &Value) -> Value {
    let mut part = part.clone();
    let members = part.as_object_mut().unwrap();
    match members.get("thought") {
        Some(Value::Bool(true)) => {
            members.remove("thoughtSignature");
        }
        Some(_) => {
            members.remove("thought");
        }
        None => {}
    }
    if let Some(response) = part.pointer_mut("/functionResponse/response") {
        *response = match response["result"].as_str() {
            Some(text) => serde_json::from_str(text).unwrap(),
            None => response.take(),
        };
    }
    part
}

fn function(function: &Value) -> Value {
    let schema = ["parametersJsonSchema", "parameters_json_schema", "parameters"];
    let description = function["description"].as_str().filter(|text| !text.is_empty());
    let schema = schema.iter().find_map(|name| function.get(*name));
    json!({ "name": function["name"], "description": description, "schema": schema })
}
