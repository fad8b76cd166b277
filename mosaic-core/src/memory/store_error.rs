//! How keeping memories fails.

use thiserror::Error;

use super::MemoryId;
use crate::error::{ErrorKind, ErrorReport};
use crate::store::StoreError;

/// How keeping memories fails.
///
/// | kind | variants |
/// | --- | --- |
/// | `invalid_request` | `Invalid`, `OutOfScope`, `Width` |
/// | `conflict` | `Exists`, `Closed`, `Changed` |
/// | `not_found` | `NotFound` |
/// | `decode` | `Line` |
/// | that of the store's error | `Store` |
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// Something cannot be stored or asked.
    #[error("{what}: {why}")]
    Invalid {
        /// Of what: `memory 0192...: text`.
        what: String,
        /// Why, and what would do.
        why: String,
    },
    /// A change is about another scope than the one that it is made in.
    #[error("`{of}` is not in `{scope}`; change it in its own scope, or in one that contains it")]
    OutOfScope {
        /// The scope of the call.
        scope: String,
        /// The scope of the thing.
        of: String,
    },
    /// A vector has another length than those that are there of its model.
    #[error(
        "vectors of `{model}` have {expected} numbers here, this one has {found}; \
         give another model, or another length of it, a name of its own"
    )]
    Width {
        /// The model.
        model: String,
        /// The length of the others.
        expected: usize,
        /// Its length.
        found: usize,
    },
    /// There is no such memory in the scope.
    #[error("there is no memory {id} in `{scope}`")]
    NotFound {
        /// Which.
        id: MemoryId,
        /// Where it was looked for.
        scope: String,
    },
    /// The tenant has a memory of this id.
    #[error("memory {id} exists already; a new memory needs an id of its own")]
    Exists {
        /// Which.
        id: MemoryId,
    },
    /// Somebody else closed the memory.
    #[error(
        "memory {id} is closed already: somebody else closed or superseded it; look for what is there now"
    )]
    Closed {
        /// Which.
        id: MemoryId,
    },
    /// Somebody else wrote the core block.
    #[error("block `{name}` has version {found}, not {expected}: somebody else wrote it; read it again")]
    Changed {
        /// Its name.
        name: String,
        /// The version that the writer thought.
        expected: u64,
        /// The version it has; 0 where there is none.
        found: u64,
    },
    /// A line of an import cannot be read.
    #[error("line {line} is not one of an export: {why}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// What keeps them failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MemoryError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::OutOfScope { .. } | Self::Width { .. } => ErrorKind::InvalidRequest,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Exists { .. } | Self::Closed { .. } | Self::Changed { .. } => ErrorKind::Conflict,
            Self::Line { .. } => ErrorKind::Decode,
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
            _ => ErrorReport::new(self.kind(), self.to_string()),
        }
    }
}
