//! One error over all that the facade does.

use std::time::Duration;

use mosaic_core::queue::QueueError;
use mosaic_core::summary::CompactionError;
use mosaic_core::{
    AgentError, AgentLogError, BoxError, EmbedError, ErrorKind, ErrorReport, MemoryError, ModelError,
    ModelRefError, SessionError, StoreError, TransportError,
};
use mosaic_memory::session_archive::SessionArchiveError;
use thiserror::Error as ThisError;

/// Whatever can go wrong. Every method of the library has a narrower error; each becomes this one by `?`.
///
/// ```
/// # async fn example() {
/// use mosaic::{ErrorKind, Mosaic};
///
/// let error = Mosaic::open("redis://localhost").await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidRequest);
/// assert!(!error.is_retryable());
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example());
/// ```
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// Working with a session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An agent cannot be built.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A model cannot be had or failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Memories failed.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Jobs failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// An embedder cannot be had or failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// Agent logs failed.
    #[error(transparent)]
    AgentLog(#[from] AgentLogError),
    /// Archiving sessions failed.
    #[error(transparent)]
    SessionArchive(#[from] SessionArchiveError),
    /// Settings of compaction make no sense.
    #[error(transparent)]
    Compaction(#[from] CompactionError),
    /// A cache of vectors failed.
    #[error("the cache of vectors failed: {source}")]
    Cache {
        /// Why.
        source: BoxError,
    },
    /// Mosaic was opened without what was asked of it.
    #[error("{reason}")]
    Setup {
        /// What is missing, and what to do.
        reason: String,
    },
    /// A text names no model.
    #[error(transparent)]
    Name(#[from] ModelRefError),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Nobody runs tasks.
    #[error(
        "Mosaic runs on tokio and was opened outside of it; open it in a tokio runtime, or give the builder a `Runtime`"
    )]
    NoRuntime,
}

impl Error {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.report().kind
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.report().retryable
    }

    /// How long to wait before that, where it is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.report().retry_after()
    }

    /// The error as data: what the log stores and the other languages see.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        let plain = |kind| ErrorReport::new(kind, self.to_string());
        match self {
            Self::Session(error) => error.report(),
            Self::Store(error) => error.report(),
            Self::Model(error) => error.report(),
            Self::Agent(error) => plain(error.kind()),
            Self::Transport(error) => plain(error.kind()).caused_by(error),
            Self::Memory(error) => error.report(),
            Self::Queue(error) => error.report(),
            Self::Embed(error) => error.report(),
            Self::AgentLog(error) => error.report(),
            Self::SessionArchive(error) => error.report(),
            Self::Cache { .. } => plain(ErrorKind::Storage),
            Self::Name(_) | Self::NoRuntime | Self::Setup { .. } | Self::Compaction(_) => {
                plain(ErrorKind::InvalidRequest)
            }
        }
    }
}
