//! The dialect of structured outputs.
//!
//! | a schema's | becomes |
//! | --- | --- |
//! | objects | closed; refused where other names than those of `properties` are asked for |
//! | bounds, `not`, `if`, patterns with a look around, formats that the API does not know | left out: the library checks the answer against the whole schema |
//! | `oneOf` | `anyOf` |
//! | `prefixItems`, `patternProperties` | refused |
//! | `$ref` to itself, out of the schema, or inside of `allOf` | refused |
//!
//! *Refused* is an error that names the schema and the place: the API's own is a 400 without either.
//!
//! Source: <https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations>

use mosaic_core::{EncodeError, OutputSpec};
use serde_json::{Map, Value};

/// Keywords that the API refuses and that only narrow what fits, or say nothing about it.
const LEFT_OUT: [&str; 24] = [
    "$comment",
    "$id",
    "$schema",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "then",
    "uniqueItems",
];

const FORMATS: [&str; 10] =
    ["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"];

/// Deeper than any schema that the API takes.
const DEEPEST: usize = 64;

/// The schema of an answer as the API takes it.
pub(crate) fn closed(output: &OutputSpec, api: &'static str) -> Result<Value, EncodeError> {
    let root = &output.schema;
    let mut walk = Walk {
        api,
        name: &output.name,
        root,
        place: String::new(),
        depth: 0,
        inside: Vec::new(),
        seen: Vec::new(),
    };
    walk.schema(root, false)
}

struct Walk<'a> {
    api: &'static str,
    name: &'a str,
    root: &'a Value,
    /// Where the walk is, as a JSON pointer.
    place: String,
    depth: usize,
    /// The references that the walk went through to where it is, and those that lead to no ring.
    inside: Vec<&'a str>,
    seen: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, in_all_of: bool) -> Result<Value, EncodeError> {
        let Value::Object(members) = schema else { return Ok(schema.clone()) };
        if self.depth > DEEPEST {
            return Err(self.refused("", "is nested too deep", "write it flatter"));
        }
        let mut out = Map::new();
        for (name, value) in members.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())) {
            let kept = match (name.as_str(), value) {
                ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                    let mut all = Map::new();
                    for (inner, schema) in named {
                        let written = self.below(&[name, inner], |walk| walk.schema(schema, false))?;
                        all.insert(inner.clone(), written);
                    }
                    all.into()
                }
                ("items", Value::Object(_)) => self.below(&[name], |walk| walk.schema(value, false))?,
                ("anyOf" | "oneOf" | "allOf", Value::Array(schemas)) => {
                    let of_all = name == "allOf";
                    let mut all = Vec::with_capacity(schemas.len());
                    for (at, schema) in schemas.iter().enumerate() {
                        all.push(self.below(&[name, &at.to_string()], |walk| walk.schema(schema, of_all))?);
                    }
                    out.insert(if of_all { "allOf" } else { "anyOf" }.to_owned(), all.into());
                    continue;
                }
                ("additionalProperties", Value::Bool(false)) => continue,
                ("additionalProperties", _) => {
                    let hint = "name its properties, or take a list of names and values";
                    return Err(self.refused("/additionalProperties", "has names of any kind", hint));
                }
                ("patternProperties" | "prefixItems", _) => {
                    let says = format!("says `{name}`");
                    let hint = "name the properties of an object, and give a list items of one kind";
                    return Err(self.refused(&format!("/{name}"), &says, hint));
                }
                ("$ref", Value::String(to)) => {
                    self.reference(to, in_all_of)?;
                    value.clone()
                }
                ("minItems", _) if value.as_u64().is_none_or(|least| least > 1) => continue,
                ("format", Value::String(format)) if !FORMATS.contains(&format.as_str()) => continue,
                ("pattern", Value::String(pattern)) if beyond(pattern) => continue,
                _ => value.clone(),
            };
            out.insert(name.clone(), kept);
        }
        if is_object(&out) {
            out.insert("additionalProperties".to_owned(), false.into());
        }
        Ok(out.into())
    }

    /// Goes through a reference, to see that it leads out again.
    fn reference(&mut self, to: &'a str, in_all_of: bool) -> Result<(), EncodeError> {
        let says = format!("refers to `{to}`");
        if in_all_of {
            return Err(self.refused("/$ref", &format!("{says} inside of `allOf`"), "write it out there"));
        }
        let Some(target) = to.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) else {
            return Err(self.refused("/$ref", &says, "put what it refers to under `$defs`"));
        };
        if to == "#" || self.inside.contains(&to) {
            let hint = "write the levels out that are needed, or take the inner value as text";
            return Err(self.refused("/$ref", &format!("{says}, which leads back to itself"), hint));
        }
        if !self.seen.contains(&to) {
            self.inside.push(to);
            self.below(&[], |walk| walk.schema(target, false))?;
            self.inside.pop();
            self.seen.push(to);
        }
        Ok(())
    }

    fn below<T>(
        &mut self,
        steps: &[&str],
        then: impl FnOnce(&mut Self) -> Result<T, EncodeError>,
    ) -> Result<T, EncodeError> {
        let here = self.place.len();
        for step in steps {
            self.place.push('/');
            self.place.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        self.depth += 1;
        let done = then(self)?;
        self.depth -= 1;
        self.place.truncate(here);
        Ok(done)
    }

    fn refused(&self, member: &str, says: &str, hint: &str) -> EncodeError {
        EncodeError::Unsupported {
            api: self.api,
            what: format!(
                "the schema of the answer `{}`, which {says} at `{}{member}`",
                self.name, self.place
            ),
            hint: format!("{hint}, or ask for the answer through a tool (output mode `tool`)"),
        }
    }
}

fn is_object(members: &Map<String, Value>) -> bool {
    let named = match members.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => false,
    };
    named || members.contains_key("properties")
}

/// Whether a pattern has what the API does not read: a look around, a reference back, a word's edge.
fn beyond(pattern: &str) -> bool {
    ["(?=", "(?!", "(?<", "\\b", "\\B"].iter().any(|part| pattern.contains(part))
        || pattern.as_bytes().windows(2).any(|pair| matches!(pair, [b'\\', b'1'..=b'9']))
}

#[cfg(test)]
mod tests {
    use mosaic_core::OutputSpec;
    use serde_json::{Value, json};

    use super::closed;

    fn of(schema: Value) -> Result<Value, String> {
        closed(&OutputSpec { name: "plan".to_owned(), schema }, "x").map_err(|error| error.to_string())
    }

    fn member(schema: Value) -> Result<Value, String> {
        of(json!({"type": "object", "properties": {"a/b": schema}}))
            .map(|sent| sent["properties"]["a/b"].clone())
    }

    #[test]
    fn objects_are_closed_and_what_only_narrows_is_left_out() {
        let schema = json!({"$schema": "x", "type": ["object", "null"], "required": ["minimum"], "properties": {
            "minimum": {"type": "integer", "minimum": 3, "description": "d"},
            "list": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"properties": {}}},
            "some": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "uri"}},
            "text": {"type": "string", "pattern": "^a(?=b)", "format": "color", "not": {"const": "c"}},
            "kind": {"enum": [{"minimum": 1}]},
            "one": {"oneOf": [{"const": 1}, {"type": "null"}]},
        }});
        let sent = json!({"type": ["object", "null"], "required": ["minimum"], "additionalProperties": false,
            "properties": {
                // A property of that name is no bound.
                "minimum": {"type": "integer", "description": "d"},
                "list": {"type": "array", "items": {"properties": {}, "additionalProperties": false}},
                "some": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "uri"}},
                "text": {"type": "string"},
                "kind": {"enum": [{"minimum": 1}]},
                "one": {"anyOf": [{"const": 1}, {"type": "null"}]},
        }});
        assert_eq!(of(schema), Ok(sent));
    }

    #[test]
    fn what_the_api_cannot_take_is_refused_by_name_and_place() {
        let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
        for (schema, says) in [
            (map, "has names of any kind at `/properties/a~1b/additionalProperties`"),
            (json!({"type": "object", "patternProperties": {}}), "at `/properties/a~1b/patternProperties`"),
            (json!({"type": "array", "prefixItems": []}), "at `/properties/a~1b/prefixItems`"),
            (json!({"$ref": "other.json"}), "refers to `other.json` at `/properties/a~1b/$ref`"),
            (json!({"$ref": "#/$defs/none"}), "refers to `#/$defs/none`"),
            (json!({"items": {"$ref": "#"}}), "leads back to itself at `/properties/a~1b/items/$ref`"),
        ] {
            let error = member(schema).unwrap_err();
            assert!(
                error.contains("the schema of the answer `plan`, which") && error.contains(says),
                "{error}"
            );
        }
        let tree = |of: Value| {
            json!({"$ref": "#/$defs/tree", "$defs": {"leaf": {"type": "string"},
                "tree": {"type": "object", "properties": {"left": of, "right": of}}}})
        };
        assert!(
            super::tests::of(tree(json!({"$ref": "#/$defs/tree"}))).unwrap_err().contains("back to itself")
        );
        assert!(
            super::tests::of(tree(json!({"allOf": [{"$ref": "#/$defs/leaf"}]})))
                .unwrap_err()
                .contains("`allOf`")
        );
        assert!(super::tests::of(tree(json!({"$ref": "#/$defs/leaf"}))).is_ok());
    }
}
