//! How archiving sessions fails.

use mosaic_core::archive::ArchiveError;
use mosaic_core::session::EntryError;
use mosaic_core::{ErrorKind, ErrorReport, SessionKey, StoreError};
use thiserror::Error;

/// How archiving sessions fails. Whatever fails, the session is whole: in the store, or in the archive.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionArchiveError {
    /// What an archive gives back is not what was put there.
    #[error("the archived log of session `{key}` is damaged: {why}; restore the file from a backup")]
    Damaged {
        /// The session.
        key: SessionKey,
        /// What is wrong.
        why: String,
    },
    /// A session was made under the name of one that is archived.
    #[error(
        "another log of session `{key}` is archived: one of the same name was made without restoring it first; \
         erase the session in the store and restore, or erase both"
    )]
    Clash {
        /// The session.
        key: SessionKey,
    },
    /// An entry cannot be read, so nobody knows whether a run goes on.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The archive failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SessionArchiveError {
    /// Whether only the one session is to blame, and others can be archived.
    pub(super) fn is_of_one(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Clash { .. } | Self::Entry(_))
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Damaged { .. } => ErrorKind::Corrupt,
            Self::Clash { .. } => ErrorKind::Conflict,
            Self::Entry(EntryError::Newer { .. }) => ErrorKind::NewerFormat,
            Self::Entry(_) => ErrorKind::Corrupt,
            Self::Archive(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
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
            other => ErrorReport::new(other.kind(), other.to_string()),
        }
    }
}
