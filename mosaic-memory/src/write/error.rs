//! How writing fails.

use mosaic_core::memory::MemoryError;
use mosaic_core::{BoxError, EmbedError, ErrorKind, ErrorReport};
use thiserror::Error;

use super::ExtractError;

/// How writing fails. Nothing has been written then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Nothing could be extracted.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The redactor failed. What it has not seen is not stored.
    #[error("the redactor failed, so nothing was stored: {0}")]
    Redact(#[source] BoxError),
    /// The drafts could not be embedded.
    #[error("drafts of memories could not be embedded: {0}")]
    Embed(#[from] EmbedError),
    /// The store failed, or refused the changes.
    #[error(transparent)]
    Store(#[from] MemoryError),
    /// Others changed the same memories each time.
    #[error(
        "others changed the same memories {tries} times while they were written; write again later ({last})"
    )]
    Contended {
        /// How often it was tried.
        tries: u32,
        /// What the store said at last.
        last: MemoryError,
    },
}

impl WriteError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Extract(error) => error.kind(),
            Self::Redact(_) => ErrorKind::Internal,
            Self::Embed(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Contended { .. } => ErrorKind::Conflict,
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Extract(error) => error.is_retryable(),
            Self::Redact(_) => false,
            Self::Embed(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Contended { .. } => true,
        }
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Extract(error) => error.report(),
            Self::Embed(error) => error.report(),
            Self::Store(error) => error.report(),
            Self::Redact(_) | Self::Contended { .. } => {
                let mut report = ErrorReport::new(self.kind(), self.to_string());
                report.retryable = self.is_retryable();
                report
            }
        }
    }
}
