//! Checks that a schema is one, when the agent is built rather than when the provider refuses it.

use serde_json::{Map, Value};

use super::value::TYPES;
use super::walk::{escaped, resolve};

const DEPTH: usize = 128;

/// Where in the schema, as a JSON pointer, and what is wrong there.
type Flaw = (String, String);

/// Checks that a schema is the schema of an object: what every provider wants of a tool's input.
pub(in crate::tool) fn validate_object_schema(schema: &Value) -> Result<(), Flaw> {
    let Value::Object(members) = schema else {
        return Err((String::new(), "it is not a JSON object".into()));
    };
    match members.get("type") {
        Some(Value::String(name)) if name == "object" => {}
        Some(_) => return Err(("/type".into(), "the `type` must be `object`".into())),
        None => return Err((String::new(), "it has no `type`; write `\"type\": \"object\"`".into())),
    }
    Check { root: schema, path: String::new(), depth: 0 }.schema(schema)
}

struct Check<'a> {
    root: &'a Value,
    path: String,
    depth: usize,
}

impl Check<'_> {
    fn schema(&mut self, schema: &Value) -> Result<(), Flaw> {
        let members = match schema {
            Value::Object(members) => members,
            Value::Bool(_) => return Ok(()),
            _ => return self.flaw("a schema is an object, `true` or `false`"),
        };
        if self.depth > DEPTH {
            return self.flaw("it is nested too deeply");
        }
        self.depth += 1;
        for (keyword, value) in members {
            self.at(keyword, |check| check.keyword(keyword, value))?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn keyword(&mut self, keyword: &str, value: &Value) -> Result<(), Flaw> {
        match keyword {
            "type" => self.types(value),
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                self.schemas_by_name(value)
            }
            "additionalProperties"
            | "propertyNames"
            | "contains"
            | "additionalItems"
            | "not"
            | "if"
            | "then"
            | "else" => self.schema(value),
            "items" => match value {
                Value::Array(_) => self.schemas(value, 0),
                _ => self.schema(value),
            },
            "prefixItems" | "anyOf" | "oneOf" | "allOf" => self.schemas(value, 1),
            "required" => self.names(value),
            "enum" => match value {
                Value::Array(_) => Ok(()),
                _ => self.flaw("it must be a list of values"),
            },
            "minimum" | "maximum" | "multipleOf" => match value {
                Value::Number(_) => Ok(()),
                _ => self.flaw("it must be a number"),
            },
            // Before draft 6 these were flags beside `minimum` and `maximum`.
            "exclusiveMinimum" | "exclusiveMaximum" => match value {
                Value::Number(_) | Value::Bool(_) => Ok(()),
                _ => self.flaw("it must be a number"),
            },
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
                match value.as_f64() {
                    Some(size) if size >= 0.0 && size.fract() == 0.0 => Ok(()),
                    _ => self.flaw("it must be a whole number, 0 or more"),
                }
            }
            "$ref" => match value.as_str() {
                Some(to) if to.starts_with('#') && resolve(self.root, to).is_some() => Ok(()),
                Some(to) if to.starts_with('#') => self.flaw(format!("`{to}` is nowhere in the schema")),
                Some(to) => self.flaw(format!("`{to}` lies outside of the schema; put it under `$defs`")),
                None => self.flaw("it must be a text"),
            },
            _ => Ok(()),
        }
    }

    fn types(&mut self, value: &Value) -> Result<(), Flaw> {
        let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
        match value {
            Value::String(_) if known(value) => Ok(()),
            Value::Array(names) if !names.is_empty() && names.iter().all(known) => Ok(()),
            _ => self.flaw(format!("{value} is no type; the types are {}", TYPES.join(", "))),
        }
    }

    fn names(&mut self, value: &Value) -> Result<(), Flaw> {
        match value {
            Value::Array(names) if names.iter().all(Value::is_string) => Ok(()),
            _ => self.flaw("it must be a list of names"),
        }
    }

    fn schemas_by_name(&mut self, value: &Value) -> Result<(), Flaw> {
        let Value::Object(schemas) = value else {
            return self.flaw("it must be an object of schemas");
        };
        self.each(schemas)
    }

    fn each(&mut self, schemas: &Map<String, Value>) -> Result<(), Flaw> {
        schemas.iter().try_for_each(|(name, schema)| self.at(name, |check| check.schema(schema)))
    }

    fn schemas(&mut self, value: &Value, least: usize) -> Result<(), Flaw> {
        match value {
            Value::Array(schemas) if schemas.len() >= least => schemas
                .iter()
                .enumerate()
                .try_for_each(|(index, schema)| self.at(&index.to_string(), |check| check.schema(schema))),
            Value::Array(_) => self.flaw("it must not be empty"),
            _ => self.flaw("it must be a list of schemas"),
        }
    }

    fn at(&mut self, step: &str, check: impl FnOnce(&mut Self) -> Result<(), Flaw>) -> Result<(), Flaw> {
        let here = self.path.len();
        self.path.push('/');
        self.path.push_str(&escaped(step));
        let checked = check(self);
        self.path.truncate(here);
        checked
    }

    fn flaw(&self, reason: impl Into<String>) -> Result<(), Flaw> {
        Err((self.path.clone(), reason.into()))
    }
}
