//! Gemini's `generateContent`.
//!
//! Sources: <https://ai.google.dev/api/caching#Content>, <https://ai.google.dev/gemini-api/docs/function-calling>,
//! <https://ai.google.dev/gemini-api/docs/thought-signatures>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{list, messages, text};

/// A part holds exactly one of these.
const DATA: [&str; 9] = [
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

pub(super) fn check(body: &Value) -> Result<(), String> {
    let contents = messages(body, "contents")?;
    // The calls of the turn before: name and id, in order.
    let mut open: Vec<(&str, &str)> = Vec::new();
    let mut before = "";
    for (at, content) in contents.iter().enumerate() {
        let (role, parts) = (text(content, "role"), list(content, "parts"));
        let here = |why: String| format!("content {at}: {why}");
        if !matches!(role, "user" | "model") || parts.is_empty() {
            return Err(here(format!("role `{role}` with {} parts", parts.len())));
        }
        parts.iter().try_for_each(|one| part(one, role)).map_err(here)?;
        let responses = functions(parts, "functionResponse");
        if responses.len() != open.len() {
            return Err(here(format!("{} results for {} calls", responses.len(), open.len())));
        }
        if !responses.is_empty() && responses.len() != parts.len() {
            return Err(here("a turn of results holds other things".to_owned()));
        }
        for (call, response) in std::mem::take(&mut open).iter().zip(&responses) {
            if call != response {
                return Err(here(format!("a result for {response:?} in the place of {call:?}")));
            }
        }
        open = functions(parts, "functionCall");
        if !open.is_empty() && before != "user" {
            return Err(here("a call that does not follow a turn of the user".to_owned()));
        }
        let ids: Vec<&str> = open.iter().map(|(_, id)| *id).filter(|id| !id.is_empty()).collect();
        if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
            return Err(here("two calls of one id".to_owned()));
        }
        before = role;
    }
    if contents.first().is_some_and(|first| text(first, "role") != "user") || before != "user" {
        return Err("the conversation must begin and end with the user".to_owned());
    }
    Ok(())
}

/// Name and id of each call, or of each result.
fn functions<'a>(parts: &'a [Value], member: &str) -> Vec<(&'a str, &'a str)> {
    parts.iter().filter_map(|part| part.get(member)).map(|one| (text(one, "name"), text(one, "id"))).collect()
}

fn part(part: &Value, role: &str) -> Result<(), String> {
    let held: Vec<&str> = DATA.into_iter().filter(|name| part.get(*name).is_some()).collect();
    let [one] = held.as_slice() else { return Err(format!("a part that holds {held:?}")) };
    let signature = part.get("thoughtSignature");
    if let Some(signature) = signature {
        // Bytes, as base64 of either alphabet.
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
        let fits = signature.as_str().is_some_and(|text| !text.is_empty() && text.bytes().all(base64));
        if !fits || role != "model" {
            return Err(format!("the signature {signature} on a turn of `{role}`"));
        }
    }
    if *one == "text" && text(part, "text").is_empty() && signature.is_none() {
        return Err("an empty text".to_owned());
    }
    let (function, object, of) = match *one {
        "functionCall" => (part.get("functionCall"), "args", "model"),
        "functionResponse" => (part.get("functionResponse"), "response", "user"),
        _ => return Ok(()),
    };
    let function = function.unwrap_or(&Value::Null);
    let name = text(function, "name");
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte));
    if !begins || !fits || name.len() > 64 {
        return Err(format!("the function's name `{name}`"));
    }
    if role != of || !function.get(object).is_some_and(Value::is_object) {
        return Err(format!("`{one}` of `{role}`, or its `{object}` is no object"));
    }
    Ok(())
}
