//! Checks arguments against a schema.

mod schema;
#[cfg(test)]
mod tests;
mod value;
mod walk;

use std::fmt::Debug;

use serde_json::Value;
use thiserror::Error;

pub(super) use schema::validate_object_schema;

/// Why a value does not fit a schema, in words that a model can act on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{reason}", if path.is_empty() { String::new() } else { format!("at `{path}`: ") })]
pub struct Mismatch {
    /// Where in the value, as a JSON pointer; empty for the whole.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// Checks a value against a JSON Schema.
pub trait SchemaCheck: Debug + Send + Sync {
    /// Whether it fits.
    ///
    /// # Errors
    /// The first thing that does not.
    fn check(&self, schema: &Value, value: &Value) -> Result<(), Mismatch>;
}

/// The subset of JSON Schema (2020-12) that tools use.
///
/// | of | keywords |
/// | --- | --- |
/// | anything | `type` (also a list), `enum`, `const`, `nullable`, `anyOf`, `oneOf`, `allOf`, `not`, `if`/`then`/`else`, `$ref` within the schema, `true` and `false` as schemas |
/// | objects | `properties`, `required`, `additionalProperties`, `propertyNames`, `dependentRequired`, `minProperties`, `maxProperties` |
/// | arrays | `items`, `prefixItems`, `contains`, `uniqueItems`, `minItems`, `maxItems` |
/// | strings | `minLength`, `maxLength` |
/// | numbers | `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf` |
///
/// All other keywords are ignored, as the specification has it for unknown ones: `pattern` (no regular expressions here),
/// `format`, `patternProperties` (names outside of `properties` are then free), `unevaluatedProperties`, `$dynamicRef`.
/// A host that needs them plugs in another [`SchemaCheck`].
///
/// ```
/// use mosaic_core::{SchemaCheck, SubsetCheck};
/// use serde_json::json;
///
/// let schema = json!({"type": "object", "properties": {"days": {"type": "integer", "maximum": 14}}});
/// let mismatch = SubsetCheck.check(&schema, &json!({"days": 30})).unwrap_err();
/// assert_eq!(mismatch.to_string(), "at `/days`: 30 is more than the maximum of 14");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SubsetCheck;

impl SchemaCheck for SubsetCheck {
    fn check(&self, schema: &Value, value: &Value) -> Result<(), Mismatch> {
        walk::Walk::new(schema).check(schema, value)
    }
}
