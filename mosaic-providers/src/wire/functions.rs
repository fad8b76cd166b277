//! Tools as functions, in the form that OpenAI invented and Cohere and Ollama took over; and schemas told in words.

use std::borrow::Cow;

use bytes::Bytes;
use mosaic_core::{EncodeError, OutputSpec, ToolSpec};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::write::Writer;

/// `[{"type":"function","function":{name, description, parameters}}]`.
pub(crate) fn tools(api: &'static str, tools: &[&ToolSpec]) -> Result<Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    out.raw("[");
    for tool in tools {
        out.comma().raw(r#"{"type":"function","function":{"name":"#).string(&tool.name);
        if !tool.description.is_empty() {
            out.raw(r#","description":"#).string(&tool.description);
        }
        out.raw(r#","parameters":"#).value("a tool's schema", &*parameters(api, tool)?)?;
        out.raw("}}");
    }
    out.raw("]");
    Ok(out.into_bytes())
}

/// A function takes named arguments: an object at the root, with its properties told even where there are none.
fn parameters<'a>(api: &'static str, tool: &'a ToolSpec) -> Result<Cow<'a, Value>, EncodeError> {
    let refused = |at: &str, what: &str| EncodeError::Unsupported {
        api,
        what: format!("tool `{}`: at `{at}` its schema {what}", tool.name),
        hint: "describe the arguments as an object with `properties`".to_owned(),
    };
    let Some(schema) = tool.input_schema.as_object() else {
        return Err(refused("", "is no object"));
    };
    match schema.get("type") {
        None => {}
        Some(Value::String(kind)) if kind == "object" => {}
        Some(other) => return Err(refused("/type", &format!("says {other} instead of \"object\""))),
    }
    if schema.contains_key("type") && schema.contains_key("properties") {
        return Ok(Cow::Borrowed(&tool.input_schema));
    }
    let mut whole = schema.clone();
    whole.entry("type").or_insert_with(|| "object".into());
    whole.entry("properties").or_insert_with(|| Map::new().into());
    Ok(Cow::Owned(whole.into()))
}

/// The one tool of that name out of what [`tools`] wrote, for APIs that can force a call but not name the tool.
pub(crate) fn only(tools: &Bytes, name: &str) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Tool<'a> {
        #[serde(borrow)]
        function: Function<'a>,
    }
    #[derive(Deserialize)]
    struct Function<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
    }
    let all: Vec<&RawValue> = serde_json::from_slice(tools).ok()?;
    let one = all.into_iter().find(|tool| {
        serde_json::from_str(tool.get()).is_ok_and(|tool: Tool<'_>| tool.function.name == name)
    })?;
    Some(format!("[{}]", one.get()).into())
}

/// The instructions, with the wanted shape of the answer told in words.
pub(crate) fn told<'a>(instructions: &'a str, output: Option<&OutputSpec>) -> Cow<'a, str> {
    let Some(output) = output else { return instructions.into() };
    let gap = if instructions.trim().is_empty() { "" } else { "\n\n" };
    format!(
        "{instructions}{gap}Give the final answer as one JSON object that fits this JSON Schema, and nothing else:\n{}",
        output.schema
    )
    .into()
}

#[cfg(test)]
mod tests {
    use mosaic_core::ToolSpec;
    use serde_json::{Value, json};

    use super::{only, tools};

    #[test]
    fn a_schema_that_is_no_object_is_refused_with_its_place() {
        let list = ToolSpec::new("add", "", json!({"type": "array"}));
        let error = tools("x", &[&list]).unwrap_err().to_string();
        assert!(error.contains("tool `add`: at `/type`"), "{error}");
        let none = ToolSpec::new("now", "", json!({}));
        let sent: Value = serde_json::from_slice(&tools("x", &[&none]).unwrap()).unwrap();
        assert_eq!(sent[0]["function"]["parameters"], json!({"type": "object", "properties": {}}));
    }

    #[test]
    fn one_tool_is_found_by_its_name() {
        let spec = |name: &str| ToolSpec::new(name, "d", json!({"type": "object", "properties": {}}));
        let (one, other) = (spec("a\"b"), spec("c"));
        let all = tools("x", &[&one, &other]).unwrap();
        let found: Value = serde_json::from_slice(&only(&all, "a\"b").unwrap()).unwrap();
        assert_eq!(found.as_array().unwrap().len(), 1);
        assert_eq!(found[0]["function"]["name"], "a\"b");
        assert!(only(&all, "d").is_none());
    }
}
