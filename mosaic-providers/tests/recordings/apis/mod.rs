//! One file an API: its codec, the form in which its requests are compared, and where its streams end.

mod anthropic;
mod bedrock;
mod cohere;
mod gemini;
mod mistral;
mod ollama;
mod openai_chat;
mod openai_responses;

use mosaic_core::{Codec, Delivery, OutputSpec};
use serde_json::{Value, json};

use crate::load::Recording;

/// What the tests must know of a wire API.
pub(crate) struct Api {
    /// Its name, which is the recordings' folder too.
    pub(crate) name: &'static str,
    /// Its codec for that provider.
    pub(crate) codec: fn(provider: &str) -> Box<dyn Codec>,
    /// A request's body in the form that is compared.
    pub(crate) form: fn(body: &Value, recording: &Recording) -> Value,
    /// The wanted shape of the answer, out of a recorded body.
    pub(crate) output: fn(body: &Value) -> Option<OutputSpec>,
    /// What a recorded request (method, path, headers, body) asks for.
    pub(crate) delivery: fn(request: &Value) -> Delivery,
    /// Where the terminal event of a stream begins.
    pub(crate) terminal: fn(body: &[u8]) -> usize,
}

/// All of them.
pub(crate) const APIS: &[Api] = &[
    anthropic::API,
    bedrock::API,
    cohere::API,
    gemini::API,
    mistral::API,
    ollama::API,
    openai_chat::API,
    openai_responses::API,
];

/// Where a text begins.
fn find(body: &[u8], text: &str) -> Option<usize> {
    body.windows(text.len()).position(|window| window == text.as_bytes())
}

/// The figures that are expected.
pub(crate) fn usage(recording: &Recording) -> Value {
    match recording.api.name {
        "cohere" => cohere::usage(&recording.expected),
        _ => recording.expected["usage"].clone(),
    }
}

/// By the member `stream` of the body.
fn by_member(request: &Value) -> Delivery {
    if request["body"]["stream"] == true { Delivery::Streamed } else { Delivery::Whole }
}

fn schema(name: Option<&Value>, schema: &Value) -> OutputSpec {
    let name = name.and_then(Value::as_str).unwrap_or("answer").to_owned();
    OutputSpec { name, schema: schema.clone() }
}

/// What the input has no neutral form for.
fn exotic(recording: &Recording) -> Vec<&str> {
    recording.input["exotic"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// A message's content as a list of blocks, without hints that we set in our way.
fn blocks(content: &Value, exotic: &[&str]) -> Vec<Value> {
    let list = match content {
        Value::Null => Vec::new(),
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        other => other.as_array().unwrap().clone(),
    };
    let mut out = Vec::new();
    for mut block in list {
        let kind = block["type"].as_str().unwrap().to_owned();
        if exotic.contains(&format!("part:{kind}").as_str()) || block["text"] == "" {
            continue;
        }
        let members = block.as_object_mut().unwrap();
        members.remove("cache_control");
        if members.get("is_error") == Some(&json!(false)) {
            members.remove("is_error");
        }
        let image = members.get_mut("image_url").and_then(Value::as_object_mut);
        if let Some(image) = image.filter(|image| image.get("detail") == Some(&json!("auto"))) {
            image.remove("detail");
        }
        if kind == "tool_result" {
            let inner = blocks(&members["content"], exotic);
            members.insert("content".to_owned(), inner.into());
        }
        out.push(block);
    }
    out
}
