//! Old calls and their results as text, for models that are not given them through the provider's interface.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::message::{GroupBody, Part, ToolCall, ToolResult, ToolStatus};
use crate::model::ToolMode;

/// A group as the codec is to encode it: itself, or an answer in text and an input with the results. Depends on nothing
/// but the group and the mode, so that its encoding can be kept.
#[must_use]
pub fn render(mode: ToolMode, group: &GroupBody) -> Cow<'_, [GroupBody]> {
    let GroupBody::Assistant { parts, origin, results } = group else {
        return Cow::Borrowed(std::slice::from_ref(group));
    };
    if mode == ToolMode::Native || !parts.iter().any(|part| part.as_call().is_some()) {
        return Cow::Borrowed(std::slice::from_ref(group));
    }
    let mut said: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, said.last_mut()) {
            (Part::ToolCall(call), Some(Part::Text { text })) => {
                text.push('\n');
                text.push_str(&written(mode, call));
            }
            (Part::ToolCall(call), _) => said.push(Part::text(written(mode, call))),
            (other, _) => said.push(other.clone()),
        }
    }
    let name = |result: &ToolResult| {
        let call = parts.iter().filter_map(Part::as_call).find(|call| call.id == result.call);
        call.map(|call| call.name.clone()).unwrap_or_default()
    };
    let told = results.iter().flat_map(|result| told(&name(result), result)).collect();
    Cow::Owned(vec![
        GroupBody::Assistant { parts: said, origin: origin.clone(), results: Vec::new() },
        GroupBody::User { parts: told },
    ])
}

/// A call in the form that the instructions ask for.
fn written(mode: ToolMode, call: &ToolCall) -> String {
    let name = serde_json::Value::from(call.name.as_str());
    let arguments = match call.input() {
        Ok(_) if call.arguments.trim().is_empty() => "{}".to_owned(),
        Ok(_) => call.arguments.clone(),
        // Cut off: as a text, so that the whole stays JSON.
        Err(_) => serde_json::Value::from(call.arguments.as_str()).to_string(),
    };
    match mode {
        ToolMode::JsonSchema => format!("{{\"tool\": {name}, \"tool_input\": {arguments}}}"),
        _ => format!("<tool_call>\n{{\"name\": {name}, \"arguments\": {arguments}}}\n</tool_call>"),
    }
}

/// A result as a text, and its media behind it.
fn told(name: &str, result: &ToolResult) -> Vec<Part> {
    let mut text = match result.status {
        ToolStatus::Ok => format!("Result of {name}:"),
        status => format!("{name} gave no result ({}):", kind(status)),
    };
    let mut media = Vec::new();
    for part in &result.content {
        match part {
            Part::Text { text: line } => {
                let _ = write!(text, "\n{line}");
            }
            other => media.push(other.clone()),
        }
    }
    text.push('\n');
    media.insert(0, Part::Text { text });
    media
}

fn kind(status: ToolStatus) -> &'static str {
    match status {
        ToolStatus::Ok => "ok",
        ToolStatus::Error => "error",
        ToolStatus::Rejected => "rejected",
        ToolStatus::Denied => "denied",
        ToolStatus::NotRun => "not run",
        ToolStatus::TimedOut => "timed out",
        ToolStatus::Cancelled => "cancelled",
        ToolStatus::Unknown => "outcome unknown",
    }
}
