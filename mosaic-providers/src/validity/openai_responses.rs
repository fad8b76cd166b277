//! OpenAI Responses, where nothing is stored.
//!
//! Sources: <https://platform.openai.com/docs/api-reference/responses/create>,
//! <https://platform.openai.com/docs/guides/function-calling>, <https://platform.openai.com/docs/guides/reasoning>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{list, messages, text, tool_name};

pub(super) fn check(body: &Value) -> Result<(), String> {
    let items = messages(body, "input")?;
    // The ids that still wait for their result, of our tools and of others.
    let mut open: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (at, item) in items.iter().enumerate() {
        let kind = if item.get("role").is_some() { "message" } else { text(item, "type") };
        let id = text(item, "call_id");
        match kind {
            "message" => message(item),
            "reasoning" => reasoning(item, items.get(at + 1)),
            "function_call" => call(item).and_then(|()| {
                if open.insert(("function", id)) { Ok(()) } else { Err(format!("call `{id}` is double")) }
            }),
            "function_call_output" => {
                if open.remove(&("function", id)) {
                    output(item.get("output"))
                } else {
                    Err(format!("a result for `{id}`, which no call before it waits for"))
                }
            }
            "mcp_list_tools" | "compaction" => Ok(()),
            other => match other.strip_suffix("_output") {
                Some(of) if open.remove(&(of, id)) => Ok(()),
                None if other.ends_with("_call") => {
                    if !id.is_empty() {
                        open.insert((other, id));
                    }
                    Ok(())
                }
                _ => Err(format!("an item of type `{other}` has no place here")),
            },
        }
        .map_err(|why| format!("item {at}: {why}"))?;
    }
    open.first().map_or(Ok(()), |(_, id)| Err(format!("call `{id}` has no result")))
}

fn message(item: &Value) -> Result<(), String> {
    let role = text(item, "role");
    let allowed: &[&str] = match role {
        "user" | "system" | "developer" => &["input_text", "input_image", "input_file"],
        "assistant" => &["output_text", "refusal"],
        other => return Err(format!("the role `{other}` has no place here")),
    };
    match item.get("phase") {
        None => {}
        Some(phase) if role == "assistant" && (phase == "commentary" || phase == "final_answer") => {}
        Some(phase) => return Err(format!("the phase {phase} of a message of the {role}")),
    }
    match item.get("content") {
        Some(Value::String(text)) if !text.is_empty() => Ok(()),
        Some(Value::Array(parts)) if !parts.is_empty() => {
            parts.iter().try_for_each(|part| content(part, allowed))
        }
        _ => Err("no content".to_owned()),
    }
}

fn content(part: &Value, allowed: &[&str]) -> Result<(), String> {
    let kind = text(part, "type");
    if !allowed.contains(&kind) {
        return Err(format!("a content part of type `{kind}`"));
    }
    let blank = match kind {
        "refusal" => text(part, "refusal").is_empty(),
        "input_image" => text(part, "image_url").is_empty() && text(part, "file_id").is_empty(),
        "input_file" => ["file_data", "file_url", "file_id"].iter().all(|name| text(part, name).is_empty()),
        _ => text(part, "text").is_empty(),
    };
    if blank { Err(format!("an empty `{kind}`")) } else { Ok(()) }
}

/// "provided without its required following item", "not found; items are not persisted when `store` is set to false".
fn reasoning(item: &Value, next: Option<&Value>) -> Result<(), String> {
    if !item.get("summary").is_some_and(Value::is_array) {
        return Err("reasoning without a summary".to_owned());
    }
    let kept = !text(item, "encrypted_content").is_empty()
        || !list(item, "summary").is_empty()
        || !list(item, "content").is_empty();
    if !kept {
        return Err("reasoning that only names what was not stored".to_owned());
    }
    let follows = next.is_some_and(|next| {
        let of_model = text(next, "role") == "assistant" || next.get("role").is_none();
        of_model && text(next, "type") != "function_call_output"
    });
    if follows { Ok(()) } else { Err("reasoning that nothing of its answer follows".to_owned()) }
}

fn call(item: &Value) -> Result<(), String> {
    let id = text(item, "call_id");
    if id.is_empty() || id.len() > 64 {
        return Err(format!("the call's id `{id}` is empty or too long"));
    }
    tool_name(text(item, "name"))?;
    let arguments: Result<Value, _> = serde_json::from_str(text(item, "arguments"));
    if arguments.is_ok_and(|arguments| arguments.is_object()) {
        Ok(())
    } else {
        Err(format!("the arguments of call `{id}` are no JSON object"))
    }
}

fn output(output: Option<&Value>) -> Result<(), String> {
    match output {
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(parts)) if !parts.is_empty() => {
            parts.iter().try_for_each(|part| content(part, &["input_text", "input_image", "input_file"]))
        }
        _ => Err("a result that is neither a text nor a list".to_owned()),
    }
}
