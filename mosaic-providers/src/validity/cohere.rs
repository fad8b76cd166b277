//! Cohere Chat, version 2.
//!
//! Sources: <https://docs.cohere.com/reference/chat>, <https://docs.cohere.com/docs/tool-use-overview>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{list, messages, text};

pub(super) fn check(body: &Value) -> Result<(), String> {
    let messages = messages(body, "messages")?;
    let tools = !list(body, "tools").is_empty();
    let format = body.pointer("/response_format/type").is_some_and(|kind| kind == "json_object");
    if format && (tools || !list(body, "documents").is_empty()) {
        return Err("`response_format` beside tools or documents".to_owned());
    }
    match text(body, "tool_choice") {
        "" => {}
        "REQUIRED" | "NONE" if tools => {}
        other => return Err(format!("the tool choice `{other}` is none, or there are no tools")),
    }
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (at, message) in messages.iter().enumerate() {
        let role = text(message, "role");
        if role == "tool" {
            let id = text(message, "tool_call_id");
            if !open.remove(id) {
                return Err(format!("message {at}: a result for `{id}`, which no call before it waits for"));
            }
        } else if let Some(id) = open.first() {
            return Err(format!("message {at}: call `{id}` has no result before it"));
        }
        let content = content(message).map_err(|why| format!("message {at}: {why}"))?;
        match role {
            "system" if at == 0 && content => {}
            "user" | "tool" if content => {}
            "assistant" => {
                open = calls(message).map_err(|why| format!("message {at}: {why}"))?;
                if open.is_empty() && (!content || message.get("tool_plan").is_some()) {
                    return Err(format!(
                        "message {at}: an answer without text and calls, or a plan without calls"
                    ));
                }
            }
            other => return Err(format!("message {at}: role `{other}`, here or without content")),
        }
    }
    open.first().map_or(Ok(()), |id| Err(format!("call `{id}` has no result")))
}

/// Whether it says anything.
fn content(message: &Value) -> Result<bool, String> {
    match message.get("content") {
        None => Ok(false),
        Some(Value::String(text)) if text.trim().is_empty() => Err("a blank text".to_owned()),
        Some(Value::String(_)) => Ok(true),
        Some(Value::Array(blocks)) if !blocks.is_empty() => {
            let blank = blocks.iter().any(|block| match text(block, "type") {
                kind @ ("text" | "thinking") => text(block, kind).trim().is_empty(),
                "image_url" => block.pointer("/image_url/url").is_none(),
                "document" => false,
                _ => true,
            });
            if blank { Err("a blank or unknown block".to_owned()) } else { Ok(true) }
        }
        Some(_) => Err("content that is neither text nor blocks".to_owned()),
    }
}

fn calls(message: &Value) -> Result<BTreeSet<&str>, String> {
    let mut ids = BTreeSet::new();
    for call in list(message, "tool_calls") {
        let id = text(call, "id");
        if id.is_empty() || !ids.insert(id) {
            return Err(format!("the call's id `{id}` is empty or double"));
        }
        let function = call.get("function").unwrap_or(&Value::Null);
        let arguments: Result<Value, _> = serde_json::from_str(text(function, "arguments"));
        if text(function, "name").is_empty() || !arguments.is_ok_and(|arguments| arguments.is_object()) {
            return Err(format!("call `{id}` has no name, or arguments that are no JSON object"));
        }
    }
    Ok(ids)
}
