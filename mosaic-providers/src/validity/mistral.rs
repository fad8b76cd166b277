//! Mistral: OpenAI's rules, stricter ids, and an order of turns.
//!
//! Sources: <https://docs.mistral.ai/capabilities/function_calling>,
//! <https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py>

use serde_json::Value;

use super::{list, openai_chat, text};

const UNKNOWN: [&str; 5] =
    ["seed", "stream_options", "max_completion_tokens", "reasoning", "chat_template_kwargs"];

pub(super) fn check(body: &Value) -> Result<(), String> {
    if let Some(name) = UNKNOWN.iter().find(|name| body.get(**name).is_some()) {
        return Err(format!("`{name}` is an unknown member"));
    }
    openai_chat::check_with(body, true)?;
    let messages = list(body, "messages");
    for (at, pair) in messages.windows(2).enumerate() {
        if let [one, other] = pair
            && text(one, "role") == "tool"
            && !matches!(text(other, "role"), "assistant" | "tool")
        {
            return Err(format!("message {}: role `{}` after role `tool`", at + 1, text(other, "role")));
        }
    }
    if messages.last().is_some_and(|last| !matches!(text(last, "role"), "user" | "tool")) {
        return Err("the last message is neither the user's nor a tool's".to_owned());
    }
    for call in messages.iter().flat_map(|message| list(message, "tool_calls")) {
        let id = text(call, "id");
        if id.len() != 9 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("the call's id `{id}` has not nine letters and digits"));
        }
    }
    Ok(())
}
