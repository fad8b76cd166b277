//! Queueing what follows a run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::queue::{Backoff, JobStore, NewJob, Queue};
use mosaic_core::{EndedRun, ErrorReport, RunEndHook, Runtime};
use serde_json::Value;

/// The end of a run is written right after its jobs are queued; so long they wait for it.
const UNTIL_WRITTEN: Duration = Duration::from_millis(200);
/// A job may find the run open: its process died before it wrote the end. Eight attempts take about ten minutes; whoever
/// ends the run after that queues the job anew.
const ATTEMPTS: u32 = 8;
const FIRST_WAIT_MS: u64 = 2_000;

/// Queues a job of each of some kinds for every run that ends, with the [`EndedRun`] as payload.
///
/// A run that is told of twice has one job, as long as the first one waits.
#[derive(Clone)]
pub struct AfterRun {
    queue: Queue,
    kinds: Vec<Arc<str>>,
}

impl fmt::Debug for AfterRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfterRun").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

impl AfterRun {
    /// Queues nothing yet.
    #[must_use]
    pub fn new(jobs: Arc<dyn JobStore>, runtime: Arc<dyn Runtime>) -> Self {
        Self { queue: Queue::new(jobs, runtime), kinds: Vec::new() }
    }

    /// Queues a job of a kind too.
    #[must_use]
    pub fn then(mut self, kind: impl Into<Arc<str>>) -> Self {
        self.kinds.push(kind.into());
        self
    }

    /// The job of a kind that follows a run.
    ///
    /// # Errors
    /// None in practice: a run serializes.
    pub fn job(kind: Arc<str>, run: &EndedRun) -> Result<NewJob, serde_json::Error> {
        let payload: Value = serde_json::to_value(run)?;
        let mut job = NewJob::new(kind, payload)
            .tenant(run.session.tenant.clone())
            .delay(UNTIL_WRITTEN)
            .dedup_waiting(run.run.to_string())
            .max_attempts(ATTEMPTS);
        job.backoff = Backoff { first_ms: FIRST_WAIT_MS, ..Backoff::default() };
        Ok(job)
    }
}

#[async_trait::async_trait]
impl RunEndHook for AfterRun {
    async fn run_ending(&self, run: &EndedRun) -> Result<(), ErrorReport> {
        let failed =
            |error: serde_json::Error| ErrorReport::new(mosaic_core::ErrorKind::Internal, error.to_string());
        let jobs: Result<Vec<NewJob>, _> =
            self.kinds.iter().map(|kind| Self::job(kind.clone(), run).map_err(failed)).collect();
        self.queue.add_all(jobs?).await.map(drop).map_err(|error| error.report())
    }
}
