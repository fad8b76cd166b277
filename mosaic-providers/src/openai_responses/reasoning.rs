//! A reasoning item: what is kept of it, and how it is written back.
//!
//! The text is the part's own. Beside it, `opaque` keeps what the item had:
//!
//! | member | when |
//! | --- | --- |
//! | `id`, `encrypted_content` | there were any |
//! | `in: "content"` | the text was one piece in `content` (open models think in plain text) and not in `summary` |
//! | `summary`, `content` | there were several pieces: as they came |

use mosaic_core::EncodeError;
use serde_json::{Map, Value};

use super::quirks::ReasoningReplay;
use crate::wire::write::Writer;

/// The pieces of text in a list of an item.
fn pieces<'a>(item: &'a Value, list: &str) -> Vec<&'a str> {
    match item.get(list) {
        Some(Value::Array(pieces)) => {
            let text = |piece: &'a Value| piece.get("text").and_then(Value::as_str);
            pieces.iter().filter_map(text).filter(|text| !text.is_empty()).collect()
        }
        Some(Value::String(text)) if !text.is_empty() => vec![text],
        _ => Vec::new(),
    }
}

/// What separates two pieces of a summary when they are shown as one text.
pub(super) const BETWEEN: &str = "\n\n";

/// The text of a whole item: the summary, or else the content.
pub(super) fn text(item: &Value) -> String {
    let summary = pieces(item, "summary");
    if summary.is_empty() { pieces(item, "content").join(BETWEEN) } else { summary.join(BETWEEN) }
}

/// What is kept beside the text.
pub(super) fn opaque(item: &Value) -> Option<Value> {
    let mut kept = Map::new();
    for name in ["id", "encrypted_content"] {
        if let Some(value) =
            item.get(name).filter(|value| value.as_str().is_some_and(|text| !text.is_empty()))
        {
            kept.insert(name.to_owned(), value.clone());
        }
    }
    match (pieces(item, "summary").len(), pieces(item, "content").len()) {
        (0 | 1, 0) => {}
        (0, 1) => {
            kept.insert("in".to_owned(), "content".into());
        }
        _ => {
            for name in ["summary", "content"] {
                if let Some(list @ Value::Array(_)) = item.get(name) {
                    kept.insert(name.to_owned(), list.clone());
                }
            }
        }
    }
    (!kept.is_empty()).then_some(kept.into())
}

/// Writes the item, if the server takes it back.
pub(super) fn write(
    text: &str,
    opaque: Option<&Value>,
    replay: ReasoningReplay,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let member = |name: &str| opaque.and_then(|opaque| opaque.get(name));
    let encrypted = member("encrypted_content").and_then(Value::as_str);
    let taken = match replay {
        ReasoningReplay::Encrypted => encrypted.is_some(),
        ReasoningReplay::AsReceived => encrypted.is_some() || !text.is_empty(),
        ReasoningReplay::Never => false,
    };
    if !taken {
        return Ok(());
    }
    out.comma().raw(r#"{"type":"reasoning""#);
    if let Some(id) = member("id").and_then(Value::as_str) {
        out.key("id").string(id);
    }
    let in_content = member("in").and_then(Value::as_str) == Some("content");
    out.key("summary");
    match member("summary") {
        Some(list) => {
            out.value("a reasoning summary", list)?;
        }
        None if text.is_empty() || in_content || member("content").is_some() => {
            out.raw("[]");
        }
        None => {
            out.raw(r#"[{"type":"summary_text","text":"#).string(text).raw("}]");
        }
    }
    match member("content") {
        Some(list) => {
            out.key("content").value("a reasoning text", list)?;
        }
        None if in_content && !text.is_empty() => {
            out.key("content").raw(r#"[{"type":"reasoning_text","text":"#).string(text).raw("}]");
        }
        None => {}
    }
    if let Some(encrypted) = encrypted {
        out.key("encrypted_content").string(encrypted);
    }
    out.raw("}");
    Ok(())
}
