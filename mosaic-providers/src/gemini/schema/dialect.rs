//! What each dialect does with a keyword, as a table. What takes more than a fate is in the walk: references, unions,
//! `enum`, `const`, `type`, `format` and what holds schemas.
//!
//! Sources: <https://ai.google.dev/api/generate-content#v1beta.GenerationConfig> (`responseJsonSchema` lists what it
//! takes), <https://ai.google.dev/api/caching#Schema>

use crate::gemini::quirks::Schemas;

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is written as it is.
    Keep,
    /// It narrows what is meant, and is told at the end of the description.
    Tell,
    /// It says nothing to a model, or the walk has seen to it.
    Leave,
}

use Fate::{Keep, Tell};

/// The keyword, its fate as JSON Schema, its fate in the OpenAPI subset. Any other is left out.
const TABLE: &[(&str, Fate, Fate)] = &[
    ("title", Keep, Keep),
    ("required", Keep, Keep),
    ("propertyOrdering", Keep, Keep),
    ("minimum", Keep, Keep),
    ("maximum", Keep, Keep),
    ("minItems", Keep, Keep),
    ("maxItems", Keep, Keep),
    ("minLength", Tell, Keep),
    ("maxLength", Tell, Keep),
    ("pattern", Tell, Keep),
    ("minProperties", Tell, Keep),
    ("maxProperties", Tell, Keep),
    ("default", Tell, Tell),
    ("exclusiveMinimum", Tell, Tell),
    ("exclusiveMaximum", Tell, Tell),
    ("multipleOf", Tell, Tell),
    ("uniqueItems", Tell, Tell),
    ("contains", Tell, Tell),
    ("minContains", Tell, Tell),
    ("maxContains", Tell, Tell),
    ("patternProperties", Tell, Tell),
    ("propertyNames", Tell, Tell),
    ("dependentRequired", Tell, Tell),
    ("dependentSchemas", Tell, Tell),
    ("unevaluatedProperties", Tell, Tell),
    ("unevaluatedItems", Tell, Tell),
    ("not", Tell, Tell),
    ("if", Tell, Tell),
    ("then", Tell, Tell),
    ("else", Tell, Tell),
];

pub(super) fn fate(keyword: &str, dialect: Schemas) -> Fate {
    let row = TABLE.iter().find(|(name, _, _)| *name == keyword);
    row.map_or(Fate::Leave, |(_, json, openapi)| match dialect {
        Schemas::JsonSchema => *json,
        Schemas::OpenApi => *openapi,
    })
}

/// The formats that the OpenAPI subset takes; a request with another is refused.
pub(super) const FORMATS: [&str; 6] = ["enum", "date-time", "int32", "int64", "float", "double"];

/// The keywords that go with a type, for a schema of several types.
pub(super) fn goes_with(keyword: &str, kind: &str) -> bool {
    match keyword {
        "properties"
        | "required"
        | "additionalProperties"
        | "propertyOrdering"
        | "minProperties"
        | "maxProperties" => kind == "object",
        "items" | "prefixItems" | "minItems" | "maxItems" => kind == "array",
        "minLength" | "maxLength" | "pattern" | "format" => kind == "string",
        "minimum" | "maximum" => matches!(kind, "number" | "integer"),
        _ => false,
    }
}
