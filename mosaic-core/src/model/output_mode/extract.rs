//! Finds the answer in a text that holds more than the answer.

use serde_json::Value;

use crate::tool::{SchemaCheck, SubsetCheck};

/// A text full of braces is not searched for ever: each attempt may read it to its end.
const ATTEMPTS: usize = 256;

/// The JSON that is the answer: all of the text, else what fits the schema, else the longest object that holds anything. `None` when there is
/// no such thing; then the text is best left as it is.
pub(super) fn answer<'a>(text: &'a str, schema: &Value) -> Option<&'a str> {
    let bare = unfenced(text.trim());
    if serde_json::from_str::<Value>(bare).is_ok() {
        return Some(bare);
    }
    let mut longest: Option<&str> = None;
    for (value, piece) in objects_and_lists(text) {
        if fits(schema, &value) {
            return Some(piece);
        }
        if value.as_object().is_some_and(|members| !members.is_empty())
            && longest.is_none_or(|longest| longest.len() < piece.len())
        {
            longest = Some(piece);
        }
    }
    longest
}

/// Whether a value is an answer of that shape.
pub(super) fn fits(schema: &Value, value: &Value) -> bool {
    SubsetCheck.check(schema, value).is_ok()
}

fn objects_and_lists(text: &str) -> impl Iterator<Item = (Value, &str)> {
    let (mut from, mut left) = (0, ATTEMPTS);
    std::iter::from_fn(move || {
        while left > 0 {
            let rest = text.get(from..)?;
            let start = from + rest.find(['{', '['])?;
            let rest = text.get(start..)?;
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
            if let Some(Ok(value)) = values.next() {
                let piece = rest.get(..values.byte_offset())?;
                from = start + piece.len();
                return Some((value, piece));
            }
            from = start + 1;
            left -= 1;
        }
        None
    })
}

/// A text without the fence that is all around it.
fn unfenced(text: &str) -> &str {
    let Some(inner) = text.strip_prefix("```").and_then(|inner| inner.strip_suffix("```")) else {
        return text;
    };
    inner.split_once('\n').map_or(inner, |(_, body)| body).trim()
}
