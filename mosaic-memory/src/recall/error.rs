//! How recalling fails.

use mosaic_core::memory::MemoryError;
use mosaic_core::{EmbedError, ErrorKind, ErrorReport};
use thiserror::Error;

/// How recalling fails. The kinds are those of what failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecallError {
    /// The store failed, or refused the request.
    #[error(transparent)]
    Store(#[from] MemoryError),
    /// The question could not be embedded, and the host wants no search by words alone.
    #[error("the question could not be embedded: {0}")]
    Embed(#[from] EmbedError),
}

impl RecallError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Embed(error) => error.kind(),
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Embed(error) => error.is_retryable(),
        }
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Store(error) => error.report(),
            Self::Embed(error) => error.report(),
        }
    }
}
