//! What a host holds.

use std::sync::Arc;
use std::time::Duration;

use super::attempt::{Attempts, Ended, Patience};
use super::handler::Handlers;
use super::{Claim, Enqueued, Handler, JobStore, NewJob, QueueError, Schedule, Worker, worker};
use crate::runtime::{Runtime, Timestamp};
use crate::tool::CancelToken;

/// A store of jobs with a clock and handlers. Cloned freely.
#[derive(Debug, Clone)]
pub struct Queue {
    pub(super) store: Arc<dyn JobStore>,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) handlers: Handlers,
    pub(super) options: QueueOptions,
}

/// How jobs are run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueOptions {
    /// So many jobs a worker runs at once. 4.
    pub concurrency: u32,
    /// So long may an attempt not be heard of. It says so three times as often. 30 s.
    pub visibility: Duration,
    /// So often a worker looks for jobs that nobody rang for: those of other processes on SQLite, for one. 2 s.
    pub poll: Duration,
    /// So long may a handler that listens tidy up when it is to stop. 5 s.
    pub grace: Duration,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            visibility: Duration::from_secs(30),
            poll: Duration::from_secs(2),
            grace: Duration::from_secs(5),
        }
    }
}

/// What [`Queue::run_due_jobs`] may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// At most so many jobs.
    pub jobs: u32,
    /// After so long no other job is started; the one that runs ends, at the latest by its own timeout.
    pub time: Duration,
}

impl Budget {
    /// So many jobs, however long they take.
    #[must_use]
    pub fn jobs(jobs: u32) -> Self {
        Self { jobs, time: Duration::MAX }
    }

    /// As many jobs as can be started in a time.
    #[must_use]
    pub fn time(time: Duration) -> Self {
        Self { jobs: u32::MAX, time }
    }
}

/// What [`Queue::run_due_jobs`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RunReport {
    /// Attempts that ended well.
    pub done: u32,
    /// Attempts that failed and will be tried again.
    pub retried: u32,
    /// Jobs that are dead letters now.
    pub dead: u32,
    /// Attempts whose job was taken away meanwhile.
    pub lost: u32,
    /// When there is something to do next: now, if the budget is what ended it.
    pub next_due: Option<Timestamp>,
}

impl Queue {
    /// A queue without handlers: it can add jobs and look after them.
    pub fn new(store: Arc<dyn JobStore>, runtime: Arc<dyn Runtime>) -> Self {
        Self { store, runtime, handlers: Handlers::default(), options: QueueOptions::default() }
    }

    /// Adds a handler; it replaces the one of its kind.
    #[must_use]
    pub fn handler(mut self, handler: impl Handler + 'static) -> Self {
        self.handlers.0.insert(handler.kind().into(), Arc::new(handler));
        self
    }

    /// Adds a handler that is shared already; it replaces the one of its kind.
    #[must_use]
    pub fn shared_handler(mut self, handler: Arc<dyn Handler>) -> Self {
        self.handlers.0.insert(handler.kind().into(), handler);
        self
    }

    /// Sets how jobs are run.
    #[must_use]
    pub fn options(mut self, change: impl FnOnce(&mut QueueOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// The store: to list, retry, remove, pause.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn JobStore> {
        &self.store
    }

    /// Adds a job, durably.
    ///
    /// # Errors
    /// [`QueueError::Invalid`], and what the store says.
    pub async fn add(&self, job: NewJob) -> Result<Enqueued, QueueError> {
        let job = job.job(&*self.runtime)?;
        let id = job.id;
        let added = self.store.enqueue(vec![job]).await?;
        Ok(added.first().copied().unwrap_or(Enqueued::Added(id)))
    }

    /// Adds jobs, all or none.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn add_all(&self, jobs: impl IntoIterator<Item = NewJob>) -> Result<Vec<Enqueued>, QueueError> {
        let jobs: Result<Vec<_>, _> = jobs.into_iter().map(|job| job.job(&*self.runtime)).collect();
        self.store.enqueue(jobs?).await
    }

    /// Adds a schedule, or replaces the one of its name. Called at every start it misses nothing: a schedule that says the same
    /// times as before keeps when it is due next.
    ///
    /// # Errors
    /// [`QueueError::Schedule`], [`QueueError::Invalid`], and what the store says.
    pub async fn schedule(&self, schedule: Schedule) -> Result<(), QueueError> {
        // What it will make must be a job.
        schedule.job.clone().job(&*self.runtime)?;
        let next = schedule.next(self.runtime.now())?;
        self.store.put_schedule(schedule, next).await
    }

    /// Runs what is due, one after the other, without any task in the background: for hosts that have none.
    ///
    /// Heartbeats are sent while this future is polled. Dropping it gives the job that runs back.
    ///
    /// # Errors
    /// What the store says. Failures of jobs are no errors: they are counted in the report. A job whose end the store would not take
    /// stays this handle's until it is revoked or the store is closed.
    pub async fn run_due_jobs(&self, budget: Budget) -> Result<RunReport, QueueError> {
        let (started, mut report) = (self.runtime.now(), RunReport::default());
        let attempts = Attempts::new(self, CancelToken::default(), Patience::Little);
        let mut left = budget.jobs;
        while left > 0 && started.until(self.runtime.now()) < budget.time {
            self.fire_schedules().await?;
            let Some(job) = self.claim(1).await?.pop() else { break };
            left -= 1;
            match attempts.run(job).await {
                Ended::Done => report.done += 1,
                Ended::Retried => report.retried += 1,
                Ended::Dead => report.dead += 1,
                Ended::Released => {}
                Ended::Lost => report.lost += 1,
                Ended::Unsettled(error) => return Err(error),
            }
        }
        report.next_due = self.store.next_due(&self.kinds()).await?;
        Ok(report)
    }

    /// When there is something to do next for these handlers; `None` when nothing waits.
    ///
    /// # Errors
    /// What the store says.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, QueueError> {
        self.store.next_due(&self.kinds()).await
    }

    /// Starts a worker in the background.
    #[must_use = "a worker that is dropped takes no more jobs"]
    pub fn start(&self) -> Worker {
        worker::start(self.clone())
    }

    pub(super) fn kinds(&self) -> Vec<Arc<str>> {
        self.handlers.0.keys().cloned().collect()
    }

    pub(super) async fn claim(&self, limit: u32) -> Result<Vec<super::Job>, QueueError> {
        if self.handlers.0.is_empty() {
            return Ok(Vec::new());
        }
        let claim = Claim { kinds: self.kinds(), limit, visibility: self.options.visibility };
        self.store.claim(claim, self.runtime.now()).await
    }

    /// Fires the schedules that are due. One that cannot be is left, and said; it must not keep others from firing.
    pub(super) async fn fire_schedules(&self) -> Result<(), QueueError> {
        for scheduled in self.store.schedules(None, Some(self.runtime.now())).await? {
            match scheduled.plan(&*self.runtime) {
                Ok(Some(firing)) => drop(self.store.fire(firing).await?),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a schedule cannot be fired"),
            }
        }
        Ok(())
    }
}
