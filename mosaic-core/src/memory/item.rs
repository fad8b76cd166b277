//! What a memory is.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Scope;
use crate::id::Seq;
use crate::runtime::Timestamp;

/// Which memory: a UUIDv7 that the writer makes, unlike all others of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MemoryId(#[schemars(with = "String")] pub Uuid);

impl fmt::Display for MemoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MemoryBody {
    /// What somebody likes, uses or wants: one value a key.
    Preference {
        /// Of what: `drink`, `language`.
        key: Arc<str>,
        /// Which.
        value: Arc<str>,
        /// How sure that is, from 0 to 1.
        confidence: f32,
    },
    /// Something that is so.
    Insight {
        /// In a sentence or a few.
        text: Arc<str>,
    },
    /// Something that happened: a turn, or a summary of a part of a log.
    Episode {
        /// What was said, or a summary of it.
        text: Arc<str>,
        /// The part of the log that it stands for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        span: Option<Span>,
    },
}

impl MemoryBody {
    /// Which of the three.
    #[must_use]
    pub fn kind(&self) -> MemoryKind {
        match self {
            Self::Preference { .. } => MemoryKind::Preference,
            Self::Insight { .. } => MemoryKind::Insight,
            Self::Episode { .. } => MemoryKind::Episode,
        }
    }
}

/// Which of the kinds of memories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MemoryKind {
    /// [`MemoryBody::Preference`].
    Preference,
    /// [`MemoryBody::Insight`].
    Insight,
    /// [`MemoryBody::Episode`].
    Episode,
}

impl MemoryKind {
    /// All of them.
    pub const ALL: &'static [MemoryKind] = &[Self::Preference, Self::Insight, Self::Episode];

    /// The name as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preference => "preference",
            Self::Insight => "insight",
            Self::Episode => "episode",
        }
    }
}

/// A part of a session's log, both ends in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// The session, by its name; the tenant is the memory's.
    pub session: Arc<str>,
    /// The first entry.
    pub from: Seq,
    /// The last entry.
    pub to: Seq,
}

/// An entry of a log that a memory came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SourceRef {
    /// The session, by its name; the tenant is the memory's.
    pub session: Arc<str>,
    /// The entry.
    pub seq: Seq,
}

/// Where in a conversation something was said. Memories of one conversation (and one scope) are neighbours in the order of
/// their positions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Which conversation, by any name that is unique in the scope.
    pub conversation: Arc<str>,
    /// The how-manieth thing said in it. Numbers may be left out.
    pub position: u64,
    /// Who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<Arc<str>>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
    /// What a picture that came with it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<Arc<str>>,
}

impl Place {
    /// A place of which nothing else is known.
    pub fn new(conversation: impl Into<Arc<str>>, position: u64) -> Self {
        Self { conversation: conversation.into(), position, speaker: None, said_at: None, caption: None }
    }
}

/// Something that an agent knows beyond one conversation.
///
/// Two times run through it. *Validity* is of the world: from when to when it is so. *Record* is of our knowledge: since when
/// we believe it, and until when we did. Nothing is overwritten; what turns out otherwise is [closed](super::Change), and so one can
/// still ask what was believed in May.
///
/// Its text does not change once it is stored, nor its scope, validity or source: what changes becomes a new memory that
/// supersedes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// Which.
    pub id: MemoryId,
    /// Whose.
    pub scope: Scope,
    /// What.
    pub body: MemoryBody,
    /// The entries of logs that it came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<SourceRef>,
    /// Where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// From when on it is so.
    pub valid_from: Timestamp,
    /// Until when it is so (that moment not included). Open where nobody knows of an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// Since when we believe it.
    pub recorded_at: Timestamp,
    /// Until when we believed it (that moment not included). Open where we still do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// What we believe instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<MemoryId>,
    /// How much it matters, from 0 to 1.
    pub importance: f32,
    /// How often it was used. What a search returns may lag behind; [`get`](super::MemoryStore::get) does not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub accessed: u64,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accessed_at: Option<Timestamp>,
    /// What the host wants to filter by.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    pub metadata: Map<String, Value>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Memory {
    /// A memory that is so from the moment on that it was learned at, of middling importance.
    #[must_use]
    pub fn new(id: MemoryId, scope: Scope, body: MemoryBody, at: Timestamp) -> Self {
        Self {
            id,
            scope,
            body,
            source: Vec::new(),
            place: None,
            valid_from: at,
            valid_to: None,
            recorded_at: at,
            closed_at: None,
            superseded_by: None,
            importance: 0.5,
            accessed: 0,
            accessed_at: None,
            metadata: Map::new(),
        }
    }
}

/// A memory's text as a vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vector {
    /// The model that made it. Vectors of different models cannot be compared; those of one model have one length.
    pub model: Arc<str>,
    /// The numbers.
    pub values: Vec<f32>,
}

impl Vector {
    /// The vector that a model made.
    pub fn new(model: impl Into<Arc<str>>, values: Vec<f32>) -> Self {
        Self { model: model.into(), values }
    }
}

/// A core block: a small, named text that is always in the prompt, and that the agent may edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryBlock {
    /// Whose.
    pub scope: Scope,
    /// Its name, unlike those of the other blocks of exactly this scope.
    pub name: Arc<str>,
    /// What it is for, in words for the model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// What it says. May be empty.
    pub text: String,
    /// At most so many characters (Unicode scalar values) may it have.
    pub limit: u32,
    /// How often it was written. The store counts; what a writer says here is not looked at.
    #[serde(default)]
    pub version: u64,
    /// When it was written last.
    pub updated_at: Timestamp,
}
