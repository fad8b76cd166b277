//! Queueing what follows a run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::queue::{Backoff, JobStore, NewJob, Queue};
use mosaic_core::{EndedRun, ErrorReport, RunEndHook, Runtime};

/// The end of a run is written right after its jobs are queued; so long they wait for it.
const UNTIL_WRITTEN: Duration = Duration::from_millis(200);
/// A job may find the run open: its process died before it wrote the end. Eight attempts take about ten minutes; whoever
/// ends the run after that queues the job anew.
const ATTEMPTS: u32 = 8;
const FIRST_WAIT_MS: u64 = 2_000;

type Make = dyn Fn(&EndedRun) -> NewJob + Send + Sync;

/// Queues jobs for every run that ends. All of them, or none.
///
/// ```
/// use mosaic_core::queue::NewJob;
/// use mosaic_memory::agent::AfterRun;
/// # use std::sync::Arc;
/// # let (jobs, runtime) = (Arc::new(mosaic_storage::RamStore::new()), Arc::new(mosaic_core::testing::TestRuntime::new(1)));
///
/// let hook = AfterRun::new(jobs, runtime)
///     .then("bill") // a job of this kind, with the `EndedRun` as payload
///     .then_job(|run| NewJob::new("greet", serde_json::json!({"user": run.user})));
/// ```
#[derive(Clone)]
pub struct AfterRun {
    queue: Queue,
    makes: Vec<Arc<Make>>,
}

impl fmt::Debug for AfterRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfterRun").field("jobs", &self.makes.len()).finish_non_exhaustive()
    }
}

impl AfterRun {
    /// Queues nothing yet.
    #[must_use]
    pub fn new(jobs: Arc<dyn JobStore>, runtime: Arc<dyn Runtime>) -> Self {
        Self { queue: Queue::new(jobs, runtime), makes: Vec::new() }
    }

    /// Queues a job of a kind too, as [`job`](Self::job) makes it.
    #[must_use]
    pub fn then(self, kind: impl Into<Arc<str>>) -> Self {
        let kind = kind.into();
        self.then_job(move |run| Self::job(kind.clone(), run))
    }

    /// Queues another job too. It is due a little later than it says, when the end of the run is written.
    #[must_use]
    pub fn then_job(mut self, make: impl Fn(&EndedRun) -> NewJob + Send + Sync + 'static) -> Self {
        self.makes.push(Arc::new(make));
        self
    }

    /// The job of a kind that follows a run, with the [`EndedRun`] as payload. A run that is told of twice has one, as long as the
    /// first one waits.
    #[must_use]
    pub fn job(kind: Arc<str>, run: &EndedRun) -> NewJob {
        // Names and numbers: they always can be written.
        let payload = serde_json::to_value(run).unwrap_or_default();
        let mut job = NewJob::new(kind, payload)
            .tenant(run.session.tenant.clone())
            .dedup_waiting(run.run.to_string())
            .max_attempts(ATTEMPTS);
        job.backoff = Backoff { first_ms: FIRST_WAIT_MS, ..Backoff::default() };
        job
    }
}

#[async_trait::async_trait]
impl RunEndHook for AfterRun {
    async fn run_ending(&self, run: &EndedRun) -> Result<(), ErrorReport> {
        let jobs = self.makes.iter().map(|make| make(run).delay(UNTIL_WRITTEN));
        self.queue.add_all(jobs).await.map(drop).map_err(|error| error.report())
    }
}
