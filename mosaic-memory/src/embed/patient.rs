//! Asking again where that can help.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, Runtime, RuntimeExt};

/// How often to ask, and how long to wait in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// How often at most, the first time included. 0 counts as 1.
    pub most: u32,
    /// The wait after the first failure; it doubles with each. A random half of it is left out, so that clients that
    /// failed together do not come back together.
    pub first_wait: Duration,
    /// The longest wait. A provider that asks for a longer one is not asked again: its error is given.
    pub longest_wait: Duration,
}

impl Default for Tries {
    fn default() -> Self {
        Self { most: 4, first_wait: Duration::from_millis(500), longest_wait: Duration::from_secs(30) }
    }
}

/// An embedder that asks the one inside again after a failure that can go away (see
/// [`EmbedError::is_retryable`]), waiting as the provider asks, and never beyond the request's deadline.
pub struct PatientEmbedder {
    inner: Arc<dyn Embedder>,
    runtime: Arc<dyn Runtime>,
    tries: Tries,
}

impl PatientEmbedder {
    /// That embedder, asked so often.
    #[must_use]
    pub fn new(inner: Arc<dyn Embedder>, runtime: Arc<dyn Runtime>, tries: Tries) -> Self {
        Self { inner, runtime, tries }
    }

    /// How long to wait after that many failures; `None` to give up.
    fn wait(&self, failures: u32, error: &EmbedError, request: &EmbedRequest) -> Option<Duration> {
        if failures >= self.tries.most || !error.is_retryable() {
            return None;
        }
        let doubled = self.tries.first_wait.saturating_mul(1_u32 << failures.saturating_sub(1).min(20));
        let doubled = doubled.min(self.tries.longest_wait);
        let kept = u32::try_from(self.runtime.random() % 512).unwrap_or(0) + 512;
        let wait = (doubled.saturating_mul(kept) / 1024).max(error.retry_after().unwrap_or_default());
        let now = self.runtime.now();
        let in_time = request.deadline.is_none_or(|deadline| now.after(wait) < deadline);
        (wait <= self.tries.longest_wait && in_time).then_some(wait)
    }
}

impl fmt::Debug for PatientEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientEmbedder")
            .field("inner", &self.inner)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Embedder for PatientEmbedder {
    fn info(&self) -> &EmbedderInfo {
        self.inner.info()
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        let mut failures = 0;
        loop {
            let error = match self.inner.embed(request.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            let Some(wait) = self.wait(failures, &error, &request) else { return Err(error) };
            tracing::debug!(%error, failures, ?wait, "an embedder is asked again");
            self.runtime.sleep(wait).await;
        }
    }
}
