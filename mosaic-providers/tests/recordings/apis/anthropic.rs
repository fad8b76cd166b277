//! `anthropic-messages`.

use mosaic_providers::anthropic::Anthropic;
use serde_json::{Value, json};

use super::{Api, blocks, by_member, exotic, find, schema};
use crate::load::Recording;

pub(super) const API: Api = Api {
    name: "anthropic-messages",
    codec: |_| Box::new(Anthropic::default()),
    form,
    output: |body| Some(schema(None, body.pointer("/output_format/schema")?)),
    delivery: by_member,
    terminal: |body| find(body, "\"message_stop\"").unwrap(),
};

fn form(body: &Value, recording: &Recording) -> Value {
    let exotic = exotic(recording);
    let mut messages: Vec<Value> = Vec::new();
    for message in body["messages"].as_array().unwrap() {
        let role = &message["role"];
        let mut content = blocks(&message["content"], &exotic);
        match messages.last_mut().filter(|last| last["role"] == *role) {
            Some(last) => last["content"].as_array_mut().unwrap().append(&mut content),
            None => messages.push(json!({ "role": role, "content": content })),
        }
    }
    let tools: Vec<Value> = body["tools"].as_array().into_iter().flatten().filter_map(tool).collect();
    let choice = Some(&body["tool_choice"]).filter(|choice| choice["type"] != "auto");
    json!({
        "model": body["model"],
        "messages": messages,
        "system": blocks(&body["system"], &exotic),
        "tools": tools,
        "tool_choice": choice,
        "max_tokens": body["max_tokens"],
        "temperature": body["temperature"].as_f64(),
        "stream": body["stream"] == true,
        "output": body.pointer("/output_config/format").or(body.get("output_format")),
    })
}

/// Server-side tools have no schema of ours.
fn tool(tool: &Value) -> Option<Value> {
    let description = tool["description"].as_str().filter(|text| !text.is_empty());
    Some(json!({ "name": tool["name"], "description": description, "schema": tool.get("input_schema")? }))
}
