//! How queueing fails.

use thiserror::Error;

use super::JobId;
use crate::error::{ErrorKind, ErrorReport};
use crate::store::StoreError;

/// How queueing fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The attempt is no longer the caller's: the job was given to another worker, requeued or removed.
    #[error(
        "{store}: job {job} is lost to this worker (its epoch {epoch} is not that of the running attempt); drop its results"
    )]
    Lost {
        /// The store.
        store: String,
        /// The job.
        job: JobId,
        /// The worker's epoch.
        epoch: u64,
    },
    /// A job or a schedule cannot be so.
    #[error("a job cannot have this {what}: {reason}")]
    Invalid {
        /// What is wrong.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// A schedule says no times.
    #[error("schedule `{name}`: `{when}` says no times: {reason}")]
    Schedule {
        /// The schedule.
        name: String,
        /// What it says.
        when: String,
        /// Why that cannot be followed.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QueueError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Lost { .. } => ErrorKind::Conflict,
            Self::Invalid { .. } | Self::Schedule { .. } => ErrorKind::InvalidRequest,
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
