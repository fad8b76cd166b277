//! Tool schemas in the API's dialect.
//!
//! Parameters must be an object, and no choice may stand at the root. What only lacks a word is completed; what says
//! something else is refused with the place in the schema, because a provider would answer with a 400 that names neither
//! the tool nor the way out.
//!
//! Source: <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>

use std::borrow::Cow;

use mosaic_core::{EncodeError, ToolSpec};
use serde_json::{Map, Value};

use super::quirks::Schemas;

/// What may not stand at the root.
const CHOICES: [&str; 5] = ["anyOf", "oneOf", "allOf", "enum", "not"];

/// The schema as it is sent.
pub(super) fn parameters(tool: &ToolSpec, schemas: Schemas) -> Result<Cow<'_, Value>, EncodeError> {
    let refused = |pointer: &str, says: &str| EncodeError::Unsupported {
        api: super::API,
        what: format!("the schema of tool `{}`, which says {says} at `{pointer}`", tool.name),
        hint: "make it an object, and move a choice into one of its properties".to_owned(),
    };
    let empty = Map::new();
    let members = match &tool.input_schema {
        Value::Object(members) => members,
        // "Anything": a tool whose parameters nobody thought about.
        Value::Bool(true) | Value::Null => &empty,
        other => return Err(refused("", &format!("`{other}`"))),
    };
    if schemas == Schemas::Objects {
        if let Some(choice) = CHOICES.iter().find(|name| members.contains_key(**name)) {
            return Err(refused(&format!("/{choice}"), &format!("`{choice}`")));
        }
        if let Some(kind) = members.get("type").filter(|kind| *kind != "object") {
            return Err(refused("/type", &format!("`{kind}`")));
        }
    }
    // "object schema missing properties": a tool without parameters in its shortest form.
    if members.contains_key("properties") && members.contains_key("type") {
        return Ok(Cow::Borrowed(&tool.input_schema));
    }
    let mut whole = members.clone();
    whole.entry("type").or_insert_with(|| "object".into());
    whole.entry("properties").or_insert_with(|| Map::new().into());
    Ok(Cow::Owned(whole.into()))
}
