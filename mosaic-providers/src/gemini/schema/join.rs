//! Two schemas that must both hold, as one.

use serde_json::{Map, Value};

type Members = Map<String, Value>;

/// Adds a part. Properties and what is required are put together, what both say alike is said once, a description that is
/// there already stays.
///
/// # Errors
/// The keyword about which they disagree.
pub(super) fn join(part: Members, out: &mut Members) -> Result<(), String> {
    for (keyword, value) in part {
        let Some(ours) = out.get_mut(&keyword) else {
            out.insert(keyword, value);
            continue;
        };
        match (keyword.as_str(), ours, value) {
            (_, ours, value) if *ours == value => {}
            ("description" | "title", _, _) => {}
            ("properties", Value::Object(ours), Value::Object(theirs)) => {
                for (name, schema) in theirs {
                    match ours.get(&name) {
                        Some(known) if *known != schema => return Err(format!("properties/{name}")),
                        _ => ours.insert(name, schema),
                    };
                }
            }
            ("required" | "propertyOrdering", Value::Array(ours), Value::Array(theirs)) => {
                for name in theirs {
                    if !ours.contains(&name) {
                        ours.push(name);
                    }
                }
            }
            // Open where one of them is: the library checks which members the other knows.
            ("additionalProperties", ours, value) if ours.is_boolean() && value.is_boolean() => {
                *ours = true.into();
            }
            _ => return Err(keyword),
        }
    }
    Ok(())
}
