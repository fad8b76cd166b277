//! How reading a recording fails.

use std::io;

use thiserror::Error;

use crate::error::ErrorKind;

/// How reading a recording fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("the recording cannot be read: {source}")]
    Read {
        /// Why.
        source: io::Error,
    },
    /// The file is none of this kind.
    #[error("this is no {wanted}: {reason}")]
    Other {
        /// What it should be.
        wanted: &'static str,
        /// What it is not.
        reason: String,
    },
    /// A line is not what a recorder writes.
    #[error("line {line} of the recording is damaged: {source}")]
    Line {
        /// From 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// A line cannot stand where it stands: others are missing, or it was moved.
    #[error("line {line} of the recording cannot stand there: {reason}")]
    Misplaced {
        /// From 1.
        line: usize,
        /// Why.
        reason: &'static str,
    },
    /// A newer version of Mosaic wrote it.
    #[error(
        "the recording was written by a newer version of Mosaic (format {found}, this one knows {known}); upgrade"
    )]
    Newer {
        /// Its format.
        found: u16,
        /// The newest that this version knows.
        known: u16,
    },
}

impl RecordingError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { source } if source.kind() == io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Read { .. } => ErrorKind::Storage,
            Self::Newer { .. } => ErrorKind::NewerFormat,
            Self::Other { .. } | Self::Line { .. } | Self::Misplaced { .. } => ErrorKind::Corrupt,
        }
    }
}
