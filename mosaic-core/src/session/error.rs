//! How working with a session fails.

use thiserror::Error;

use super::entry::EntryError;
use super::run::Reply;
use crate::error::{ErrorKind, ErrorReport};
use crate::model::ModelError;
use crate::store::StoreError;

/// How working with a session fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log holds something that is no entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The agent's model cannot be had.
    #[error("agent `{agent}`: {source}")]
    Model {
        /// The agent.
        agent: String,
        /// Why.
        source: ModelError,
    },
    /// The run ended with an error. What it had reached is in `reply`.
    #[error("{report}")]
    Run {
        /// Why.
        report: ErrorReport,
        /// What it had reached.
        reply: Box<Reply>,
    },
    /// The run was interrupted: nothing stored is lost, and `resume` goes on.
    #[error("the run was interrupted; what is stored is safe, `resume` goes on: {report}")]
    Stopped {
        /// Why.
        report: ErrorReport,
    },
    /// The answer has not the shape that was asked for.
    #[error("the answer does not fit the type that was asked for: {source}")]
    Output {
        /// Why.
        source: serde_json::Error,
    },
    /// Mosaic was closed.
    #[error("Mosaic is closed; open it again")]
    Closed,
    /// What was asked makes no sense where the session stands.
    #[error("{reason}")]
    Invalid {
        /// Why.
        reason: String,
    },
}

impl SessionError {
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

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Store(error) => error.report(),
            Self::Entry(error) => ErrorReport::new(
                match error {
                    EntryError::Newer { .. } => ErrorKind::NewerFormat,
                    EntryError::Damaged { .. } => ErrorKind::Corrupt,
                    EntryError::Unwritable { .. } => ErrorKind::Internal,
                },
                error.to_string(),
            ),
            Self::Model { source, .. } => {
                let mut report = source.report();
                report.message = self.to_string();
                report
            }
            Self::Run { report, .. } | Self::Stopped { report } => report.clone(),
            Self::Output { source } => {
                ErrorReport::new(ErrorKind::Decode, self.to_string()).caused_by(source)
            }
            Self::Closed => ErrorReport::new(ErrorKind::Cancelled, self.to_string()),
            Self::Invalid { .. } => ErrorReport::new(ErrorKind::InvalidRequest, self.to_string()),
        }
    }
}
