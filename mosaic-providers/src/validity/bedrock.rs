//! Amazon Bedrock's Converse.
//!
//! Sources: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use.html>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{list, messages, text};

pub(super) fn check(body: &Value) -> Result<(), String> {
    let messages = messages(body, "messages")?;
    let points = body.to_string().matches(r#"{"cachePoint":{"#).count();
    if points > 4 {
        return Err(format!("{points} cache points; four are allowed"));
    }
    tools(body, messages)?;
    let mut names = BTreeSet::new();
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (at, message) in messages.iter().enumerate() {
        let blocks = list(message, "content");
        let wanted = if at % 2 == 0 { "user" } else { "assistant" };
        if text(message, "role") != wanted || blocks.is_empty() {
            return Err(format!("message {at}: not the {wanted}'s, or without content"));
        }
        let checked = if wanted == "user" {
            user(blocks, std::mem::take(&mut open), &mut names)
        } else {
            assistant(blocks).map(|calls| open = calls)
        };
        checked.map_err(|why| format!("message {at}: {why}"))?;
    }
    open.first().map_or(Ok(()), |id| Err(format!("call `{id}` has no result")))
}

/// Calls and results want tools.
fn tools(body: &Value, messages: &[Value]) -> Result<(), String> {
    let tools = body.pointer("/toolConfig/tools").and_then(Value::as_array).map_or(0, Vec::len);
    let mut blocks = messages.iter().flat_map(|message| list(message, "content"));
    let any = blocks.any(|block| block.get("toolUse").or(block.get("toolResult")).is_some());
    if tools == 0 && (any || body.get("toolConfig").is_some()) {
        return Err("toolConfig must be there, and have tools, where calls are".to_owned());
    }
    Ok(())
}

/// A message of the user: one result for each open call, and whatever else.
fn user<'a>(
    blocks: &'a [Value],
    mut open: BTreeSet<&'a str>,
    names: &mut BTreeSet<String>,
) -> Result<(), String> {
    let (mut documents, mut texts) = (false, false);
    for block in blocks {
        plain(block)?;
        texts |= block.get("text").is_some();
        if let Some(file) = block.get("document") {
            documents = true;
            document(file, names)?;
        }
        if let Some(result) = block.get("toolResult") {
            let id = text(result, "toolUseId");
            if !open.remove(id) {
                return Err(format!("a result for `{id}`, which no call before it waits for"));
            }
            let content = list(result, "content");
            if content.is_empty() {
                return Err(format!("the result of `{id}` is empty"));
            }
            for block in content {
                plain(block)?;
                block.get("document").map_or(Ok(()), |file| document(file, names))?;
            }
        }
    }
    if documents && !texts {
        return Err("a document without a text".to_owned());
    }
    open.first().map_or(Ok(()), |id| Err(format!("call `{id}` has no result")))
}

fn document(file: &Value, names: &mut BTreeSet<String>) -> Result<(), String> {
    let name = text(file, "name");
    let allowed = name.chars().all(|c| c.is_ascii_alphanumeric() || " -()[]".contains(c));
    if name.is_empty() || name.len() > 200 || !allowed || name.contains("  ") {
        return Err(format!("a document cannot be named `{name}`"));
    }
    if !names.insert(name.to_ascii_lowercase()) {
        return Err(format!("two documents are named `{name}`"));
    }
    Ok(())
}

/// An answer: its calls, by id.
fn assistant(blocks: &[Value]) -> Result<BTreeSet<&str>, String> {
    let mut ids = BTreeSet::new();
    let id_of = |block: &Value| text(block, "toolUseId").to_owned();
    if blocks.iter().all(|block| block.get("reasoningContent").is_some()) {
        return Err("nothing but reasoning".to_owned());
    }
    for block in blocks {
        plain(block)?;
        if let Some(call) = block.get("toolUse") {
            let (id, name) = (text(call, "toolUseId"), text(call, "name"));
            let fits = |word: &str| {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
                !word.is_empty() && word.len() <= 64 && word.bytes().all(plain)
            };
            if !fits(id) || !fits(name) || !call.get("input").is_some_and(Value::is_object) {
                return Err(format!("call `{id}` of `{name}` has an id, a name or an input that is refused"));
            }
            if text(call, "type") == "server_tool_use" {
                let answered = |other: &Value| other.get("toolResult").map(id_of) == Some(id.to_owned());
                if !blocks.iter().any(answered) {
                    return Err(format!("server tool use `{id}` has no result"));
                }
            } else if !ids.insert(id) {
                return Err(format!("two calls have the id `{id}`"));
            }
        }
        if let Some(result) = block.get("toolResult") {
            let used = |other: &Value| other.get("toolUse").map(id_of) == Some(id_of(result));
            if !blocks.iter().any(used) {
                return Err("a server tool's result without its use".to_owned());
            }
        }
        if block.get("image").or(block.get("document")).is_some() {
            return Err("an image or a document in an answer".to_owned());
        }
        let thought = block.pointer("/reasoningContent/reasoningText");
        if thought.is_some_and(|thought| text(thought, "signature").is_empty()) {
            return Err("reasoning without a signature".to_owned());
        }
    }
    Ok(ids)
}

/// One block is one thing, and a text is not blank.
fn plain(block: &Value) -> Result<(), String> {
    if block.as_object().map_or(0, serde_json::Map::len) != 1 {
        return Err(format!("a block of several members: {block}"));
    }
    match block.get("text") {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(()),
        Some(_) => Err("a blank text".to_owned()),
        None => Ok(()),
    }
}
