//! How archiving fails.

use thiserror::Error;

use crate::error::{ErrorKind, ErrorReport};
use crate::store::StoreError;

/// How archiving fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// There is nothing under the name.
    #[error("{archive}: there is no `{name}`")]
    Missing {
        /// The archive.
        archive: String,
        /// The name.
        name: String,
    },
    /// There are fewer bytes than were asked for.
    #[error(
        "{archive}: `{name}` has {found} bytes, and bytes up to {wanted} were asked for; it is not what was put there"
    )]
    Short {
        /// The archive.
        archive: String,
        /// The name.
        name: String,
        /// How many there are.
        found: u64,
        /// How many there should be at least.
        wanted: u64,
    },
    /// The name cannot be one.
    #[error("`{name}` is no name of an archive: parts of letters, digits, `_`, `-` and `.`, joined by `/`")]
    Name {
        /// The name.
        name: String,
    },
    /// The medium failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ArchiveError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Short { .. } => ErrorKind::Corrupt,
            Self::Name { .. } => ErrorKind::InvalidRequest,
            Self::Store(error) => error.kind(),
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Store(error) => error.report(),
            other => ErrorReport::new(other.kind(), other.to_string()),
        }
    }
}
