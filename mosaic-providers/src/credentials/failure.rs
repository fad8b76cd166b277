//! A failure that many wait for, and how long it counts.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::transport::record::Secrets;
use mosaic_core::{ModelError, Timestamp};

/// After a failure that goes away by itself. Short: everybody waits for it.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);
/// After one that somebody must do something about. An authority locks out whoever asks with a wrong secret too often.
const AFTER_REFUSAL: Duration = Duration::from_secs(30);
/// However long the authority asks to wait: it may be right again sooner.
const LONGEST: Duration = Duration::from_secs(300);

/// A failure that many wait for. Its cause is left out, which cannot be copied; the message says what it said.
#[derive(Clone)]
pub(super) struct Failure {
    error: Arc<ModelError>,
    until: Timestamp,
}

impl Failure {
    /// Nobody asks again before the time that the error tells, or that its kind has.
    pub(super) fn new(mut error: ModelError, known: &Secrets, now: Timestamp) -> Self {
        known.clean(&mut error.message);
        let usual = if error.retryable { AFTER_TROUBLE } else { AFTER_REFUSAL };
        let wait = error.retry_after.unwrap_or(usual).min(LONGEST);
        Self { error: Arc::new(error), until: now.after(wait) }
    }

    /// Whether it still counts.
    pub(super) fn counts(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// The error, for one of those who wait. One that is worth trying again says when.
    pub(super) fn error(&self, now: Timestamp) -> ModelError {
        let from = &*self.error;
        let mut error = ModelError::new(from.kind, from.message.clone());
        error.retryable = from.retryable;
        error.retry_after = from.retryable.then(|| now.until(self.until));
        error.status = from.status;
        error.provider.clone_from(&from.provider);
        error.request_id.clone_from(&from.request_id);
        error
    }
}
