use serde_json::{Value, json};

use super::convert;
use crate::gemini::quirks::Schemas;

fn json_schema(schema: Value) -> Value {
    convert(&schema, Schemas::JsonSchema, "the schema of tool `t`").unwrap()
}

fn open_api(schema: Value) -> Value {
    convert(&schema, Schemas::OpenApi, "the schema of tool `t`").unwrap()
}

fn refused(schema: Value, dialect: Schemas) -> String {
    convert(&schema, dialect, "the schema of tool `t`").unwrap_err().to_string()
}

#[test]
fn a_plain_schema_stays_as_it_is() {
    let schema = json!({"type": "object", "title": "T", "additionalProperties": false, "required": ["city"],
        "properties": {"city": {"type": "string", "description": "Its name."}, "n": {"type": ["integer", "null"], "minimum": 1}}});
    assert_eq!(json_schema(schema.clone()), schema);
}

#[test]
fn references_are_written_out_beside_what_stands_there() {
    let schema = json!({"type": "object", "$defs": {"Unit": {"enum": ["C", "F"], "description": "A unit."}},
        "properties": {"a": {"$ref": "#/$defs/Unit"}, "b": {"$ref": "#/$defs/Unit", "description": "Another."}}});
    let expected = json!({"type": "object", "properties": {
        "a": {"type": "string", "enum": ["C", "F"], "description": "A unit."},
        "b": {"type": "string", "enum": ["C", "F"], "description": "Another."}}});
    assert_eq!(json_schema(schema.clone()), expected);
    assert_eq!(open_api(schema), expected);
}

#[test]
fn a_schema_that_refers_to_itself_is_refused_with_tool_and_place() {
    let schema = json!({"type": "object", "properties": {"tree": {"$ref": "#/$defs/Node"}}, "$defs": {
        "Node": {"type": "object", "properties": {"kids/all": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}}}});
    for dialect in [Schemas::JsonSchema, Schemas::OpenApi] {
        let error = refused(schema.clone(), dialect);
        assert!(error.contains("tool `t` at `/$defs/Node/properties/kids~1all/items`"), "{error}");
        assert!(error.contains("`#/$defs/Node` refers to itself"), "{error}");
    }
    assert!(refused(json!({"items": {"$ref": "#"}}), Schemas::JsonSchema).contains("refers to itself"));
    assert!(refused(json!({"$ref": "#/$defs/x"}), Schemas::JsonSchema).contains("nowhere"));
    assert!(refused(json!({"properties": {"a": false}}), Schemas::JsonSchema).contains("/properties/a"));
}

#[test]
fn references_that_grow_without_bound_are_refused_before_they_do() {
    let mut defs = serde_json::Map::new();
    for level in 0..30 {
        let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
        defs.insert(format!("l{level}"), json!({"properties": {"a": next, "b": next}}));
    }
    defs.insert("l30".to_owned(), json!({"type": "string"}));
    let error = refused(json!({"$defs": defs, "$ref": "#/$defs/l0"}), Schemas::JsonSchema);
    assert!(error.contains("too deep or too large"), "{error}");
}

#[test]
fn the_parts_of_all_of_are_joined_or_refused() {
    let schema = json!({"allOf": [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b", "a"]}]});
    let expected = json!({"type": "object", "required": ["a", "b"],
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}});
    assert_eq!(json_schema(schema), expected);
    let error = refused(
        json!({"properties": {"x": {"allOf": [{"type": "string"}, {"type": "integer"}]}}}),
        Schemas::JsonSchema,
    );
    assert!(error.contains("`/properties/x/allOf/1` (its parts disagree about `type`)"), "{error}");
}

#[test]
fn unions_and_constants_take_the_form_that_the_api_knows() {
    let schema = json!({"oneOf": [{"const": "a"}, {"type": "integer"}, {"const": 7}]});
    assert_eq!(
        json_schema(schema.clone()),
        json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer"}, {"type": "integer", "enum": [7]}]})
    );
    assert_eq!(
        open_api(schema),
        json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer"}, {"description": "(one of: 7)"}]})
    );
    let several =
        json!({"type": ["string", "array", "null"], "items": {"type": "string"}, "description": "d"});
    let branches = json!([{"type": "string"}, {"type": "array", "items": {"type": "string"}}]);
    assert_eq!(open_api(several.clone()), json!({"anyOf": branches, "nullable": true, "description": "d"}));
    let with_null =
        json!([{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]);
    assert_eq!(json_schema(several), json!({"anyOf": with_null, "description": "d"}));
}

#[test]
fn null_is_a_type_in_one_dialect_and_a_flag_in_the_other() {
    for schema in [
        json!({"type": ["string", "null"]}),
        json!({"type": "string", "nullable": true}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ] {
        assert_eq!(open_api(schema.clone()), json!({"type": "string", "nullable": true}), "{schema}");
    }
    assert_eq!(json_schema(json!({"type": "string", "nullable": true})), json!({"type": ["string", "null"]}));
    assert_eq!(
        open_api(json!({"enum": ["a", null]})),
        json!({"type": "string", "enum": ["a"], "nullable": true})
    );
}

#[test]
fn what_cannot_be_said_in_a_keyword_is_told_in_words() {
    let schema =
        json!({"type": "integer", "description": "A count.", "exclusiveMinimum": 0, "multipleOf": 5});
    let told = json!({"type": "integer", "description": "A count. (exclusiveMinimum: 0; multipleOf: 5)"});
    assert_eq!(json_schema(schema.clone()), told);
    assert_eq!(open_api(schema), told);
    let date =
        json!({"type": "string", "format": "date", "pattern": "^2", "default": null, "examples": ["x"]});
    assert_eq!(
        open_api(date.clone()),
        json!({"type": "string", "pattern": "^2", "description": "(format: date)"})
    );
    assert_eq!(
        json_schema(date),
        json!({"type": "string", "format": "date", "description": "(pattern: \"^2\")"})
    );
    assert_eq!(
        open_api(json!({"type": "integer", "enum": [1, 2]})),
        json!({"type": "integer", "description": "(one of: 1, 2)"})
    );
}

#[test]
fn a_property_may_have_the_name_of_a_keyword() {
    let schema =
        json!({"type": "object", "properties": {"not": {"type": "string"}, "$ref": {"type": "string"}}});
    assert_eq!(json_schema(schema.clone()), schema);
    assert_eq!(open_api(schema.clone()), schema);
}

#[test]
fn the_subset_is_kept_to() {
    let schema = json!({"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1,
        "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]});
    assert_eq!(
        open_api(schema),
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "minProperties": 1,
            "description": "(additionalProperties: {\"type\":\"string\"}; anyOf: [{\"required\":[\"a\"]},{\"required\":[\"b\"]}])"})
    );
    let error = refused(json!({"properties": {"l": {"type": "array"}}}), Schemas::OpenApi);
    assert!(error.contains("`/properties/l` (an array without `items`)"), "{error}");
    assert_eq!(json_schema(json!({"type": "array"})), json!({"type": "array"}));
    assert_eq!(open_api(json!({"type": "array", "items": true})), json!({"type": "array", "items": {}}));
}
