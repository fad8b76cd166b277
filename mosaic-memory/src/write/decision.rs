//! What became of a draft, and why.

use std::fmt;

use mosaic_core::memory::MemoryId;
use serde::{Deserialize, Serialize};

use super::Draft;

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// A new memory.
    Add,
    /// A memory that says what another said, and more; the other is closed.
    Merge,
    /// A new memory in the place of another, which is so no longer; the other's time before stays.
    Supersede,
    /// A memory that is there was used once more.
    Strengthen,
    /// Nothing.
    Drop,
}

impl Action {
    /// The name as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Merge => "merge",
            Self::Supersede => "supersede",
            Self::Strengthen => "strengthen",
            Self::Drop => "drop",
        }
    }
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Nothing like it was there.
    New,
    /// It was so before something else that is known; so it ends where that begins.
    Past,
    /// It is there already.
    SaidAgain,
    /// It is there already, and is surer or matters more now.
    MoreSure,
    /// It is there already, and was so earlier than was known.
    EarlierToo,
    /// It says what is there, and more.
    SaysMore,
    /// What is there says it, and more.
    NothingNew,
    /// The preference has another value now.
    OtherValue,
    /// It denies what is there, or what is there denies it.
    Opposite,
    /// It means what is there in other words.
    Reworded,
    /// The extractor says that it replaces what is there.
    Replaces,
    /// What is there is much surer.
    LessSure,
    /// Something else was said at the same moment.
    SaidAtOnce,
    /// Another draft says the same.
    SameAsAnother,
    /// It is not sure enough.
    Unsure,
    /// It cannot be stored.
    Invalid {
        /// Why.
        why: String,
    },
    /// The redactor refused it.
    Redacted {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "nothing like it was there",
            Self::Past => "it was so before something else that is known",
            Self::SaidAgain => "it was said again",
            Self::MoreSure => "it is surer, or matters more, than before",
            Self::EarlierToo => "it was so earlier than was known",
            Self::SaysMore => "it says what was there, and more",
            Self::NothingNew => "what is there says it, and more",
            Self::OtherValue => "the preference has another value now",
            Self::Opposite => "it denies what was there, or is denied by it",
            Self::Reworded => "it means what was there, in other words",
            Self::Replaces => "the extractor says that it replaces what was there",
            Self::LessSure => "what is there is much surer",
            Self::SaidAtOnce => "something else was said at the same moment",
            Self::SameAsAnother => "another draft says the same",
            Self::Unsure => "it is not sure enough",
            Self::Invalid { why } => return write!(f, "it cannot be stored: {why}"),
            Self::Redacted { why } => return write!(f, "it must not be stored: {why}"),
        })
    }
}

/// What became of a draft, why, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The draft. One that the redactor refused is emptied.
    pub draft: Draft,
    /// What became of it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The memory that says it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryId>,
    /// Memories that are believed no longer because of it. The part of their time that stays true is kept as a copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<MemoryId>,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`: {}", self.action.as_str(), self.draft.memory_body_text(), self.reason)
    }
}

impl Draft {
    /// Its text as it would be shown.
    pub(super) fn memory_body_text(&self) -> String {
        match &self.body {
            super::DraftBody::Preference { key, value, .. } => format!("{key}: {value}"),
            super::DraftBody::Insight { text } => text.clone(),
        }
    }
}
