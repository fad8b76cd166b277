//! How carrying bytes fails.

use thiserror::Error;

use super::record::RequestMismatch;
use crate::error::{BoxError, ErrorKind};

/// How carrying bytes fails. No variant holds a header or a body; a replay's shows a piece of a body that is scrubbed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No connection could be made.
    #[error("no connection to {host}: {source}")]
    Connect {
        /// Where to.
        host: String,
        /// Why.
        source: BoxError,
    },
    /// The connection broke.
    #[error("the connection to {host} broke: {source}")]
    Broken {
        /// Where to.
        host: String,
        /// Why.
        source: BoxError,
    },
    /// A deadline passed.
    #[error("{what} took longer than {millis} ms")]
    Timeout {
        /// What took too long.
        what: &'static str,
        /// The deadline.
        millis: u64,
    },
    /// The request is no HTTP request.
    #[error("not a request that can be sent: {reason}")]
    Request {
        /// Why.
        reason: String,
    },
    /// The host's own transport failed.
    #[error("the host's transport failed: {class}: {message}")]
    Host {
        /// The class of the host's exception.
        class: String,
        /// Its message.
        message: String,
    },
    /// A replay was asked for what its recording does not hold.
    #[error("{request} is not in the recording: {mismatch}")]
    Unrecorded {
        /// Method and path.
        request: String,
        /// Where it differs.
        mismatch: Box<RequestMismatch>,
    },
    /// The host is shutting down, or has let go of the exchange.
    #[error("the host's transport is gone")]
    Gone,
}

impl TransportError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect { .. } | Self::Broken { .. } | Self::Host { .. } => ErrorKind::Transport,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Request { .. } | Self::Unrecorded { .. } => ErrorKind::InvalidRequest,
            Self::Gone => ErrorKind::Cancelled,
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind().is_retryable()
    }
}
