//! Reasoning under its three names, kept so that it can go back.
//!
//! | member | of | kept as |
//! | --- | --- | --- |
//! | `reasoning_content` | DeepSeek, vLLM, llama.cpp, xAI, ... | text |
//! | `reasoning` | OpenRouter, Groq, Cerebras, Ollama | text, and `{"field": "reasoning"}` |
//! | `reasoning_details` | OpenRouter, Snowflake | text, and `{"reasoning_details": [...]}`, pieces joined |
//!
//! Where one chunk says the same under two names, one is shown.
//!
//! Source: <https://openrouter.ai/docs/use-cases/reasoning-tokens>

use std::borrow::Cow;

use mosaic_core::ModelEvent;
use serde_json::{Map, Value};

use super::chunk::Message;
use crate::wire::parts::{Building, Parts};

/// The reasoning of one answer.
#[derive(Debug, Default)]
pub(super) struct Thinking {
    part: Option<u32>,
    field: Option<&'static str>,
    details: Vec<Value>,
}

impl Thinking {
    /// Takes what a message says of it.
    pub(super) fn take(
        &mut self,
        message: &mut Message<'_>,
        parts: &mut Parts,
        events: &mut Vec<ModelEvent>,
    ) {
        let details = std::mem::take(&mut message.reasoning_details.0);
        let content = std::mem::take(&mut message.reasoning_content).take();
        let plain = std::mem::take(&mut message.reasoning).take();
        let (field, text) = match (content, plain) {
            (Some(text), _) => (Some("reasoning_content"), Some(text)),
            (None, Some(text)) => (Some("reasoning"), Some(text)),
            (None, None) => (None, spoken(&details).map(Cow::Owned)),
        };
        if text.is_none() && details.is_empty() {
            return;
        }
        self.field = self.field.or(field);
        self.show(text.unwrap_or_default(), parts, events);
        details.into_iter().for_each(|detail| self.join(detail));
    }

    /// Takes a piece that came as a part of the content (Mistral).
    pub(super) fn show(&mut self, text: Cow<'_, str>, parts: &mut Parts, events: &mut Vec<ModelEvent>) {
        let part = match self.part {
            Some(part) => part,
            None => {
                let building = Building::Reasoning { text: String::new(), opaque: None };
                *self.part.insert(parts.start(building, events))
            }
        };
        parts.push(part, text, events);
    }

    /// Puts what must go back into the part.
    pub(super) fn close(&mut self, parts: &mut Parts) {
        let Some(Building::Reasoning { opaque, .. }) = self.part.and_then(|part| parts.get_mut(part)) else {
            return;
        };
        let mut kept = Map::new();
        if let Some(field) = self.field.filter(|field| *field != "reasoning_content") {
            kept.insert("field".to_owned(), field.into());
        }
        if !self.details.is_empty() {
            kept.insert("reasoning_details".to_owned(), std::mem::take(&mut self.details).into());
        }
        *opaque = (!kept.is_empty()).then_some(Value::Object(kept));
    }

    /// Joins a piece with the block that it continues: the last one, when it has the same type and number.
    fn join(&mut self, mut piece: Value) {
        let last = self.details.last_mut().and_then(Value::as_object_mut);
        let (Some(last), Some(piece_members)) = (last, piece.as_object_mut()) else {
            self.details.push(piece);
            return;
        };
        let joins = ["type", "index"].iter().all(|key| last.get(*key) == piece_members.get(*key))
            && piece_members.get("type").and_then(Value::as_str) != Some("reasoning.encrypted")
            && match (last.get("id"), piece_members.get("id")) {
                (Some(Value::String(one)), Some(Value::String(other))) => one == other,
                _ => true,
            };
        if !joins {
            self.details.push(piece);
            return;
        }
        for (key, value) in std::mem::take(piece_members) {
            match (last.get_mut(&key), value) {
                (Some(Value::String(so_far)), Value::String(more)) if key == "text" || key == "summary" => {
                    so_far.push_str(&more);
                }
                (Some(_), Value::Null) => {}
                (_, value) => {
                    last.insert(key, value);
                }
            }
        }
    }
}

/// The readable text of the blocks.
fn spoken(details: &[Value]) -> Option<String> {
    let mut text = String::new();
    for detail in details {
        let piece = detail.get("text").or_else(|| detail.get("summary")).and_then(Value::as_str);
        text.push_str(piece.unwrap_or_default());
    }
    (!text.is_empty()).then_some(text)
}
