//! Ollama's own API.
//!
//! Source: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>

use serde_json::Value;

use super::{list, messages, text};

pub(super) fn check(body: &Value) -> Result<(), String> {
    let messages = messages(body, "messages")?;
    if body.get("tool_choice").is_some() {
        return Err("there is no `tool_choice`".to_owned());
    }
    // Names of the calls whose results have not come: results are in their order.
    let mut open: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        if !message.get("content").is_some_and(Value::is_string) {
            return Err(format!("message {at}: content that is no text"));
        }
        let url = list(message, "images")
            .iter()
            .any(|image| image.as_str().is_none_or(|image| image.is_empty() || image.contains(':')));
        if url {
            return Err(format!("message {at}: an image that is not base64"));
        }
        let role = text(message, "role");
        if role == "tool" {
            let name = text(message, "tool_name");
            if open.is_empty() || open.remove(0) != name {
                return Err(format!("message {at}: a result of `{name}`, which was not called there"));
            }
            continue;
        }
        if let Some(name) = open.first() {
            return Err(format!("message {at}: the call of `{name}` has no result before it"));
        }
        match role {
            "system" if at == 0 => {}
            "user" => {}
            "assistant" => open = calls(message).map_err(|why| format!("message {at}: {why}"))?,
            other => return Err(format!("message {at}: the role `{other}` has no place here")),
        }
    }
    open.first().map_or(Ok(()), |name| Err(format!("the call of `{name}` has no result")))
}

fn calls(message: &Value) -> Result<Vec<&str>, String> {
    let all = list(message, "tool_calls");
    if all.is_empty() && text(message, "content").is_empty() {
        return Err("an answer without text and calls".to_owned());
    }
    all.iter()
        .map(|call| {
            let function = call.get("function").unwrap_or(&Value::Null);
            let name = text(function, "name");
            if name.is_empty() || !function.get("arguments").is_some_and(Value::is_object) {
                return Err(format!("the arguments of a call of `{name}` are no object"));
            }
            Ok(name)
        })
        .collect()
}
