//! `cohere`.
//!
//! Beside the differences that `request.rs` allows:
//!
//! * `documents`: the neutral input has no form for it; a host passes it in the extra parameters.
//! * A result that the recorder sent as a document; the input has its data as JSON text, and so do we send it.
//! * `usage.reasoning`: the recordings expect 0 where Cohere reports `tokens.reasoning_tokens`. Here the reported figure
//!   is expected, as the rule for figures says (what the provider reports; 0 where it reports nothing).

use mosaic_providers::cohere::Cohere;
use serde_json::{Value, json};

use super::{Api, blocks, by_member, exotic, find, schema};
use crate::load::Recording;

pub(super) const API: Api = Api {
    name: "cohere",
    codec: |_| Box::new(Cohere),
    form,
    output: |body| Some(schema(None, body.pointer("/response_format/json_schema")?)),
    delivery: by_member,
    terminal: |body| find(body, "\"message-end\"").unwrap(),
};

/// See above.
pub(super) fn usage(expected: &Value) -> Value {
    let mut usage = expected["usage"].clone();
    if let Some(reported) = expected.pointer("/usage_reported/tokens/reasoning_tokens") {
        usage["reasoning"] = reported.clone();
    }
    usage
}

fn form(body: &Value, recording: &Recording) -> Value {
    let exotic = exotic(recording);
    let messages: Vec<Value> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| {
            let calls: Vec<Value> =
                message["tool_calls"].as_array().into_iter().flatten().map(call).collect();
            let content: Vec<Value> = blocks(&message["content"], &exotic).iter().map(said).collect();
            json!({ "role": message["role"], "content": content, "calls": calls, "of": message["tool_call_id"] })
        })
        .collect();
    let tools: Vec<Value> = body["tools"].as_array().into_iter().flatten().map(tool).collect();
    json!({
        "model": body["model"],
        "messages": messages,
        "tools": tools,
        "tool_choice": body["tool_choice"],
        "max_tokens": body["max_tokens"],
        "temperature": body["temperature"].as_f64(),
        "stream": body["stream"] == true,
        "response_format": body["response_format"],
    })
}

fn said(block: &Value) -> Value {
    if let Some(data) = block.pointer("/document/data") {
        return data.clone();
    }
    let document = block["text"].as_str().filter(|text| text.starts_with('{'));
    document.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| block.clone())
}

fn call(call: &Value) -> Value {
    let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    json!({ "id": call["id"], "type": call["type"], "name": call["function"]["name"], "arguments": arguments })
}

fn tool(tool: &Value) -> Value {
    let tool = &tool["function"];
    json!({ "name": tool["name"], "description": tool["description"], "schema": tool["parameters"] })
}
