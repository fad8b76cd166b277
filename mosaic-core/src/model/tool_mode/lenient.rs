//! Reads calls out of text, in the forms that models write them.
//!
//! ```text
//! {"name": "add", "arguments": {...}}                 also `parameters`, `input`, `args`; also as a string of JSON
//! {"type": "function", "function": {"name": ...}}     OpenAI's form
//! {"tool": "add", "parameters": {...}}                also `tool_name`, `function` or `action` for the name
//! {"tool_calls": [...]}  [...]                        several
//! ```

use serde_json::{Map, Value};

use crate::tool::{SchemaCheck, SubsetCheck, ToolSpecs};

/// A call that was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) name: String,
    /// As JSON text.
    pub(super) arguments: String,
}

/// The members that hold the name, and those that hold the arguments.
const NAMES: [&str; 5] = ["name", "tool", "tool_name", "function", "action"];
const ARGUMENTS: [&str; 6] = ["arguments", "parameters", "input", "args", "tool_input", "action_input"];
/// Members that may stand beside them.
const OTHERS: [&str; 3] = ["type", "id", "tool_calls"];

/// Whether an object that begins with this member may be a call.
pub(super) fn may_begin_with(member: &str) -> bool {
    NAMES.contains(&member) || ARGUMENTS.contains(&member) || OTHERS.contains(&member)
}

/// Whether some member that a call may begin with begins like this.
pub(super) fn may_begin_like(start: &str) -> bool {
    NAMES.iter().chain(&ARGUMENTS).chain(&OTHERS).any(|member| member.starts_with(start))
}

/// The calls that a text consists of, one or several; `None` when there is anything else in it, or one that may not run.
pub(super) fn calls(text: &str, tools: &ToolSpecs, only: Option<&str>) -> Option<Vec<Found>> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        collect(&value.ok()?, tools, only, &mut found)?;
    }
    (!found.is_empty()).then_some(found)
}

fn collect(value: &Value, tools: &ToolSpecs, only: Option<&str>, found: &mut Vec<Found>) -> Option<()> {
    match value {
        Value::Array(calls) => calls.iter().try_for_each(|call| collect(call, tools, only, found)),
        Value::Object(call) => match call.get("tool_calls") {
            Some(Value::Array(calls)) if call.len() == 1 => {
                calls.iter().try_for_each(|call| collect(call, tools, only, found))
            }
            _ => {
                found.push(accepted(call, tools, only)?);
                Some(())
            }
        },
        _ => None,
    }
}

/// The call, if it is one that may run.
fn accepted(call: &Map<String, Value>, tools: &ToolSpecs, only: Option<&str>) -> Option<Found> {
    // Any member that calls do not have makes it data that only looks like a call.
    if !call.keys().all(|member| may_begin_with(member)) {
        return None;
    }
    if let Some(Value::Object(function)) = call.get("function") {
        return accepted(function, tools, only);
    }
    let name = NAMES.iter().find_map(|name| call.get(*name))?.as_str()?;
    if only.is_some_and(|only| only != name) {
        return None;
    }
    let input = match ARGUMENTS.iter().find_map(|name| call.get(*name)) {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(Value::String(text)) => serde_json::from_str(text).ok()?,
        Some(input) => input.clone(),
    };
    let tool = tools.get(name)?;
    SubsetCheck.check(&tool.input_schema, &input).ok()?;
    input.is_object().then(|| Found { name: name.to_owned(), arguments: input.to_string() })
}
