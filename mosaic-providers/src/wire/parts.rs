//! Numbered parts of an answer: pieces in, events out.
//!
//! Streamed and whole answers go through here alike, so that both give the same parts.

use std::borrow::Cow;

use mosaic_core::{CallId, ModelEvent, Part, PartKind, ToolCall};
use serde_json::Value;

/// A part that is being put together.
#[derive(Debug)]
pub(crate) enum Building {
    Text(String),
    Reasoning { text: String, opaque: Option<Value> },
    Refusal(String),
    Call { wire_id: Option<String>, name: String, arguments: String },
    Provider { kind: String, data: Value },
    Ended,
}

impl Building {
    fn kind(&self) -> PartKind {
        match self {
            Self::Text(_) => PartKind::Text,
            Self::Reasoning { .. } => PartKind::Reasoning,
            Self::Refusal(_) => PartKind::Refusal,
            Self::Call { name, .. } => PartKind::ToolCall { name: name.clone() },
            Self::Provider { .. } | Self::Ended => PartKind::Provider,
        }
    }

    fn part(self) -> Option<Part> {
        Some(match self {
            Self::Text(text) => Part::Text { text },
            Self::Reasoning { text, opaque } => Part::Reasoning { text, opaque },
            Self::Refusal(text) => Part::Refusal { text },
            // The machine assigns the id.
            Self::Call { wire_id, name, arguments } => {
                Part::ToolCall(ToolCall { id: CallId::default(), wire_id, name, arguments })
            }
            Self::Provider { kind, data } => Part::Provider { kind, data },
            Self::Ended => return None,
        })
    }
}

/// The parts of one answer, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Parts(Vec<Building>);

impl Parts {
    /// Begins a part. Its text so far must be empty; pieces follow.
    pub(crate) fn start(&mut self, building: Building, events: &mut Vec<ModelEvent>) -> u32 {
        let part = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        events.push(ModelEvent::Start { part, kind: building.kind() });
        self.0.push(building);
        part
    }

    /// A whole block that only its provider understands.
    pub(crate) fn provider(&mut self, kind: &str, data: Value, events: &mut Vec<ModelEvent>) {
        let part = self.start(Building::Provider { kind: kind.to_owned(), data }, events);
        self.end(part, events);
    }

    /// The part, to change what is not streamed.
    pub(crate) fn get_mut(&mut self, part: u32) -> Option<&mut Building> {
        self.0.get_mut(usize::try_from(part).ok()?)
    }

    /// Adds a piece: of text, of a refusal, of reasoning, or of a call's arguments. An empty one is no event.
    pub(crate) fn push(&mut self, part: u32, delta: Cow<'_, str>, events: &mut Vec<ModelEvent>) {
        if delta.is_empty() {
            return;
        }
        let event = match self.get_mut(part) {
            Some(Building::Text(text) | Building::Refusal(text)) => {
                text.push_str(&delta);
                ModelEvent::Text { part, delta: delta.into_owned() }
            }
            Some(Building::Reasoning { text, .. }) => {
                text.push_str(&delta);
                ModelEvent::Reasoning { part, delta: delta.into_owned() }
            }
            Some(Building::Call { arguments, .. }) => {
                arguments.push_str(&delta);
                ModelEvent::Arguments { part, delta: delta.into_owned() }
            }
            Some(Building::Provider { .. } | Building::Ended) | None => return,
        };
        events.push(event);
    }

    /// Ends a part; does nothing if it has ended.
    pub(crate) fn end(&mut self, part: u32, events: &mut Vec<ModelEvent>) {
        let whole = self.get_mut(part).and_then(|open| std::mem::replace(open, Building::Ended).part());
        if let Some(content) = whole {
            events.push(ModelEvent::End { part, content });
        }
    }

    /// Ends what is still open, in order.
    pub(crate) fn end_all(&mut self, events: &mut Vec<ModelEvent>) {
        for part in 0..u32::try_from(self.0.len()).unwrap_or(u32::MAX) {
            self.end(part, events);
        }
    }

    /// Whether nothing began after that part.
    pub(crate) fn is_last(&self, part: u32) -> bool {
        usize::try_from(part).is_ok_and(|part| part.saturating_add(1) == self.0.len())
    }

    /// Whether nothing began yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
