//! `openai-chat`.

use mosaic_providers::openai_chat::OpenAiChat;
use serde_json::{Value, json};

use super::{Api, blocks, by_member, exotic, schema};
use crate::load::Recording;

pub(super) const API: Api = Api {
    name: "openai-chat",
    codec: |_| Box::new(OpenAiChat::default()),
    form,
    output: |body| {
        let format = body.pointer("/response_format/json_schema")?;
        Some(schema(format.get("name"), format.get("schema")?))
    },
    delivery: by_member,
    terminal,
};

pub(super) fn terminal(body: &[u8]) -> usize {
    let text = String::from_utf8_lossy(body);
    // A finish reason ends an answer too: some servers send no `[DONE]`.
    let mark = "\"finish_reason\":\"";
    let reason =
        text.match_indices(mark).map(|(at, _)| at).find(|at| !text[at + mark.len()..].starts_with('"'));
    reason.or_else(|| text.find("[DONE]")).unwrap()
}

pub(super) fn form(body: &Value, recording: &Recording) -> Value {
    let exotic = exotic(recording);
    let (mut messages, mut system) = (Vec::new(), Vec::new());
    for message in body["messages"].as_array().unwrap() {
        let role = message["role"].as_str().unwrap();
        let mut content = blocks(&message["content"], &exotic);
        if role == "system" || role == "developer" {
            system.append(&mut content);
            continue;
        }
        let calls: Vec<Value> = message["tool_calls"].as_array().into_iter().flatten().map(call).collect();
        let reasoning = message.get("reasoning_content").or(message.get("reasoning"));
        messages.push(json!({
            "role": role, "content": content, "calls": calls, "reasoning": reasoning,
            "of": message["tool_call_id"],
        }));
    }
    let tools: Vec<Value> = body["tools"].as_array().into_iter().flatten().filter_map(tool).collect();
    let choice = Some(&body["tool_choice"]).filter(|choice| **choice != "auto");
    json!({
        "model": body["model"],
        "messages": messages,
        "system": system,
        "tools": tools,
        "tool_choice": choice,
        "max_tokens": body.get("max_tokens").or(body.get("max_completion_tokens")),
        "temperature": body["temperature"].as_f64(),
        "stream": body["stream"] == true,
        "stream_options": body["stream_options"],
        "response_format": body["response_format"],
    })
}

fn call(call: &Value) -> Value {
    let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    json!({ "id": call["id"], "type": call["type"], "name": call["function"]["name"], "arguments": arguments })
}

/// Server-side tools have no function and no schema of ours.
fn tool(tool: &Value) -> Option<Value> {
    let tool = tool.get("function")?;
    let description = tool["description"].as_str().filter(|text| !text.is_empty());
    Some(json!({ "name": tool["name"], "description": description, "schema": tool.get("parameters")? }))
}
