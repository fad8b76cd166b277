//! The roots of schemas, where providers have rules of their own.
//!
//! A tool takes named arguments, so its schema is of an object. What only lacks a word is completed; what says something else
//! is refused with the place in the schema, because a provider would answer with a 400 that names neither the tool nor the
//! way out.
//!
//! | rule | of |
//! | --- | --- |
//! | an object | all |
//! | `properties` told, even where there are none | OpenAI and those who took its form over |
//! | no choice (`anyOf` and the like) at the root | OpenAI, Anthropic |
//! | names of properties of letters, digits, `_`, `.` and `-`, up to 64 | Anthropic |
//!
//! The last one in the service's words: "Property keys should match pattern"
//! (<https://github.com/anthropics/claude-code/issues/79418>). One such name in a list of tools, and every request is refused.

use std::borrow::Cow;

use mosaic_core::{EncodeError, OutputSpec, ToolSpec};
use serde_json::{Map, Value};

/// What OpenAI takes at no root, neither of a tool nor of an answer.
pub(crate) const CHOICES: &[&str] = &["anyOf", "oneOf", "allOf", "enum", "not"];

/// What a root must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Root {
    pub(crate) api: &'static str,
    /// What may not stand there.
    pub(crate) refused: &'static [&'static str],
    /// Whether it must say that it is of an object; without, any schema is taken.
    pub(crate) object: bool,
    /// Whether it must have `properties`.
    pub(crate) properties: bool,
    /// Whether the names of those are of certain characters only.
    pub(crate) plain_names: bool,
}

impl Root {
    /// Of an object with its properties, and nothing else.
    pub(crate) fn object(api: &'static str) -> Self {
        Self { api, refused: &[], object: true, properties: true, plain_names: false }
    }

    /// The schema of a tool as it is sent.
    pub(crate) fn of_tool(self, tool: &ToolSpec) -> Result<Cow<'_, Value>, EncodeError> {
        let what = || format!("the schema of tool `{}`", tool.name);
        let empty = Map::new();
        let members = match &tool.input_schema {
            Value::Object(members) => members,
            // "Anything": a tool whose parameters nobody thought about.
            Value::Bool(true) | Value::Null => &empty,
            other => return Err(self.error(&what(), "", &format!("`{other}`"))),
        };
        self.check(members, what)?;
        self.names(members, what)?;
        let lacks = |name: &str| !members.contains_key(name);
        if members.is_empty() || lacks("type") || (self.properties && lacks("properties")) {
            let mut whole = members.clone();
            whole.entry("type").or_insert_with(|| "object".into());
            if self.properties {
                whole.entry("properties").or_insert_with(|| Map::new().into());
            }
            return Ok(Cow::Owned(whole.into()));
        }
        Ok(Cow::Borrowed(&tool.input_schema))
    }

    /// Whether an answer can be forced into that schema.
    pub(crate) fn of_answer(self, output: &OutputSpec) -> Result<(), EncodeError> {
        match &output.schema {
            Value::Object(members) => {
                self.check(members, || format!("the schema of the answer `{}`", output.name))
            }
            _ => Ok(()),
        }
    }

    fn check(self, members: &Map<String, Value>, what: impl Fn() -> String) -> Result<(), EncodeError> {
        if let Some(name) = self.refused.iter().find(|name| members.contains_key(**name)) {
            return Err(self.error(&what(), &format!("/{name}"), &format!("`{name}`")));
        }
        match members.get("type").filter(|kind| self.object && **kind != "object") {
            Some(kind) => Err(self.error(&what(), "/type", &format!("`{kind}`"))),
            None => Ok(()),
        }
    }

    fn names(self, members: &Map<String, Value>, what: impl Fn() -> String) -> Result<(), EncodeError> {
        let plain = |name: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            (1..=64).contains(&name.len()) && name.bytes().all(fits)
        };
        let properties = members.get("properties").and_then(Value::as_object).filter(|_| self.plain_names);
        match properties.and_then(|properties| properties.keys().find(|name| !plain(name))) {
            None => Ok(()),
            Some(name) => Err(EncodeError::Unsupported {
                api: self.api,
                what: format!("{}, which has a property `{name}` at `/properties`", what()),
                hint: "name it with 1 to 64 letters, digits, `_`, `.` or `-`".to_owned(),
            }),
        }
    }

    fn error(self, what: &str, place: &str, says: &str) -> EncodeError {
        EncodeError::Unsupported {
            api: self.api,
            what: format!("{what}, which says {says} at `{place}`"),
            hint: "make it an object, and move a choice into one of its properties".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use mosaic_core::{OutputSpec, ToolSpec};
    use serde_json::{Value, json};

    use super::{CHOICES, Root};

    const OBJECT: Root =
        Root { api: "x", refused: CHOICES, object: true, properties: true, plain_names: true };

    fn of(root: Root, schema: Value) -> Result<Value, String> {
        let tool = ToolSpec::new("add", "", schema);
        root.of_tool(&tool).map(|schema| schema.into_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_only_lacks_a_word_is_completed() {
        let empty = json!({"type": "object", "properties": {}});
        for schema in
            [json!({}), json!(true), json!(null), json!({"type": "object"}), json!({"properties": {}})]
        {
            assert_eq!(of(OBJECT, schema), Ok(empty.clone()));
        }
        let plain = Root { properties: false, ..OBJECT };
        assert_eq!(of(plain, json!({})), Ok(json!({"type": "object"})));
        assert_eq!(of(plain, json!({"type": "object"})), Ok(json!({"type": "object"})));
    }

    #[test]
    fn what_says_something_else_is_refused_with_its_place() {
        for (schema, says) in [
            (json!({"type": "array"}), r#"the schema of tool `add`, which says `"array"` at `/type`"#),
            (json!({"type": "object", "anyOf": []}), "which says `anyOf` at `/anyOf`"),
            (json!(7), "which says `7` at ``"),
            (json!({"properties": {"a.b-c_1": {}, "$top": {}}}), "tool `add`, which has a property `$top`"),
        ] {
            let error = of(OBJECT, schema).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let output = OutputSpec { name: "plan".to_owned(), schema: json!({"type": "array"}) };
        let error = OBJECT.of_answer(&output).unwrap_err().to_string();
        assert!(
            error.contains("the schema of the answer `plan`, which says `\"array\"` at `/type`"),
            "{error}"
        );
    }

    #[test]
    fn a_server_without_rules_takes_any_schema() {
        let any = Root { refused: &[], object: false, ..OBJECT };
        let any = Root { plain_names: false, ..any };
        let schema = json!({"type": "array", "anyOf": [], "properties": {"$top": {}}});
        assert_eq!(of(any, schema.clone()), Ok(schema));
    }
}
