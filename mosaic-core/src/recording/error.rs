//! How reading a recording fails.

use std::io;

use thiserror::Error;

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
    /// A line is not what a recorder writes.
    #[error("line {line} of the recording is damaged: {source}")]
    Line {
        /// From 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
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
