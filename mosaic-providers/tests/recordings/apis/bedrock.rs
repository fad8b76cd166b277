//! `bedrock-converse`.
//!
//! Allowed differences of requests, beside those that all APIs share:
//! * `cachePoint`, a hint that we set in our way; `toolChoice: auto`, `status: success` and empty members, written or not.
//! * Neighbouring messages of one role, joined or apart (the service joined them; we do).
//! * What `additionalModelRequestFields` and `guardrailConfig` say: the neutral input does not have it.
//! * The calls of a system tool that stand in the history: the neutral input has them as ordinary calls.

use mosaic_core::Delivery;
use mosaic_providers::bedrock::Bedrock;
use serde_json::{Value, json};

use super::{Api, exotic, schema};
use crate::load::Recording;

pub(super) const API: Api = Api {
    name: "bedrock-converse",
    codec: |_| Box::new(Bedrock::default()),
    form,
    output: |body| {
        let schema_text = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema")?.as_str()?;
        Some(schema(None, &serde_json::from_str(schema_text).ok()?))
    },
    delivery: |request| {
        let streamed = request["path"].as_str().unwrap().ends_with("/converse-stream");
        if streamed { Delivery::Streamed } else { Delivery::Whole }
    },
    terminal,
};

/// The end of the message `messageStop`: up to there, nothing is complete.
fn terminal(body: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let length = u32::from_be_bytes(body[at..at + 4].try_into().unwrap()) as usize;
        let message = &body[at..at + length];
        at += length;
        if super::find(message, "messageStop").is_some() {
            return at;
        }
    }
}

fn form(body: &Value, recording: &Recording) -> Value {
    let system_tool = exotic(recording).contains(&"tool:systemTool");
    let mut messages: Vec<Value> = Vec::new();
    for message in body["messages"].as_array().unwrap() {
        let role = &message["role"];
        let mut content: Vec<Value> = blocks(&message["content"]);
        if system_tool {
            let ids = system_calls(body);
            content.retain(|block| {
                let id = block.pointer("/toolUse/toolUseId").or(block.pointer("/toolResult/toolUseId"));
                !id.is_some_and(|id| ids.contains(id))
            });
        }
        match messages.last_mut().filter(|last| last["role"] == *role) {
            Some(last) => last["content"].as_array_mut().unwrap().append(&mut content),
            None if content.is_empty() => {}
            None => messages.push(json!({ "role": role, "content": content })),
        }
    }
    let tools: Vec<&Value> = body["toolConfig"]["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tool| tool.get("toolSpec"))
        .collect();
    let choice = Some(&body["toolConfig"]["toolChoice"]).filter(|choice| choice.get("auto").is_none());
    json!({
        "messages": messages,
        "system": blocks(&body["system"]),
        "tools": tools,
        "tool_choice": choice,
        "max_tokens": body["inferenceConfig"]["maxTokens"],
        "temperature": body["inferenceConfig"]["temperature"].as_f64(),
        "output": body["outputConfig"],
    })
}

fn system_calls(body: &Value) -> Vec<Value> {
    let blocks = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|message| message["content"].as_array().unwrap());
    blocks
        .filter(|block| block.pointer("/toolUse/name") == Some(&json!("nova_code_interpreter")))
        .map(|block| block["toolUse"]["toolUseId"].clone())
        .collect()
}

fn blocks(content: &Value) -> Vec<Value> {
    let mut out: Vec<Value> = content.as_array().cloned().unwrap_or_default();
    out.retain(|block| block.get("cachePoint").is_none());
    for block in &mut out {
        if let Some(result) = block.get_mut("toolResult").and_then(Value::as_object_mut)
            && result.get("status") == Some(&json!("success"))
        {
            result.remove("status");
        }
    }
    out
}
