//! `ollama`.
//!
//! Beside the differences that `request.rs` allows:
//!
//! * `think: false`, which the neutral input does not tell.
//! * Ids of calls, `tool_name` and `tool_call_id`: the recorder's client is older than they are.
//! * `options: {}`, `format: ""`, `tools: []` and `keep_alive: null`, written or left out.

use mosaic_providers::ollama::Ollama;
use serde_json::{Value, json};

use super::{Api, by_member, find, schema};
use crate::load::Recording;

pub(super) const API: Api = Api {
    name: "ollama",
    codec: |_| Box::new(Ollama),
    form,
    output: |body| Some(schema(None, body.get("format").filter(|format| format.is_object())?)),
    delivery: by_member,
    terminal: |body| find(body, "\"done\":true").unwrap(),
};

fn form(body: &Value, _: &Recording) -> Value {
    let messages: Vec<Value> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| {
            let calls: Vec<&Value> = message["tool_calls"].as_array().into_iter().flatten().collect();
            let calls: Vec<Value> = calls
                .iter()
                .map(|call| json!([call["function"]["name"], call["function"]["arguments"]]))
                .collect();
            json!({
                "role": message["role"], "content": message["content"], "images": message["images"], "calls": calls,
            })
        })
        .collect();
    json!({
        "model": body["model"],
        "messages": messages,
        "tools": body["tools"].as_array().filter(|tools| !tools.is_empty()),
        "stream": body["stream"] == true,
        "options": body["options"].as_object().filter(|options| !options.is_empty()),
        "format": body["format"].as_object(),
    })
}
