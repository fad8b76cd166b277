//! How a replay fails.

use std::fmt;

use thiserror::Error;

use crate::id::SessionKey;
use crate::recording::{Difference, RecordingError};

/// What of a recording a replay makes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recorded {
    /// What a model's answer adds up to, or had said when it ended.
    Outcome,
    /// An entry of the log.
    Entry,
    /// What should be going on, and what a model is asked.
    Steps,
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outcome => "the outcome",
            Self::Entry => "the entry",
            Self::Steps => "what is to be done",
        })
    }
}

/// The first place where a replay is not what was recorded.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("line {line} of the recording (session `{session}`): {what} is another one: {difference}")]
pub struct Divergence {
    /// The line, from 1. Where the replay makes something that was not recorded, the line that stands in its place.
    pub line: usize,
    /// The session.
    pub session: SessionKey,
    /// What.
    pub what: Recorded,
    /// What was recorded, what came, and where in it.
    pub difference: Difference,
}

/// How a replay fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunReplayError {
    /// The replay is not what was recorded.
    #[error(transparent)]
    Diverged(#[from] Divergence),
    /// It is no recording, or a damaged one.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// An agent is missing.
    #[error(
        "line {line} of the recording: session `{session}` ran agent `{agent}`; give the replay an agent of that name"
    )]
    NoAgent {
        /// The line that binds it, from 1.
        line: usize,
        /// The session.
        session: SessionKey,
        /// Its name.
        agent: String,
    },
}

impl RunReplayError {
    /// Where the replay is not what was recorded, if that is what went wrong.
    #[must_use]
    pub fn divergence(&self) -> Option<&Divergence> {
        match self {
            Self::Diverged(divergence) => Some(divergence),
            _ => None,
        }
    }
}
