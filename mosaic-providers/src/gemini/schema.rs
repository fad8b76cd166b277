//! A JSON Schema in one of the API's dialects. [`Quirks::schemas`](super::Quirks::schemas) tells what is done; `dialect`
//! has the keywords as a table.
//!
//! ```text
//! {"$ref": "#/$defs/Unit", "description": "d"}   with   {"enum": ["C", "F"], "$comment": "x"}
//!     -> {"description": "d", "enum": ["C", "F"], "type": "string"}
//! {"type": "integer", "exclusiveMinimum": 0}
//!     -> {"type": "integer", "description": "(exclusiveMinimum: 0)"}
//! ```
//! A request is refused as a whole for one keyword in one tool, so nothing that the API does not document is sent.

mod dialect;
mod join;
#[cfg(test)]
mod tests;

use mosaic_core::EncodeError;
use serde_json::{Map, Value, json};

use self::dialect::{FORMATS, Fate, fate, goes_with};
use self::join::join;
use super::message::unsupported;
use super::quirks::Schemas;

/// Deeper schemas are refused by the API too.
const DEPTH: usize = 32;

/// References that name references that name references grow without bound when they are written out.
const NODES: usize = 10_000;

/// The schema, or an error that names `what` it belongs to and the place in it.
pub(super) fn convert(schema: &Value, dialect: Schemas, what: &str) -> Result<Value, EncodeError> {
    let mut walk =
        Walk { root: schema, dialect, what, path: String::new(), refs: Vec::new(), depth: 0, nodes: 0 };
    walk.schema(schema).map(Value::Object)
}

type Members = Map<String, Value>;

struct Walk<'a> {
    root: &'a Value,
    dialect: Schemas,
    what: &'a str,
    path: String,
    /// The references that are being written out.
    refs: Vec<&'a str>,
    depth: usize,
    nodes: usize,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value) -> Result<Members, EncodeError> {
        self.nodes += 1;
        if self.depth > DEPTH || self.nodes > NODES {
            return Err(self.refused("it is too deep or too large", "say it with fewer levels"));
        }
        let members = match schema {
            Value::Object(members) => members,
            Value::Bool(true) => return Ok(Map::new()),
            Value::Bool(false) => return Err(self.refused("nothing fits `false`", "leave that member out")),
            _ => return Err(self.refused("it is no schema", "write an object")),
        };
        self.depth += 1;
        let mut out = Map::new();
        let mut notes = Vec::new();
        for (keyword, value) in members {
            self.keyword(keyword, value, members, &mut out, &mut notes)?;
        }
        self.depth -= 1;
        self.parts(members, &mut out)?;
        self.finish(members, out, notes)
    }

    /// One keyword of a schema, those that join other schemas into it apart.
    fn keyword(
        &mut self,
        keyword: &'a str,
        value: &'a Value,
        members: &'a Members,
        out: &mut Members,
        notes: &mut Vec<String>,
    ) -> Result<(), EncodeError> {
        let openapi = self.dialect == Schemas::OpenApi;
        match (keyword, value) {
            ("properties", Value::Object(properties)) => {
                let mut all = Map::new();
                for (name, schema) in properties {
                    let schema = self.below(&["properties", name], |walk| walk.schema(schema))?;
                    all.insert(name.clone(), schema.into());
                }
                out.insert("properties".to_owned(), all.into());
            }
            ("items", Value::Array(_)) | ("prefixItems", Value::Array(_)) => {
                let items = self.list(keyword, value)?;
                if openapi {
                    notes.push(format!("{keyword}: {value}"));
                    out.entry("items").or_insert(json!({ "anyOf": items }));
                } else {
                    out.insert("prefixItems".to_owned(), items.into());
                }
            }
            // Beside a tuple it says what follows, and that is told above.
            ("items", _) if openapi && members.contains_key("prefixItems") => {}
            ("items", _) => {
                let items = self.below(&["items"], |walk| walk.schema(value))?;
                out.insert("items".to_owned(), items.into());
            }
            ("additionalProperties", Value::Object(_)) if openapi => {
                notes.push(format!("{keyword}: {value}"));
            }
            ("additionalProperties", _) if openapi => {}
            ("additionalProperties", Value::Bool(_)) => {
                out.insert(keyword.to_owned(), value.clone());
            }
            ("additionalProperties", _) => {
                let others = self.below(&["additionalProperties"], |walk| walk.schema(value))?;
                out.insert(keyword.to_owned(), others.into());
            }
            ("anyOf", Value::Array(_)) | ("oneOf", Value::Array(_)) => {
                let branches = self.list(keyword, value)?;
                match out.get("anyOf") {
                    // Both at once: two conditions, and there is room for one.
                    Some(_) => notes.push(format!("{keyword}: {value}")),
                    None => {
                        out.insert("anyOf".to_owned(), branches.into());
                    }
                }
            }
            ("format", Value::String(format)) => {
                if openapi && !FORMATS.contains(&format.as_str()) {
                    notes.push(format!("format: {format}"));
                } else {
                    out.insert(keyword.to_owned(), value.clone());
                }
            }
            ("enum", Value::Array(values)) => self.values(values, out, notes),
            ("const", _) => self.values(std::slice::from_ref(value), out, notes),
            ("nullable", Value::Bool(true)) => {
                out.insert(keyword.to_owned(), true.into());
            }
            ("type" | "description", _) => {}
            // Defaults that say "nothing" are in every second schema, and say nothing.
            ("default", Value::Null) | ("uniqueItems", Value::Bool(false)) => {}
            _ => match fate(keyword, self.dialect) {
                Fate::Keep => {
                    out.insert(keyword.to_owned(), value.clone());
                }
                Fate::Tell => notes.push(format!("{keyword}: {value}")),
                Fate::Leave => {}
            },
        }
        Ok(())
    }

    /// A list of schemas.
    fn list(&mut self, keyword: &'a str, value: &'a Value) -> Result<Vec<Value>, EncodeError> {
        let mut all = Vec::new();
        for (at, schema) in value.as_array().into_iter().flatten().enumerate() {
            let schema = self.below(&[keyword, &at.to_string()], |walk| walk.schema(schema))?;
            all.push(schema.into());
        }
        Ok(all)
    }

    /// The allowed values. Texts are an `enum` everywhere; numbers in JSON Schema only; others are told.
    fn values(&self, values: &[Value], out: &mut Members, notes: &mut Vec<String>) {
        let some = || values.iter().filter(|value| !value.is_null());
        if some().count() < values.len() {
            out.insert("nullable".to_owned(), true.into());
        }
        let texts = some().all(Value::is_string);
        let numbers = self.dialect == Schemas::JsonSchema
            && (some().all(Value::is_u64) || some().all(Value::is_i64) || some().all(Value::is_f64));
        if some().next().is_none() {
            out.insert("type".to_owned(), "null".into());
        } else if texts || numbers {
            out.insert("enum".to_owned(), some().cloned().collect());
            let kind = match some().next() {
                Some(Value::String(_)) => "string",
                Some(number) if number.is_f64() => "number",
                _ => "integer",
            };
            out.insert("type".to_owned(), kind.into());
        } else {
            let all: Vec<String> = some().map(Value::to_string).collect();
            notes.push(format!("one of: {}", all.join(", ")));
        }
    }

    /// What a schema is joined of: a reference, and the parts of `allOf`.
    fn parts(&mut self, members: &'a Members, out: &mut Members) -> Result<(), EncodeError> {
        if let Some(to) = members.get("$ref").and_then(Value::as_str) {
            let target = self.reference(to)?;
            self.add(target, out)?;
        }
        let all = members.get("allOf").and_then(Value::as_array);
        for (at, schema) in all.into_iter().flatten().enumerate() {
            let part = self.below(&["allOf", &at.to_string()], |walk| walk.schema(schema))?;
            self.below(&["allOf", &at.to_string()], |walk| walk.add(part, out))?;
        }
        Ok(())
    }

    fn add(&self, part: Members, out: &mut Members) -> Result<(), EncodeError> {
        join(part, out).map_err(|keyword| {
            self.refused(
                &format!("its parts disagree about `{keyword}`"),
                "say it without `allOf` or beside no `$ref`",
            )
        })
    }

    fn reference(&mut self, to: &'a str) -> Result<Members, EncodeError> {
        if self.refs.contains(&to) || to == "#" {
            return Err(self.refused(
                &format!("`{to}` refers to itself"),
                "write the levels out that are needed, or take the inner value as text",
            ));
        }
        let target = to.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target else {
            return Err(self.refused(&format!("`{to}` is nowhere in the schema"), "put it under `$defs`"));
        };
        self.refs.push(to);
        let place = std::mem::replace(&mut self.path, to.trim_start_matches('#').to_owned());
        self.depth += 1;
        let schema = self.schema(target);
        self.depth -= 1;
        self.path = place;
        self.refs.pop();
        schema
    }

    /// Type, null and description, when everything else is there.
    fn finish(
        &self,
        members: &Members,
        mut out: Members,
        mut notes: Vec<String>,
    ) -> Result<Members, EncodeError> {
        let openapi = self.dialect == Schemas::OpenApi;
        let named: Vec<&str> = match members.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut nullable = named.len() > 1 && named.contains(&"null");
        let kinds: Vec<&str> = named.iter().copied().filter(|name| !nullable || *name != "null").collect();
        match kinds.as_slice() {
            [] => {}
            [one] => {
                out.insert("type".to_owned(), (*one).into());
            }
            // The values tell their types, and branches do.
            _ if out.contains_key("enum") || out.contains_key("anyOf") => {}
            several => {
                let branches: Vec<Value> = several.iter().map(|kind| branch(kind, &out)).collect();
                out.retain(|keyword, _| !several.iter().any(|kind| goes_with(keyword, kind)));
                out.insert("anyOf".to_owned(), branches.into());
            }
        }
        if openapi {
            nullable |= without_null(&mut out);
        }
        infer(&mut out);
        let holds = out.contains_key("properties") || out.contains_key("items");
        if openapi && holds && out.remove("anyOf").is_some() {
            // "any_of must be the only field set": what an object holds says more than which of it belongs together.
            notes.extend(
                ["anyOf", "oneOf"]
                    .iter()
                    .filter_map(|name| members.get(*name).map(|value| format!("{name}: {value}"))),
            );
        } else if openapi && out.contains_key("anyOf") {
            out.retain(|keyword, _| {
                matches!(keyword.as_str(), "anyOf" | "description" | "title" | "nullable")
            });
        }
        if !openapi {
            nullable |= out.remove("nullable").is_some();
        }
        match out.get("type").cloned() {
            _ if !nullable => {}
            _ if openapi => {
                out.insert("nullable".to_owned(), true.into());
            }
            Some(kind) if kind.is_string() => {
                out.insert("type".to_owned(), json!([kind, "null"]));
            }
            _ => {
                if let Some(Value::Array(branches)) = out.get_mut("anyOf") {
                    branches.push(json!({ "type": "null" }));
                }
            }
        }
        if openapi && out.get("type") == Some(&"array".into()) && !out.contains_key("items") {
            return Err(self.refused("an array without `items`", "say what is in the list"));
        }
        describe(members, &notes, &mut out);
        Ok(out)
    }

    fn below<T>(
        &mut self,
        steps: &[&str],
        then: impl FnOnce(&mut Self) -> Result<T, EncodeError>,
    ) -> Result<T, EncodeError> {
        let here = self.path.len();
        for step in steps {
            self.path.push('/');
            self.path.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        let done = then(self)?;
        self.path.truncate(here);
        Ok(done)
    }

    fn refused(&self, why: &str, hint: &str) -> EncodeError {
        let place = if self.path.is_empty() { "/" } else { &self.path };
        unsupported(format!("{} at `{place}` ({why})", self.what), hint)
    }
}

/// One type of several, with the keywords that go with it.
fn branch(kind: &str, members: &Members) -> Value {
    let mut out: Members = members
        .iter()
        .filter(|(keyword, _)| goes_with(keyword, kind))
        .map(|(keyword, value)| (keyword.clone(), value.clone()))
        .collect();
    out.insert("type".to_owned(), kind.into());
    out.into()
}

/// Takes the branch out that is null; whether there was one. A single other branch is the schema itself then.
fn without_null(out: &mut Members) -> bool {
    let null = json!("null");
    let Some(Value::Array(branches)) = out.get_mut("anyOf") else { return false };
    let before = branches.len();
    branches.retain(|branch| branch.get("type") != Some(&null));
    let had = branches.len() < before;
    if let [Value::Object(only)] = branches.as_slice() {
        let (only, mut joined) = (only.clone(), out.clone());
        joined.remove("anyOf");
        // Where they disagree, one branch is as good as two.
        if join(only, &mut joined).is_ok() {
            *out = joined;
        }
    }
    had
}

/// A schema without a type that tells it otherwise.
fn infer(out: &mut Members) {
    if out.contains_key("type") || out.contains_key("anyOf") {
        return;
    }
    let kind = if out.contains_key("properties") {
        "object"
    } else if out.contains_key("items") || out.contains_key("prefixItems") {
        "array"
    } else {
        return;
    };
    out.insert("type".to_owned(), kind.into());
}

fn describe(members: &Members, notes: &[String], out: &mut Members) {
    let own = members.get("description").and_then(Value::as_str);
    // A reference's own description counts less than the one beside it.
    let joined = out.get("description").and_then(Value::as_str);
    let text = own.or(joined).unwrap_or_default().trim_end();
    let text = match (text, notes) {
        ("", []) => return,
        (text, []) => text.to_owned(),
        ("", notes) => format!("({})", notes.join("; ")),
        (text, notes) => format!("{text} ({})", notes.join("; ")),
    };
    out.insert("description".to_owned(), text.into());
}
