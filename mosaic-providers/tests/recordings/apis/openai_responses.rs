//! `openai-responses`.
//!
//! Differences that are allowed here, beside those of all APIs:
//!
//! * Ids of messages and calls: nothing is stored under them, so we send none. A reasoning item's id is compared.
//! * `type: "message"`, written or left out.
//! * A reasoning item that has neither encrypted content nor a summary: its text is not in the neutral input.
//! * The reasoning text beside a summary that says the same, and `encrypted_content: null`.
//! * `reasoning`, `service_tier` and `parallel_tool_calls`: the neutral input does not say them.

use mosaic_providers::openai_responses::{OpenAiResponses, Quirks};
use serde_json::{Value, json};

use super::{Api, blocks, by_member, exotic, find, schema};
use crate::load::Recording;

pub(super) const API: Api = Api {
    name: "openai-responses",
    codec: |provider| {
        Box::new(OpenAiResponses::new(match provider {
            "azure" => Quirks::azure(),
            "bedrock-mantle" | "openai" => Quirks::openai(),
            "deepseek" => Quirks::deepseek(),
            "xai" => Quirks::xai(),
            other => panic!("no quirks of {other}"),
        }))
    },
    form,
    output: |body| {
        let format = body.pointer("/text/format")?;
        Some(schema(format.get("name"), format.get("schema")?))
    },
    delivery: by_member,
    // The event's name, or its data where there are no names.
    terminal: |body| {
        let ends = ["response.completed", "response.incomplete"];
        ends.iter().filter_map(|end| find(body, end)).min().unwrap()
    },
};

fn form(body: &Value, recording: &Recording) -> Value {
    let exotic = exotic(recording);
    let mut instructions = body["instructions"].as_str().unwrap_or_default().to_owned();
    let mut items: Vec<Value> = Vec::new();
    for item in body["input"].as_array().unwrap() {
        let kind = item["type"].as_str().unwrap_or("message");
        match (kind, item["role"].as_str()) {
            ("message", Some("system" | "developer")) => {
                for block in texts(&item["content"], &exotic) {
                    instructions.push_str(block["text"].as_str().unwrap());
                }
            }
            ("message", Some(role)) => {
                let mut content = texts(&item["content"], &exotic);
                match items.last_mut().filter(|last| last["role"] == role) {
                    Some(last) => last["content"].as_array_mut().unwrap().append(&mut content),
                    None => items.push(json!({ "role": role, "content": content })),
                }
            }
            ("reasoning", _) => {
                let summary = item["summary"].as_array().unwrap();
                if summary.is_empty() && item["encrypted_content"].is_null() {
                    continue;
                }
                let (id, encrypted) = (&item["id"], &item["encrypted_content"]);
                items.push(json!({ "reasoning": summary, "id": id, "encrypted": encrypted }));
            }
            ("function_call", _) => {
                let arguments: Value = serde_json::from_str(item["arguments"].as_str().unwrap()).unwrap();
                items.push(json!({ "call": item["call_id"], "name": item["name"], "arguments": arguments }));
            }
            ("function_call_output", _) => {
                items.push(json!({ "result": item["call_id"], "output": item["output"] }));
            }
            (other, _) => panic!("item {other}"),
        }
    }
    let tools: Vec<Value> = body["tools"].as_array().into_iter().flatten().map(tool).collect();
    let choice = Some(&body["tool_choice"]).filter(|choice| **choice != "auto");
    json!({
        "model": body["model"],
        "input": items,
        "instructions": instructions,
        "tools": tools,
        "tool_choice": choice,
        "max_output_tokens": body["max_output_tokens"],
        "temperature": body["temperature"].as_f64(),
        "stream": body["stream"] == true,
        "store": body["store"],
        "include": body["include"],
        "format": body.pointer("/text/format"),
    })
}

/// Content parts, under one name for a text.
fn texts(content: &Value, exotic: &[&str]) -> Vec<Value> {
    let mut all = blocks(content, exotic);
    for block in &mut all {
        if ["input_text", "output_text"].contains(&block["type"].as_str().unwrap()) {
            block["type"] = json!("text");
        }
    }
    all
}

fn tool(tool: &Value) -> Value {
    let description = tool["description"].as_str().filter(|text| !text.is_empty());
    let mut schema = tool["parameters"].clone();
    // "object schema missing properties": we add them where they are not.
    schema.as_object_mut().unwrap().entry("properties").or_insert_with(|| json!({}));
    json!({ "type": tool["type"], "name": tool["name"], "description": description, "schema": schema })
}
