//! The check of arguments in the core says the same as a whole implementation of JSON Schema, where it speaks at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mosaic::{SchemaCheck, SubsetCheck};
use proptest::prelude::*;
use serde_json::{Value, json};

fn any_value() -> impl Strategy<Value = Value> {
    let name = || prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..6_i64).prop_map(Value::from),
        prop::sample::select(vec![0.5, 1.0, 2.5, -1.0]).prop_map(|number| json!(number)),
        prop::sample::select(vec!["", "a", "äö", "abcd"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_schema() -> impl Strategy<Value = Value> {
    let kind =
        || prop::sample::select(vec!["null", "boolean", "integer", "number", "string", "array", "object"]);
    let size = || 0..4_u64;
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        kind().prop_map(|kind| json!({"type": kind})),
        (kind(), kind())
            .prop_filter("two", |(one, other)| one != other)
            .prop_map(|(one, other)| json!({"type": [one, other]})),
        any_value().prop_map(|value| json!({"const": value})),
        prop::collection::vec(any_value(), 1..4).prop_map(|values| json!({"enum": values})),
        (size(), size()).prop_map(|(min, max)| json!({"minLength": min, "maxLength": max})),
        (size(), size())
            .prop_map(|(min, max)| json!({"minItems": min, "maxItems": max, "uniqueItems": true})),
        (size(), size()).prop_map(|(min, max)| json!({"minProperties": min, "maxProperties": max})),
        (-2..4_i64, -2..4_i64).prop_map(|(min, max)| json!({"minimum": min, "exclusiveMaximum": max})),
        (-2..4_i64, -2..4_i64).prop_map(|(min, max)| json!({"exclusiveMinimum": min, "maximum": max})),
        (1..4_i64).prop_map(|of| json!({"multipleOf": of})),
        Just(json!({"$ref": "#/$defs/d"})),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        let some = || prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            (inner.clone(), inner.clone())
                .prop_map(|(a, other)| json!({"properties": {"a": a}, "additionalProperties": other})),
            inner
                .clone()
                .prop_map(|a| json!({"type": "object", "properties": {"a": a}, "required": ["a", "b"]})),
            inner.clone().prop_map(|b| json!({"properties": {"b": b}, "additionalProperties": false})),
            inner
                .clone()
                .prop_map(|names| json!({"propertyNames": names, "dependentRequired": {"a": ["c"]}})),
            inner.clone().prop_map(|items| json!({"items": items})),
            (some(), inner.clone()).prop_map(|(first, items)| json!({"prefixItems": first, "items": items})),
            inner.clone().prop_map(|item| json!({"contains": item, "minContains": 1, "maxContains": 2})),
            some().prop_map(|all| json!({"allOf": all})),
            some().prop_map(|any| json!({"anyOf": any})),
            some().prop_map(|one| json!({"oneOf": one})),
            inner.clone().prop_map(|not| json!({"not": not})),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| json!({"if": a, "then": b, "else": c})),
        ]
    })
}

/// A schema with a definition that the rest refers to; the definition refers to nothing.
fn with_definition() -> impl Strategy<Value = Value> {
    (any_schema(), any_schema()).prop_map(|(schema, definition)| {
        let definition =
            if definition.to_string().contains("$ref") { json!({"type": "string"}) } else { definition };
        json!({"allOf": [schema], "$defs": {"d": definition}})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_checks_agree(schema in with_definition(), value in any_value()) {
        let full = jsonschema::draft202012::is_valid(&schema, &value);
        let subset = SubsetCheck.check(&schema, &value);
        prop_assert_eq!(subset.is_ok(), full, "{} of {}: {:?}", schema, value, subset);
    }
}
