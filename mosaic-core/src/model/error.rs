//! How a model call fails.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error::{BoxError, ErrorKind, ErrorReport};

/// The figures of a context overflow, where the provider tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ContextLimits {
    /// Tokens of the prompt that was refused.
    pub prompt: Option<u64>,
    /// Tokens that the model takes.
    pub window: Option<u64>,
}

/// How a model call fails. Built by codecs, transports and routers through [`ModelError::new`] and the `with_` methods.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct ModelError {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// What happened, and what to do.
    pub message: String,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether trying again can help.
    pub retryable: bool,
    /// The provider that answered.
    pub provider: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// The figures of a context overflow.
    pub limits: Option<ContextLimits>,
    /// The cause.
    #[source]
    pub source: Option<BoxError>,
}

impl ModelError {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            retryable: kind.is_retryable(),
            provider: None,
            status: None,
            request_id: None,
            limits: None,
            source: None,
        }
    }

    /// With its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With the HTTP status of the answer.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With the time that the provider asks to wait.
    #[must_use]
    pub fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.retry_after = after;
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// How long to wait before that.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        let mut report = ErrorReport::new(self.kind, self.message.clone());
        report.retryable = self.retryable;
        report.retry_after_ms =
            self.retry_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        report.provider.clone_from(&self.provider);
        report.status = self.status;
        report.request_id.clone_from(&self.request_id);
        match &self.source {
            Some(source) => report.caused_by(source.as_ref()),
            None => report,
        }
    }
}

impl From<crate::transport::TransportError> for ModelError {
    fn from(error: crate::transport::TransportError) -> Self {
        Self::new(error.kind(), error.to_string()).with_source(error)
    }
}

impl From<super::EncodeError> for ModelError {
    fn from(error: super::EncodeError) -> Self {
        Self::new(error.kind(), error.to_string()).with_source(error)
    }
}
