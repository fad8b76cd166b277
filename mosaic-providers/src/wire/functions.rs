//! Tools as functions, in the form that OpenAI invented and Cohere and Ollama took over; and schemas told in words.

use std::borrow::Cow;

use bytes::Bytes;
use mosaic_core::{EncodeError, OutputSpec, ToolSpec};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::schema::Root;
use super::write::Writer;

/// `[{"type":"function","function":{name, description, parameters}}]`.
pub(crate) fn tools(root: Root, tools: &[&ToolSpec]) -> Result<Bytes, EncodeError> {
    let mut out = Writer::with_capacity(256);
    out.raw("[");
    for tool in tools {
        out.comma().raw(r#"{"type":"function","function":{"name":"#).string(&tool.name);
        if !tool.description.is_empty() {
            out.raw(r#","description":"#).string(&tool.description);
        }
        out.raw(r#","parameters":"#).value("a tool's schema", &*root.of_tool(tool)?)?;
        out.raw("}}");
    }
    out.raw("]");
    Ok(out.into_bytes())
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

    use super::{Root, only, tools};

    #[test]
    fn one_tool_is_found_by_its_name() {
        let spec = |name: &str| ToolSpec::new(name, "d", json!({"type": "object", "properties": {}}));
        let (one, other) = (spec("a\"b"), spec("c"));
        let all = tools(Root::object("x"), &[&one, &other]).unwrap();
        let found: Value = serde_json::from_slice(&only(&all, "a\"b").unwrap()).unwrap();
        assert_eq!(found.as_array().unwrap().len(), 1);
        assert_eq!(found[0]["function"]["name"], "a\"b");
        assert!(only(&all, "d").is_none());
    }
}
