//! What goes into an extractor, and what comes out of it.

use std::sync::Arc;

use mosaic_core::memory::{Memory, MemoryBody, MemoryId, MemoryKind, SourceRef};
use mosaic_core::session::{Body, Entry};
use mosaic_core::{Part, Seq, Timestamp};
use serde::{Deserialize, Serialize};

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Speaker {
    /// The user, who is believed in what concerns themselves.
    User,
    /// The agent.
    Agent,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The entry of the log.
    pub seq: Seq,
    /// Who said it.
    pub speaker: Speaker,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// What was said in a turn, and what is known that bears on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    /// The session, by its name.
    pub session: Arc<str>,
    /// What was said, in order.
    pub messages: Vec<Message>,
    /// Memories near to it, so that an extractor can say which of them are no longer so. The [`Writer`](super::Writer) looks
    /// them up.
    pub known: Vec<Arc<Memory>>,
}

impl Turn {
    /// A turn of some messages.
    pub fn new(session: impl Into<Arc<str>>, messages: Vec<Message>) -> Self {
        Self { session: session.into(), messages, known: Vec::new() }
    }

    /// The texts that the user and the model said in some entries of a log. What tools returned is left out: it may be
    /// anything, written by anybody, and is not what the user told.
    pub fn of_entries(session: impl Into<Arc<str>>, entries: &[Entry]) -> Self {
        let message = |entry: &Entry| {
            let (speaker, parts) = match &entry.body {
                Body::Input { parts, .. } => (Speaker::User, parts),
                Body::Assistant { parts, .. } => (Speaker::Agent, parts),
                _ => return None,
            };
            let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
            let text = texts.join("\n");
            let said = Message { seq: entry.seq, speaker, text, at: entry.at };
            (!said.text.trim().is_empty()).then_some(said)
        };
        Self::new(session, entries.iter().filter_map(message).collect())
    }

    /// The source that an entry of this turn is.
    #[must_use]
    pub fn source(&self, seq: Seq) -> SourceRef {
        SourceRef { session: self.session.clone(), seq }
    }

    /// The message of an entry.
    #[must_use]
    pub fn message(&self, seq: Seq) -> Option<&Message> {
        self.messages.iter().find(|message| message.seq == seq)
    }
}

/// What a draft says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DraftBody {
    /// What somebody likes, uses, wants or is called: one value a key.
    Preference {
        /// Of what.
        key: String,
        /// Which.
        value: String,
        /// How sure that is, from 0 to 1.
        confidence: f32,
    },
    /// Something that is so.
    Insight {
        /// In a sentence.
        text: String,
    },
}

/// A memory that may be written, if it says something new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// What it says.
    pub body: DraftBody,
    /// How much it matters, from 0 to 1.
    pub importance: f32,
    /// The entries that it came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<SourceRef>,
    /// From when on it is so: when it was said, as a rule. The moment of writing, if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Memories that are no longer so because of this. Only an extractor that understands can say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<MemoryId>,
}

impl Draft {
    /// A preference of middling importance.
    pub fn preference(key: impl Into<String>, value: impl Into<String>, confidence: f32) -> Self {
        Self::of(DraftBody::Preference { key: key.into(), value: value.into(), confidence })
    }

    /// An insight of middling importance.
    pub fn insight(text: impl Into<String>) -> Self {
        Self::of(DraftBody::Insight { text: text.into() })
    }

    fn of(body: DraftBody) -> Self {
        Self { body, importance: 0.5, source: Vec::new(), valid_from: None, replaces: Vec::new() }
    }

    /// So from a time on.
    #[must_use]
    pub fn since(mut self, at: Timestamp) -> Self {
        self.valid_from = Some(at);
        self
    }

    /// That important.
    #[must_use]
    pub fn importance(mut self, importance: f32) -> Self {
        self.importance = importance;
        self
    }

    /// Said by a message of a turn, when it was said.
    #[must_use]
    pub fn said(mut self, turn: &Turn, message: &Message) -> Self {
        self.source.push(turn.source(message.seq));
        self.valid_from = self.valid_from.max(Some(message.at));
        self
    }

    /// Which kind of memory it would become.
    #[must_use]
    pub fn kind(&self) -> MemoryKind {
        match self.body {
            DraftBody::Preference { .. } => MemoryKind::Preference,
            DraftBody::Insight { .. } => MemoryKind::Insight,
        }
    }

    /// What it would say as a memory.
    #[must_use]
    pub fn memory_body(&self) -> MemoryBody {
        match &self.body {
            DraftBody::Preference { key, value, confidence } => MemoryBody::Preference {
                key: normalise(key).into(),
                value: value.trim().into(),
                confidence: *confidence,
            },
            DraftBody::Insight { text } => MemoryBody::Insight { text: text.trim().into() },
        }
    }
}

/// A text in the form in which texts are compared: small letters, one space where there were several, no signs at its ends.
#[must_use]
pub fn normalise(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined = words.join(" ").to_lowercase();
    joined.trim_matches(|c: char| c.is_whitespace() || ".,;:!?\"'".contains(c)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_without_case_spaces_and_signs_at_the_ends() {
        assert_eq!(normalise("  Green\n  Tea!"), "green tea");
        assert_eq!(normalise("C++"), "c++");
        assert_eq!(normalise("?!"), "");
    }
}
