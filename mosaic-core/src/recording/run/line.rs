//! The lines of a recording, as they are written and as they are read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::RequestDigest;
use crate::error::ErrorReport;
use crate::id::{SessionKey, StepId};
use crate::model::ModelEvent;
use crate::runtime::Timestamp;
use crate::session::machine::Outcome;
use crate::session::{CompactionPolicy, Entry};

/// The version of the format that this version of Mosaic writes, and the newest that it reads.
pub(super) const FORMAT: u16 = 1;
/// What tells a recording of runs from other files of JSON lines.
pub(super) const KIND: &str = "mosaic.runs";

/// The first line. Read apart from the others: those of a newer format may not be readable at all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    /// [`KIND`].
    pub(super) recording: String,
    /// The version of the format.
    pub(super) v: u16,
    /// The version of the library that wrote it.
    pub(super) version: String,
}

/// Any other line, to be written.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Write<'a> {
    Begin {
        session: u64,
        at: Timestamp,
        key: &'a SessionKey,
        since: Timestamp,
    },
    History {
        session: u64,
        entry: &'a Entry,
    },
    Bind {
        session: u64,
        at: Timestamp,
        agent: &'a str,
        digest: &'a str,
        model: &'a str,
        #[serde(skip_serializing_if = "CompactionPolicy::is_never")]
        compaction: CompactionPolicy,
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<&'a str>,
        noted: bool,
    },
    Outcome {
        session: u64,
        at: Timestamp,
        outcome: &'a Outcome,
    },
    Entry {
        session: u64,
        entry: &'a Entry,
    },
    Steps {
        session: u64,
        at: Timestamp,
        steps: &'a [StepId],
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<&'a RequestDigest>,
    },
    Event {
        session: u64,
        at: Timestamp,
        step: u64,
        event: &'a ModelEvent,
    },
    End {
        session: u64,
        at: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a ErrorReport>,
    },
}

/// Any other line, as it is read. What a replay makes again stays JSON, to be compared with what it makes.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Read {
    Begin {
        session: u64,
        at: Timestamp,
        key: SessionKey,
        since: Timestamp,
    },
    History {
        session: u64,
        entry: Entry,
    },
    Bind {
        session: u64,
        at: Timestamp,
        agent: String,
        model: String,
        #[serde(default)]
        compaction: CompactionPolicy,
        #[serde(default)]
        user: Option<Arc<str>>,
        noted: bool,
    },
    Outcome {
        session: u64,
        at: Timestamp,
        outcome: Value,
    },
    Entry {
        session: u64,
        entry: Value,
    },
    Steps {
        session: u64,
        at: Timestamp,
        steps: Value,
        #[serde(default)]
        request: Option<Value>,
    },
    Event {
        session: u64,
        step: u64,
        event: ModelEvent,
    },
    End {
        session: u64,
        #[serde(default)]
        error: Option<ErrorReport>,
    },
}

impl Read {
    /// The number of the session in the recording.
    pub(super) fn session(&self) -> u64 {
        match self {
            Self::Begin { session, .. }
            | Self::History { session, .. }
            | Self::Bind { session, .. }
            | Self::Outcome { session, .. }
            | Self::Entry { session, .. }
            | Self::Steps { session, .. }
            | Self::Event { session, .. }
            | Self::End { session, .. } => *session,
        }
    }
}
