//! Anthropic Messages.
//!
//! Sources: <https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use>,
//! <https://docs.anthropic.com/en/api/messages>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{list, messages, text, tool_name};

pub(super) fn check(body: &Value) -> Result<(), String> {
    let messages = messages(body, "messages")?;
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
                tool_name(text(block, "name"))?;
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
