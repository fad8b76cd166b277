//! The part of JSON Schema that Cohere forces an answer into.
//!
//! | a schema that has | is |
//! | --- | --- |
//! | bounds of numbers, texts and lists | sent without them; the library checks them afterwards |
//! | `anyOf`, `allOf`, `oneOf`, `not` | not sent but told in the instructions, with JSON forced |
//! | another root than an object with a required member | the same |
//!
//! Source: <https://docs.cohere.com/docs/structured-outputs#unsupported-schema-features>

use serde_json::{Map, Value};

const BOUNDS: [&str; 10] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
];

const COMPOSITION: [&str; 4] = ["anyOf", "allOf", "oneOf", "not"];

/// The deepest schema that is looked at.
const DEEPEST: usize = 32;

/// The schema as Cohere takes it; `None` where it takes none that says the same.
pub(super) fn dialect(schema: &Value) -> Option<Value> {
    let required = schema.get("required").and_then(Value::as_array).is_some_and(|names| !names.is_empty());
    let object = schema.get("type").and_then(Value::as_str) == Some("object");
    if required && object { convert(schema, 0) } else { None }
}

fn convert(schema: &Value, depth: usize) -> Option<Value> {
    let Value::Object(members) = schema else { return Some(schema.clone()) };
    if depth > DEEPEST || COMPOSITION.iter().any(|name| members.contains_key(*name)) {
        return None;
    }
    let mut out = Map::new();
    for (name, value) in members.iter().filter(|(name, _)| !BOUNDS.contains(&name.as_str())) {
        let value = match (name.as_str(), value) {
            // Names of the host's own stand here, not of the schema language.
            ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                let mut all = Map::new();
                for (name, schema) in named {
                    all.insert(name.clone(), convert(schema, depth + 1)?);
                }
                all.into()
            }
            ("items" | "additionalProperties", Value::Object(_)) => convert(value, depth + 1)?,
            _ => value.clone(),
        };
        out.insert(name.clone(), value);
    }
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::dialect;

    #[test]
    fn bounds_are_left_out_but_not_properties_of_those_names() {
        let schema = json!({"type": "object", "required": ["minimum"], "properties": {
            "minimum": {"type": "integer", "minimum": 1},
            "list": {"type": "array", "minItems": 1, "items": {"type": "string", "maxLength": 3}}}});
        let sent = json!({"type": "object", "required": ["minimum"], "properties": {
            "minimum": {"type": "integer"}, "list": {"type": "array", "items": {"type": "string"}}}});
        assert_eq!(dialect(&schema), Some(sent));
    }

    #[test]
    fn what_cohere_does_not_know_has_no_form() {
        let of = |member: serde_json::Value| {
            dialect(&json!({"type": "object", "required": ["a"], "properties": {"a": member}}))
        };
        assert!(of(json!({"type": "string"})).is_some());
        assert!(of(json!({"anyOf": [{"type": "string"}, {"type": "null"}]})).is_none());
        assert!(dialect(&json!({"type": "object", "properties": {"a": {}}})).is_none());
        assert!(dialect(&json!({"type": "array", "items": {}})).is_none());
    }
}
