//! How embedding fails.

use std::time::Duration;

use thiserror::Error;

use crate::error::{BoxError, ErrorKind, ErrorReport};
use crate::model::{EncodeError, ModelError};
use crate::transport::TransportError;

/// How embedding fails. The same kinds as of a [`ModelError`], which it is made of where a provider was asked.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct EmbedError {
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
    /// The cause.
    #[source]
    pub source: Option<BoxError>,
}

impl EmbedError {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        ModelError::new(kind, message).into()
    }

    /// With the provider that it comes from.
    #[must_use]
    pub fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
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

impl From<ModelError> for EmbedError {
    fn from(error: ModelError) -> Self {
        let ModelError {
            kind, message, retry_after, retryable, provider, status, request_id, source, ..
        } = error;
        Self { kind, message, retry_after, retryable, provider, status, request_id, source }
    }
}

impl From<TransportError> for EmbedError {
    fn from(error: TransportError) -> Self {
        ModelError::from(error).into()
    }
}

impl From<EncodeError> for EmbedError {
    fn from(error: EncodeError) -> Self {
        ModelError::from(error).into()
    }
}
