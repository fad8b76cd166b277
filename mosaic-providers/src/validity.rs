//! Whether a request is one that the provider takes (feature `testing`).
//!
//! Providers refuse a conversation as a whole: one call without its result, and the session can go no further. This checks
//! the body of a request against the rules that they publish, so that a test can ask of any history whether it could be
//! sent. It is written from the providers' pages and shares no code with the codecs.
//!
//! ```
//! use mosaic_providers::validity;
//! use serde_json::json;
//!
//! let lost = json!({"messages": [
//!     {"role": "user", "content": "2+2?"},
//!     {"role": "assistant", "content": null, "tool_calls": [
//!         {"id": "a", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
//!     {"role": "user", "content": "Well?"}
//! ]});
//! assert!(validity::check("openai-chat", &lost).unwrap_err().contains("has no result"));
//! ```
//!
//! Sources: <https://platform.openai.com/docs/guides/function-calling>,
//! <https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use>,
//! <https://docs.anthropic.com/en/api/messages>

use std::collections::BTreeSet;

use serde_json::Value;

/// Checks a request body of that wire API.
///
/// # Errors
/// The first thing that the provider would refuse, or that the API is not known here.
pub fn check(api: &str, body: &Value) -> Result<(), String> {
    let messages = list(body, "messages");
    if messages.is_empty() {
        return Err("there are no messages".to_owned());
    }
    match api {
        "openai-chat" => chat(messages),
        "anthropic-messages" => anthropic(body, messages),
        other => Err(format!("no rules are known for `{other}`")),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn chat(messages: &[Value]) -> Result<(), String> {
    // The ids that still wait for their result.
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (at, message) in messages.iter().enumerate() {
        let role = text(message, "role");
        if role == "tool" {
            let id = text(message, "tool_call_id");
            if !open.remove(id) {
                return Err(format!("message {at}: a result for `{id}`, which no call before it waits for"));
            }
            if !message.get("content").is_some_and(Value::is_string) {
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
            "assistant" => open = chat_calls(message, at)?,
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

fn chat_calls(message: &Value, at: usize) -> Result<BTreeSet<&str>, String> {
    let calls = list(message, "tool_calls");
    if calls.is_empty() && text(message, "content").is_empty() {
        return Err(format!("message {at}: an answer without text and calls"));
    }
    let mut ids = BTreeSet::new();
    for call in calls {
        let id = text(call, "id");
        if id.is_empty() || id.len() > 40 || !ids.insert(id) {
            return Err(format!("message {at}: the call's id `{id}` is empty, double or too long"));
        }
        let function = call.get("function").unwrap_or(&Value::Null);
        let arguments: Result<Value, _> = serde_json::from_str(text(function, "arguments"));
        if !arguments.is_ok_and(|arguments| arguments.is_object()) {
            return Err(format!("message {at}: the arguments of call `{id}` are no JSON object"));
        }
    }
    Ok(ids)
}

fn anthropic(body: &Value, messages: &[Value]) -> Result<(), String> {
    let marks = body.to_string().matches(r#""cache_control":{"#).count();
    if marks > 4 {
        return Err(format!("{marks} cache breakpoints; four are allowed"));
    }
    // The API joins neighbours of one role.
    let mut turns: Vec<(&str, Vec<&Value>)> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let role = text(message, "role");
        let blocks = list(message, "content");
        if blocks.is_empty() || !matches!(role, "user" | "assistant") {
            return Err(format!("message {at}: role `{role}` with {} blocks", blocks.len()));
        }
        match turns.last_mut() {
            Some((last, all)) if *last == role => all.extend(blocks),
            _ => turns.push((role, blocks.iter().collect())),
        }
    }
    if turns.first().is_some_and(|(role, _)| *role != "user") {
        return Err("the first message is not the user's".to_owned());
    }
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (at, (role, blocks)) in turns.iter().enumerate() {
        if *role == "user" {
            results(blocks, std::mem::take(&mut open)).map_err(|why| format!("turn {at}: {why}"))?;
        } else {
            open = uses(blocks).map_err(|why| format!("turn {at}: {why}"))?;
        }
    }
    open.first().map_or(Ok(()), |id| Err(format!("call `{id}` has no result")))
}

/// A turn of the user: first one result for each open call, then the rest.
fn results(blocks: &[&Value], mut open: BTreeSet<&str>) -> Result<(), String> {
    let mut others = false;
    for block in blocks {
        if text(block, "type") != "tool_result" {
            others = true;
            not_blank(block)?;
            continue;
        }
        let id = text(block, "tool_use_id");
        if others || !open.remove(id) {
            return Err(format!("a result for `{id}` out of place"));
        }
        list(block, "content").iter().try_for_each(not_blank)?;
    }
    open.first().map_or(Ok(()), |id| Err(format!("call `{id}` has no result")))
}

/// A turn of the model: its calls, by id.
fn uses<'a>(blocks: &[&'a Value]) -> Result<BTreeSet<&'a str>, String> {
    let mut ids = BTreeSet::new();
    for block in blocks {
        match text(block, "type") {
            "tool_use" => {
                let id = text(block, "id");
                let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
                if id.is_empty() || !plain || !ids.insert(id) {
                    return Err(format!(
                        "the call's id `{id}` is empty, double or not of letters, digits, _ and -"
                    ));
                }
                if !block.get("input").is_some_and(Value::is_object) {
                    return Err(format!("the input of call `{id}` is no object"));
                }
            }
            "thinking" if text(block, "signature").is_empty() => {
                return Err("thinking without a signature".to_owned());
            }
            "server_tool_use" => {
                let id = text(block, "id");
                if !blocks.iter().any(|other| text(other, "tool_use_id") == id) {
                    return Err(format!("server tool use `{id}` has no result"));
                }
            }
            _ => not_blank(block)?,
        }
    }
    Ok(ids)
}

fn not_blank(block: &Value) -> Result<(), String> {
    let blank = text(block, "type") == "text" && text(block, "text").trim().is_empty();
    if blank { Err("a blank text".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn what_anthropic_refuses_is_refused() {
        let call = json!({"type": "tool_use", "id": "a", "name": "add", "input": {}});
        let result = json!({"type": "tool_result", "tool_use_id": "a"});
        let hi = json!({"type": "text", "text": "Hi"});
        let user = |blocks: serde_json::Value| json!({"role": "user", "content": blocks});
        let model = |blocks: serde_json::Value| json!({"role": "assistant", "content": blocks});
        let of = |messages: serde_json::Value| check("anthropic-messages", &json!({ "messages": messages }));
        assert_eq!(
            of(json!([
                user(json!([hi])),
                model(json!([hi, call])),
                user(json!([result])),
                user(json!([hi]))
            ])),
            Ok(())
        );
        for refused in [
            json!([]),
            json!([model(json!([hi]))]),
            json!([user(json!([{"type": "text", "text": " "}]))]),
            json!([user(json!([hi])), model(json!([call]))]),
            json!([user(json!([hi])), model(json!([call])), user(json!([hi]))]),
            json!([user(json!([hi])), model(json!([call])), user(json!([hi, result]))]),
            json!([user(json!([hi, result]))]),
            json!([
                user(json!([hi])),
                model(json!([{"type": "thinking", "thinking": "x", "signature": ""}]))
            ]),
            json!([user(json!([hi])), model(json!([{"type": "server_tool_use", "id": "s", "input": {}}]))]),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_openai_refuses_is_refused() {
        let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "add", "arguments": arguments}});
        let calls =
            |calls: serde_json::Value| json!({"role": "assistant", "content": null, "tool_calls": calls});
        let result = json!({"role": "tool", "tool_call_id": "a", "content": "4"});
        let user = json!({"role": "user", "content": "Hi"});
        let of = |messages: serde_json::Value| check("openai-chat", &json!({ "messages": messages }));
        assert_eq!(of(json!([user, calls(json!([call("a", "{}")])), result, user])), Ok(()));
        for refused in [
            json!([user, calls(json!([call("a", "{}")])), user, result]),
            json!([user, calls(json!([call("a", "{")])), result]),
            json!([user, calls(json!([call("a", "{}"), call("a", "{}")])), result]),
            json!([user, result]),
            json!([user, {"role": "assistant", "content": ""}]),
            json!([user, {"role": "user", "content": []}]),
        ] {
            assert!(of(refused.clone()).is_err(), "{refused}");
        }
        assert!(check("gopher", &json!({"messages": [user]})).is_err());
    }
}
