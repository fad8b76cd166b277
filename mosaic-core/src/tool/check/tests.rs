use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SchemaCheck, SubsetCheck, validate_object_schema};

/// What is wrong with a value; empty for nothing.
fn wrong(schema: &Value, value: &Value) -> String {
    SubsetCheck.check(schema, value).err().map(|mismatch| mismatch.to_string()).unwrap_or_default()
}

#[track_caller]
fn table(cases: &[(Value, Value, &str)]) {
    for (schema, value, expected) in cases {
        assert_eq!(wrong(schema, value), *expected, "{schema} of {value}");
    }
}

#[test]
fn types_enums_and_constants() {
    table(&[
        (json!({"type": "string"}), json!("a"), ""),
        (json!({"type": "string"}), json!(1), "1 is of type integer, not string"),
        (json!({"type": "integer"}), json!(1.0), ""),
        (json!({"type": "integer"}), json!(1.5), "1.5 is of type number, not integer"),
        (json!({"type": "number"}), json!(1), ""),
        (json!({"type": ["string", "null"]}), json!(null), ""),
        (json!({"type": ["string", "null"]}), json!(true), "true is of type boolean, not string or null"),
        (json!({"type": "string", "nullable": true}), json!(null), ""),
        (json!({"enum": ["a", 1]}), json!(1.0), ""),
        (json!({"enum": ["a", "b"]}), json!("c"), "\"c\" is not one of \"a\", \"b\""),
        (json!({"const": {"a": [1]}}), json!({"a": [1.0]}), ""),
        (json!({"const": 1}), json!(2), "2 is not 1"),
        (json!(true), json!([]), ""),
        (json!(false), json!([]), "nothing is allowed here"),
        (json!({"somethingNew": 1, "pattern": "^a$", "format": "date"}), json!("b"), ""),
    ]);
}

#[test]
fn objects() {
    let closed =
        json!({"properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    table(&[
        (closed.clone(), json!({"a": "x"}), ""),
        (closed.clone(), json!({}), "`a` is missing"),
        (closed.clone(), json!({"a": "x", "b": 1}), "there is no member `b`; known: a"),
        (closed, json!({"a": 1}), "at `/a`: 1 is of type integer, not string"),
        (
            json!({"additionalProperties": {"type": "integer"}}),
            json!({"x/y": "no"}),
            "at `/x~1y`: \"no\" is of type string, not integer",
        ),
        (json!({"additionalProperties": false, "patternProperties": {"^x": {}}}), json!({"x1": 1}), ""),
        (json!({"minProperties": 1}), json!({}), "0 members are fewer than the minimum of 1"),
        (
            json!({"propertyNames": {"maxLength": 2}}),
            json!({"abc": 1}),
            "3 characters are more than the maximum of 2",
        ),
        (json!({"dependentRequired": {"a": ["b"]}}), json!({"a": 1}), "`b` is missing"),
        (json!({"required": ["a"]}), json!("no object"), ""),
    ]);
}

#[test]
fn arrays_strings_and_numbers() {
    let pair = json!({"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": false});
    table(&[
        (
            json!({"items": {"type": "integer"}}),
            json!([1, "b"]),
            "at `/1`: \"b\" is of type string, not integer",
        ),
        (pair.clone(), json!(["a", 1]), ""),
        (pair, json!(["a", 1, 2]), "at `/2`: nothing is allowed here"),
        (
            json!({"items": [{"type": "string"}], "additionalItems": false}),
            json!(["a", 1]),
            "at `/1`: nothing is allowed here",
        ),
        (json!({"minItems": 2}), json!([1]), "1 items are fewer than the minimum of 2"),
        (json!({"uniqueItems": true}), json!([1, 2, 1.0]), "1.0 is in the list twice"),
        (json!({"contains": {"type": "string"}}), json!([1]), "0 of the items fit `contains`"),
        (json!({"maxLength": 2}), json!("äöü"), "3 characters are more than the maximum of 2"),
        (json!({"maxLength": 3}), json!("äöü"), ""),
        (json!({"minimum": 1}), json!(0.5), "0.5 is less than the minimum of 1"),
        (json!({"exclusiveMaximum": 1}), json!(1), "1 is not less than 1"),
        (json!({"exclusiveMinimum": 1}), json!(1), "1 is not more than 1"),
        (
            json!({"maximum": 9_007_199_254_740_992_u64}),
            json!(9_007_199_254_740_993_u64),
            "9007199254740993 is more than the maximum of 9007199254740992",
        ),
        (json!({"multipleOf": 0.1}), json!(0.3), ""),
        (json!({"multipleOf": 2}), json!(3), "3 is not a multiple of 2"),
    ]);
}

#[test]
fn combinations_and_references() {
    let either =
        json!({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": "string"}}}]});
    let list = json!({"$ref": "#/$defs/list", "$defs": {"list": {"anyOf": [
        {"type": "null"}, {"type": "object", "properties": {"next": {"$ref": "#/$defs/list"}}, "required": ["next"]}]}}});
    table(&[
        (either.clone(), json!(null), ""),
        (
            either,
            json!({"a": 1}),
            "at `/a`: 1 is of type integer, not string (of several alternatives, the nearest)",
        ),
        (
            json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}),
            json!(3),
            "it fits 2 of the alternatives, and one is wanted",
        ),
        (json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}), json!(1), ""),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), json!(3), "3 is more than the maximum of 2"),
        (json!({"not": {"type": "string"}}), json!("a"), "\"a\" is not allowed here"),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 1}}),
            json!(0),
            "0 is less than the minimum of 1",
        ),
        (list.clone(), json!({"next": {"next": null}}), ""),
        (
            list,
            json!({"next": {"next": 1}}),
            "at `/next/next`: 1 is of type integer, not null (of several alternatives, the nearest)",
        ),
    ]);
}

#[test]
fn a_schema_that_refers_to_itself_without_end_fits_nothing_and_ends() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}),
        json!({"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}], "type": "array"}),
    ] {
        let mut value = json!(1);
        for _ in 0..100 {
            value = json!([value]);
        }
        assert!(!wrong(&schema, &value).is_empty(), "{schema}");
    }
}

#[test]
fn a_schema_that_is_none_is_refused_with_its_place() {
    let object = |members: Value| {
        let mut schema = json!({"type": "object"});
        schema.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        schema
    };
    for (schema, place) in [
        (json!("string"), ""),
        (json!({}), ""),
        (json!({"type": "string"}), "/type"),
        (json!({"type": ["object"]}), "/type"),
        (object(json!({"properties": []})), "/properties"),
        (object(json!({"properties": {"a/b": "string"}})), "/properties/a~1b"),
        (object(json!({"properties": {"a": {"type": "strnig"}}})), "/properties/a/type"),
        (object(json!({"properties": {"a": {"items": {"enum": 1}}}})), "/properties/a/items/enum"),
        (object(json!({"required": "a"})), "/required"),
        (object(json!({"anyOf": []})), "/anyOf"),
        (object(json!({"anyOf": [{}, 3]})), "/anyOf/1"),
        (object(json!({"properties": {"a": {"minLength": -1}}})), "/properties/a/minLength"),
        (object(json!({"properties": {"a": {"$ref": "#/$defs/b"}}})), "/properties/a/$ref"),
        (object(json!({"properties": {"a": {"$ref": "https://example.com/b"}}})), "/properties/a/$ref"),
        (object(json!({"additionalProperties": 1})), "/additionalProperties"),
    ] {
        assert_eq!(validate_object_schema(&schema).unwrap_err().0, place, "{schema}");
    }
    for schema in [
        json!({"type": "object"}),
        object(json!({"properties": {"type": {"type": "string"}, "required": {}}, "required": ["type"]})),
        object(json!({"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": true}})),
    ] {
        assert_eq!(validate_object_schema(&schema), Ok(()), "{schema}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = [
        "type",
        "object",
        "properties",
        "items",
        "anyOf",
        "$ref",
        "#",
        "#/items",
        "required",
        "not",
        "enum",
        "a",
    ];
    let word = prop::sample::select(words.to_vec()).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schema_and_any_value_end_without_a_panic(schema in any_json(), value in any_json()) {
        let _ = SubsetCheck.check(&schema, &value);
        let _ = validate_object_schema(&schema);
    }
}
