//! The schema that an answer is forced into: a call of one of the tools, or the final answer.

use serde_json::{Map, Value, json};

use super::final_answer::MEMBER;
use crate::tool::ToolSpec;

/// An `anyOf` of a call for each tool and, unless a call is wanted, the final answer.
///
/// The members are named so that they stand in the right order wherever an object is sorted by name: a server that turns
/// the schema into a grammar has the model write `tool` before `tool_input`. And the names matter to small models: with
/// `name` and `parameters`, all else equal, Qwen2.5-Coder-0.5B called a tool in none of three prompts that need one.
pub(super) fn answer<'a>(tools: impl Iterator<Item = &'a ToolSpec>, final_answer: Option<&Value>) -> Value {
    let mut definitions = Map::new();
    let mut branches: Vec<Value> = tools
        .map(|tool| {
            let mut input = tool.input_schema.clone();
            hoist(&mut input, &tool.name, &mut definitions);
            object(json!({"tool": {"type": "string", "enum": [tool.name]}, "tool_input": input}))
        })
        .collect();
    if let Some(schema) = final_answer {
        let mut schema = schema.clone();
        hoist(&mut schema, MEMBER, &mut definitions);
        branches.push(object(json!({MEMBER: schema})));
    }
    let mut schema = json!({"anyOf": branches});
    if let (Some(members), false) = (schema.as_object_mut(), definitions.is_empty()) {
        members.insert("$defs".into(), Value::Object(definitions));
    }
    schema
}

fn object(properties: Value) -> Value {
    let required: Vec<_> = properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Moves the definitions of a schema that becomes part of a larger one to the top of that one, under names of their own.
fn hoist(schema: &mut Value, owner: &str, definitions: &mut Map<String, Value>) {
    let Value::Object(members) = schema else {
        return;
    };
    members.remove("$schema");
    for place in ["$defs", "definitions"] {
        if let Some(Value::Object(own)) = members.remove(place) {
            for (name, mut definition) in own {
                rename(&mut definition, owner);
                definitions.insert(format!("{owner}_{name}"), definition);
            }
        }
    }
    rename(schema, owner);
}

fn rename(schema: &mut Value, owner: &str) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(to)) = members.get_mut("$ref") {
                let name = to.strip_prefix("#/$defs/").or_else(|| to.strip_prefix("#/definitions/"));
                if let Some(name) = name {
                    *to = format!("#/$defs/{owner}_{name}");
                }
            }
            members.values_mut().for_each(|member| rename(member, owner));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, owner)),
        _ => {}
    }
}
