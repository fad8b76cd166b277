//! OpenAI Chat Completions.
//!
//! Source: <https://platform.openai.com/docs/guides/function-calling>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{list, messages, text, tool_name};

pub(super) fn check(body: &Value) -> Result<(), String> {
    check_with(body, false)
}

/// Some servers take lists in answers and results too.
pub(super) fn check_with(body: &Value, lists: bool) -> Result<(), String> {
    let messages = messages(body, "messages")?;
    // The ids that still wait for their result.
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (at, message) in messages.iter().enumerate() {
        let role = text(message, "role");
        if role == "tool" {
            let id = text(message, "tool_call_id");
            if !open.remove(id) {
                return Err(format!("message {at}: a result for `{id}`, which no call before it waits for"));
            }
            let list = lists && !list(message, "content").is_empty();
            if !list && !message.get("content").is_some_and(Value::is_string) {
                return Err(format!("message {at}: a result that is no text"));
            }
            continue;
        }
        if let Some(id) = open.first() {
            return Err(format!("message {at}: call `{id}` has no result before it"));
        }
        match role {
            "system" | "developer" if at == 0 => {}
            "user" => chat_content(message, at)?,
            "assistant" => open = chat_calls(message, at, lists)?,
            other => return Err(format!("message {at}: the role `{other}` has no place here")),
        }
    }
    open.first().map_or(Ok(()), |id| Err(format!("call `{id}` has no result")))
}

fn chat_content(message: &Value, at: usize) -> Result<(), String> {
    match message.get("content") {
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(parts)) if !parts.is_empty() => {
            let empty =
                parts.iter().any(|part| text(part, "type") == "text" && text(part, "text").is_empty());
            if empty { Err(format!("message {at}: an empty text part")) } else { Ok(()) }
        }
        _ => Err(format!("message {at}: no content")),
    }
}

fn chat_calls(message: &Value, at: usize, lists: bool) -> Result<BTreeSet<&str>, String> {
    let calls = list(message, "tool_calls");
    let list = lists && !list(message, "content").is_empty();
    if calls.is_empty() && text(message, "content").is_empty() && !list {
        return Err(format!("message {at}: an answer without text and calls"));
    }
    let mut ids = BTreeSet::new();
    for call in calls {
        let id = text(call, "id");
        if id.is_empty() || id.len() > 40 || !ids.insert(id) {
            return Err(format!("message {at}: the call's id `{id}` is empty, double or too long"));
        }
        let function = call.get("function").unwrap_or(&Value::Null);
        tool_name(text(function, "name")).map_err(|why| format!("message {at}: {why}"))?;
        let arguments: Result<Value, _> = serde_json::from_str(text(function, "arguments"));
        if !arguments.is_ok_and(|arguments| arguments.is_object()) {
            return Err(format!("message {at}: the arguments of call `{id}` are no JSON object"));
        }
    }
    Ok(ids)
}
