//! How keeping agent logs fails.

use thiserror::Error;

use crate::archive::ArchiveError;
use crate::error::{ErrorKind, ErrorReport};
use crate::store::StoreError;

/// How keeping agent logs fails.
///
/// | kind | variants |
/// | --- | --- |
/// | `invalid_request` | `Invalid`, `OutOfScope` |
/// | `conflict` | `Conflict` |
/// | `decode` | `Line` |
/// | `corrupt` | `Damaged` |
/// | that of the error within | `Archive`, `Store` |
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgentLogError {
    /// Something cannot be kept or asked.
    #[error("{what}: {why}")]
    Invalid {
        /// Of what.
        what: String,
        /// Why, and what would do.
        why: String,
    },
    /// A row belongs to another scope.
    #[error(
        "a row of `{of}` is not in `{scope}`; import it into its own scope, or into one that contains it"
    )]
    OutOfScope {
        /// The scope of the call.
        scope: String,
        /// The scope of the row.
        of: String,
    },
    /// Somebody else moved or erased rows meanwhile. Nothing was changed.
    #[error("the logs of `{tenant}` changed meanwhile: {why}; begin again")]
    Conflict {
        /// Whose logs.
        tenant: String,
        /// What is not as it was.
        why: String,
    },
    /// A line of an import cannot be read.
    #[error("line {line} is not a row of an agent log: {why}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// What an archive gives back is not what was put there.
    #[error("segment `{name}` of the archive is damaged: {why}; restore it from a backup")]
    Damaged {
        /// The segment.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The archive failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What keeps them failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AgentLogError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::OutOfScope { .. } => ErrorKind::InvalidRequest,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Line { .. } => ErrorKind::Decode,
            Self::Damaged { .. } => ErrorKind::Corrupt,
            Self::Archive(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Conflict { .. } => true,
            Self::Archive(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Archive(error) => error.report(),
            Self::Store(error) => error.report(),
            other => {
                let mut report = ErrorReport::new(other.kind(), other.to_string());
                report.retryable = other.is_retryable();
                report
            }
        }
    }
}
