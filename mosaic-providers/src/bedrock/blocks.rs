//! Content blocks, put together from a start, deltas and a stop; or whole.
//!
//! | block | part |
//! | --- | --- |
//! | `text`, `citationsContent` | text; its citations follow it as a provider block `citations`, a list |
//! | `reasoningContent` | reasoning; kept are `{"signature"}`, or `{"redacted_content"}` |
//! | `toolUse` | a tool call, unless its type is `server_tool_use` |
//! | anything else | a provider block as it came: server-side tools and their results are never calls of ours |
//!
//! Only calls and provider blocks have a start in a stream; of the others the first delta tells what they are.

use std::borrow::Cow;

use mosaic_core::ModelEvent;
use serde_json::{Value, json};

use super::event::{Delta, ReasoningDelta};
use crate::wire::lenient::Maybe;
use crate::wire::parts::{Building, Parts};

/// The kind of the block that holds where the text before it is from.
pub(super) const CITATIONS: &str = "citations";

/// The type of a call that the provider runs itself.
const SERVER_TOOL: &str = "server_tool_use";

#[derive(Debug)]
struct Open {
    index: u64,
    part: u32,
    kind: Kind,
    /// A signature, or the pieces of a provider block's input.
    kept: String,
    /// What a server tool gave so far, or where a text is from.
    list: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
    Redacted,
    Call,
    ServerTool,
    Other,
}

/// The blocks of one answer that have not stopped.
#[derive(Debug, Default)]
pub(super) struct Blocks(Vec<Open>);

impl Blocks {
    /// A block begins that tells what it is.
    pub(super) fn start(
        &mut self,
        index: u64,
        start: Value,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let (kind, building) = begun(start);
        self.open(index, kind, building, parts, events);
    }

    /// More of a block.
    pub(super) fn delta(
        &mut self,
        index: u64,
        delta: Delta<'_>,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        if let Some(text) = delta.text.take() {
            self.piece(index, Kind::Text, text, parts, events);
        }
        if let Some(citation) = delta.citation.0
            && let Some(open) = self.of_kind(index, Kind::Text, parts, events)
        {
            open.list.push(citation);
        }
        if let Some(reasoning) = delta.reasoning_content.0 {
            self.reasoning(index, reasoning, parts, events);
        }
        let Some(open) = self.0.iter_mut().find(|open| open.index == index) else { return };
        if let Some(input) = delta.tool_use.0.and_then(|delta| delta.input.take()) {
            match open.kind {
                Kind::Call => parts.push(open.part, input, events),
                _ => open.kept.push_str(&input),
            }
        }
        open.list.extend(delta.tool_result.0);
    }

    fn reasoning(
        &mut self,
        index: u64,
        delta: ReasoningDelta<'_>,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        if let Some(text) = delta.text.take() {
            self.piece(index, Kind::Reasoning, text, parts, events);
        }
        if let Some(signature) = delta.signature.get() {
            self.keep(index, Kind::Reasoning, signature, parts, events);
        }
        if let Some(data) = delta.redacted_content.get() {
            self.keep(index, Kind::Redacted, data, parts, events);
        }
    }

    /// The open block of that index, which is of that kind: one of another kind has ended without a word.
    fn of_kind(
        &mut self,
        index: u64,
        kind: Kind,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) -> Option<&mut Open> {
        if !self.0.iter().any(|open| open.index == index && open.kind == kind) {
            let building = match kind {
                Kind::Text => Building::Text(String::new()),
                _ => Building::Reasoning { text: String::new(), opaque: None },
            };
            self.open(index, kind, building, parts, events);
        }
        self.0.iter_mut().find(|open| open.index == index)
    }

    /// Adds a piece to the block of that index and kind.
    fn piece(
        &mut self,
        index: u64,
        kind: Kind,
        piece: Cow<'_, str>,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        if let Some(part) = self.of_kind(index, kind, parts, events).map(|open| open.part) {
            parts.push(part, piece, events);
        }
    }

    /// Keeps what is not shown with the block of that index and kind.
    fn keep(&mut self, index: u64, kind: Kind, piece: &str, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        if let Some(open) = self.of_kind(index, kind, parts, events) {
            open.kept.push_str(piece);
        }
    }

    fn open(
        &mut self,
        index: u64,
        kind: Kind,
        building: Building,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        self.stop(index, parts, events);
        let part = parts.start(building, events);
        self.0.push(Open { index, part, kind, kept: String::new(), list: Vec::new() });
    }

    /// A block of a whole answer.
    pub(super) fn whole(
        &mut self,
        index: u64,
        block: Value,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(said) = block.get("text").and_then(Value::as_str) {
            let delta = Delta { text: borrowed(said), ..Delta::default() };
            self.delta(index, delta, parts, events);
        } else if let Some(cited) = block.get("citationsContent") {
            let list = |name: &str| cited.get(name).and_then(Value::as_array).into_iter().flatten();
            let said: String = list("content").map(|piece| text(piece.get("text"))).collect();
            let delta = Delta { text: borrowed(&said), ..Delta::default() };
            self.delta(index, delta, parts, events);
            for citation in list("citations") {
                let delta = Delta { citation: Maybe(Some(citation.clone())), ..Delta::default() };
                self.delta(index, delta, parts, events);
            }
        } else if let Some(reasoning) = block.get("reasoningContent") {
            let (thought, signature, redacted) = (
                text(reasoning.pointer("/reasoningText/text")),
                text(reasoning.pointer("/reasoningText/signature")),
                text(reasoning.get("redactedContent")),
            );
            let delta = ReasoningDelta {
                text: borrowed(&thought),
                signature: borrowed(&signature),
                redacted_content: borrowed(&redacted),
            };
            self.reasoning(index, delta, parts, events);
        } else {
            let (kind, building) = begun(block.clone());
            self.open(index, kind, building, parts, events);
            let input = block.pointer("/toolUse/input").filter(|input| !input.is_null());
            if let (Kind::Call, Some(input), Some(open)) = (kind, input, self.0.last()) {
                parts.push(open.part, Cow::Owned(input.to_string()), events);
            }
        }
        self.stop(index, parts, events);
    }

    /// A block ends.
    pub(super) fn stop(&mut self, index: u64, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        if let Some(at) = self.0.iter().position(|open| open.index == index) {
            close(self.0.remove(at), parts, events);
        }
    }

    /// Ends what is open: the answer is whole, and a stop was left out.
    pub(super) fn stop_all(&mut self, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        self.0.drain(..).for_each(|open| close(open, parts, events));
    }
}

fn borrowed(text: &str) -> crate::wire::lenient::Str<'_> {
    crate::wire::lenient::Str(Some(Cow::Borrowed(text)))
}

/// What a block is that names itself by its one member.
fn begun(block: Value) -> (Kind, Building) {
    let text = |name: &str| {
        block
            .get("toolUse")
            .and_then(|call| call.get(name))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if block.get("toolUse").is_some_and(Value::is_object) {
        if text("type") == SERVER_TOOL {
            return (Kind::ServerTool, Building::Provider { kind: SERVER_TOOL.to_owned(), data: block });
        }
        let id = text("toolUseId");
        let wire_id = (!id.is_empty()).then_some(id);
        return (Kind::Call, Building::Call { wire_id, name: text("name"), arguments: String::new() });
    }
    let kind = block.as_object().and_then(|members| members.keys().next().cloned()).unwrap_or_default();
    (Kind::Other, Building::Provider { kind, data: block })
}

fn close(mut open: Open, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
    match (open.kind, parts.get_mut(open.part)) {
        (Kind::Reasoning, Some(Building::Reasoning { opaque, .. })) if !open.kept.is_empty() => {
            *opaque = Some(json!({ "signature": open.kept }));
        }
        (Kind::Redacted, Some(Building::Reasoning { opaque, .. })) => {
            *opaque = Some(json!({ "redacted_content": open.kept }));
        }
        (Kind::ServerTool, Some(Building::Provider { data, .. })) if !open.kept.is_empty() => {
            // Cut off by the token limit it is no JSON; kept as text then, so that nothing is lost.
            let input = serde_json::from_str(&open.kept).unwrap_or(Value::String(open.kept));
            insert(data, "toolUse", "input", input);
        }
        (Kind::Other, Some(Building::Provider { data, .. })) if !open.list.is_empty() => {
            insert(data, "toolResult", "content", std::mem::take(&mut open.list).into());
        }
        _ => {}
    }
    parts.end(open.part, events);
    if open.kind == Kind::Text && !open.list.is_empty() {
        parts.provider(CITATIONS, open.list.into(), events);
    }
}

fn insert(data: &mut Value, block: &str, name: &str, value: Value) {
    if let Some(members) = data.get_mut(block).and_then(Value::as_object_mut) {
        members.insert(name.to_owned(), value);
    }
}
