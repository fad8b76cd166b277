//! Content blocks, put together from a start, deltas and a stop; or whole.
//!
//! | block | part |
//! | --- | --- |
//! | `text` | text; its citations follow it as a provider block `citations`, a list |
//! | `thinking` | reasoning; the signature is kept as `{"signature"}` |
//! | `redacted_thinking` | reasoning without text, kept as `{"redacted_thinking"}` |
//! | `tool_use` | a tool call |
//! | anything else | a provider block as it came: server-side tools and their results are never calls of ours |

use std::borrow::Cow;

use mosaic_core::ModelEvent;
use serde_json::{Map, Value, json};

use super::event::Delta;
use crate::wire::parts::{Building, Parts};

/// The kind of the block that holds where the text before it is from.
pub(super) const CITATIONS: &str = "citations";

#[derive(Debug)]
struct Open {
    index: u64,
    part: u32,
    /// The `input` of the block's start: it counts where no delta comes.
    input: Option<Value>,
    signature: String,
    /// Where a text is from.
    citations: Vec<Value>,
    /// The pieces of a provider block's input.
    json: String,
    pieces: bool,
}

/// The blocks of one answer that have not stopped.
#[derive(Debug, Default)]
pub(super) struct Blocks(Vec<Open>);

impl Blocks {
    /// A block begins; it may hold content already.
    pub(super) fn start(
        &mut self,
        index: u64,
        mut block: Value,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let text = |block: &Value, name: &str| {
            block.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let kind = text(&block, "type");
        let mut input = None;
        let mut signature = String::new();
        let mut first = String::new();
        let mut citations = Vec::new();
        let building = match kind.as_str() {
            "text" => {
                first = text(&block, "text");
                if let Some(Value::Array(list)) = block.get_mut("citations").map(Value::take) {
                    citations = list;
                }
                Building::Text(String::new())
            }
            "thinking" => {
                first = text(&block, "thinking");
                signature = text(&block, "signature");
                Building::Reasoning { text: String::new(), opaque: None }
            }
            "redacted_thinking" => {
                let opaque = Some(json!({ "redacted_thinking": text(&block, "data") }));
                Building::Reasoning { text: String::new(), opaque }
            }
            "tool_use" => {
                input = block.get_mut("input").map(Value::take).filter(told);
                let id = text(&block, "id");
                Building::Call {
                    wire_id: (!id.is_empty()).then_some(id),
                    name: text(&block, "name"),
                    arguments: String::new(),
                }
            }
            _ => Building::Provider { kind, data: block },
        };
        let part = parts.start(building, events);
        parts.push(part, Cow::Owned(first), events);
        self.0.push(Open { index, part, input, signature, citations, json: String::new(), pieces: false });
    }

    /// More of a block. A server that forgot its start is heard all the same where the delta tells what it is.
    pub(super) fn delta(
        &mut self,
        index: u64,
        delta: Delta<'_>,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        if !self.0.iter().any(|open| open.index == index) {
            let kind = match (delta.text.get(), delta.thinking.get()) {
                (Some(_), _) => "text",
                (None, Some(_)) => "thinking",
                (None, None) => return,
            };
            self.start(index, json!({ "type": kind }), parts, events);
        }
        let Some(open) = self.0.iter_mut().find(|open| open.index == index) else { return };
        if let Some(signature) = delta.signature.get() {
            open.signature.push_str(signature);
        }
        open.citations.extend(delta.citation.0);
        if let Some(piece) = delta.partial_json.get() {
            open.pieces = true;
            if matches!(parts.get_mut(open.part), Some(Building::Provider { .. })) {
                open.json.push_str(piece);
            }
        }
        let piece = match parts.get_mut(open.part) {
            Some(Building::Text(_)) => delta.text.take(),
            Some(Building::Reasoning { .. }) => delta.thinking.take(),
            Some(Building::Call { .. }) => delta.partial_json.take(),
            _ => None,
        };
        if let Some(piece) = piece {
            parts.push(open.part, piece, events);
        }
    }

    /// A block ends.
    pub(super) fn stop(&mut self, index: u64, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        if let Some(at) = self.0.iter().position(|open| open.index == index) {
            close(self.0.remove(at), parts, events);
        }
    }

    /// Ends what is open: the answer is whole, and a server left the stops out.
    pub(super) fn stop_all(&mut self, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        self.0.drain(..).for_each(|open| close(open, parts, events));
    }
}

fn close(open: Open, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
    match parts.get_mut(open.part) {
        Some(Building::Reasoning { opaque, .. }) if !open.signature.is_empty() => {
            *opaque = Some(json!({ "signature": open.signature }));
        }
        Some(Building::Provider { data: Value::Object(members), .. }) if open.pieces => {
            // Cut off by the token limit it is no JSON; kept as text then, so that nothing is lost.
            let input = serde_json::from_str(&open.json).unwrap_or(Value::String(open.json));
            members.insert("input".to_owned(), input);
        }
        Some(Building::Call { .. }) if !open.pieces => {
            if let Some(input) = open.input {
                parts.push(open.part, Cow::Owned(input.to_string()), events);
            }
        }
        _ => {}
    }
    parts.end(open.part, events);
    if !open.citations.is_empty() {
        parts.provider(CITATIONS, open.citations.into(), events);
    }
}

/// Whether an input says anything: `{}` stands for "the pieces follow", and for a tool without parameters.
fn told(input: &Value) -> bool {
    !matches!(input, Value::Null) && !input.as_object().is_some_and(Map::is_empty)
}
