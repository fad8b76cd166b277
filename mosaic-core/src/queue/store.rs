//! The contract of a store of jobs.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use super::{Ear, Firing, Job, JobId, JobLease, JobState, QueueError, Schedule, Scheduled};
use crate::error::ErrorReport;
use crate::runtime::Timestamp;

/// Which jobs a worker wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The kinds that it has handlers of. Others are left alone.
    pub kinds: Vec<Arc<str>>,
    /// At most so many.
    pub limit: u32,
    /// How long it may be silent.
    pub visibility: Duration,
}

/// How an attempt ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Well: the job is gone.
    Done,
    /// It is to be tried again.
    Retry {
        /// When.
        at: Timestamp,
        /// Why.
        error: ErrorReport,
    },
    /// It has failed for good.
    Dead {
        /// Why.
        error: ErrorReport,
    },
    /// It was not really tried: the attempt does not count, and the job is due as it was.
    Released,
}

/// What became of a job that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enqueued {
    /// It was added.
    Added(JobId),
    /// There is one with its deduplication key (or with its own id): this one.
    Duplicate(JobId),
}

impl Enqueued {
    /// The job that does the work.
    #[must_use]
    pub fn id(self) -> JobId {
        match self {
            Self::Added(id) | Self::Duplicate(id) => id,
        }
    }
}

/// Which jobs: those that fit all that is given. The empty filter means all jobs of all tenants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Of this tenant.
    pub tenant: Option<Arc<str>>,
    /// Of this kind.
    pub kind: Option<Arc<str>>,
    /// In this state.
    pub state: Option<JobState>,
    /// This one.
    pub id: Option<JobId>,
}

impl JobFilter {
    /// All jobs of a tenant.
    pub fn of(tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: Some(tenant.into()), ..Self::default() }
    }

    /// One job.
    #[must_use]
    pub fn one(id: JobId) -> Self {
        Self { id: Some(id), ..Self::default() }
    }

    /// Only those of a kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<Arc<str>>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Only those in a state.
    #[must_use]
    pub fn state(mut self, state: JobState) -> Self {
        self.state = Some(state);
        self
    }

    /// Whether a job fits.
    #[must_use]
    pub fn fits(&self, job: &Job) -> bool {
        self.tenant.as_ref().is_none_or(|tenant| *tenant == job.tenant)
            && self.kind.as_ref().is_none_or(|kind| *kind == job.kind)
            && self.state.is_none_or(|state| state == job.state)
            && self.id.is_none_or(|id| id == job.id)
    }
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPage {
    /// Only ids after this one: the last of the page before.
    pub after: Option<JobId>,
    /// At most so many.
    pub limit: u32,
}

impl Default for JobPage {
    fn default() -> Self {
        Self { after: None, limit: 100 }
    }
}

/// What is paused: no job of it starts; what runs goes on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pause {
    /// The whole queue.
    Everything,
    /// One kind of job.
    Kind(Arc<str>),
}

/// How many jobs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Wait, due or not.
    pub waiting: u64,
    /// Run.
    pub running: u64,
    /// Are dead letters.
    pub dead: u64,
}

/// Keeps jobs, and gives each attempt to one worker.
///
/// Time is what the caller says (`now`, `until`); a store has no clock of its own.
///
/// # Contract
/// * **Durable.** What `enqueue`, `settle` and `fire` have returned for survives what the store's durability promises.
/// * **Order.** `claim` gives jobs that are due, highest priority first, then by time, then by id. Never one that is paused, of
///   another kind, or not due.
/// * **One worker an attempt.** A job that was claimed is given to nobody else until it is settled, revoked or removed, or
///   **its owner is gone**. An owner is an open handle of the store. Time alone never frees a job: a worker that is late, because
///   the machine is busy, keeps it. How a store knows that an owner is gone, it documents; it may want `visible_until` to have
///   passed besides.
/// * **Death counts.** A job whose owner is gone starts its next attempt; when that was its last, it is dead.
/// * **Fencing.** `heartbeat` and `settle` with a lease that is not that of the running attempt are [`QueueError::Lost`], for ever,
///   and change nothing.
/// * **Deduplication.** Among the jobs of a tenant and kind, at most one holds a key. One that would be the second is dropped.
///   A job gives its key back when it ends (or starts: [`DedupUntil`](super::DedupUntil)), and does not take it again.
/// * **Firing.** `fire` adds its job and moves the schedule on, both or neither, and only from the time that the caller expects:
///   so a time is fired once, by one process.
/// * **Scope.** What is asked for one tenant gives nothing of another.
/// * **Gone.** What was removed, or is done, nothing gives any more, for ever. When `scrub` has returned after that, it has left no trace
///   in the store's files either, at the latest when nobody reads any more who began before.
/// * **Dropped futures.** A call that is dropped leaves all or nothing of its work behind; a claim that is dropped leaves no job
///   claimed for long.
///
/// The suite that checks this is `mosaic_core::queue::conformance` (feature `testing`).
#[async_trait::async_trait]
pub trait JobStore: Debug + Send + Sync {
    /// Adds jobs, all or none; says of each what became of it.
    async fn enqueue(&self, jobs: Vec<Job>) -> Result<Vec<Enqueued>, QueueError>;

    /// Starts attempts: jobs that are due, now this handle's.
    async fn claim(&self, claim: Claim, now: Timestamp) -> Result<Vec<Job>, QueueError>;

    /// When the next of these kinds (that is not paused), or the next schedule, is due. `None`: nothing waits.
    async fn next_due(&self, kinds: &[Arc<str>]) -> Result<Option<Timestamp>, QueueError>;

    /// Says that an attempt goes on, and will be heard of again until then.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    async fn heartbeat(&self, lease: JobLease, until: Timestamp) -> Result<(), QueueError>;

    /// Ends an attempt.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    async fn settle(&self, lease: JobLease, outcome: Outcome) -> Result<(), QueueError>;

    /// Jobs in the order of their ids.
    async fn list(&self, filter: &JobFilter, page: JobPage) -> Result<Vec<Job>, QueueError>;

    /// How many jobs there are, of one tenant or of all.
    async fn counts(&self, tenant: Option<&str>) -> Result<Counts, QueueError>;

    /// Removes jobs in whatever state; the workers of those that run lose them. Says how many. Nobody can read them any more; whoever
    /// erases (the jobs of a user, say) removes them all and then calls [`scrub`](Self::scrub), once.
    async fn remove(&self, filter: &JobFilter) -> Result<u64, QueueError>;

    /// Takes every trace of what is gone out of the store's medium: of jobs that were removed or are done, of schedules, of what jobs
    /// and schedules said before they changed. What is there stays as it is. All or nothing: after an error it is to be done again. It may take
    /// as long as writing all jobs, and others wait that long with changes. What a store cannot reach (backups, logs of a server), it documents.
    ///
    /// # Errors
    /// A store that was written before this was asked for says [`StoreError::Other`](crate::StoreError::Other).
    async fn scrub(&self) -> Result<(), QueueError> {
        let source = "what was removed may have left traces: this store cannot take them away".into();
        Err(crate::StoreError::Other { store: "a store".into(), action: "scrubbing jobs", source }.into())
    }

    /// Lets dead jobs start anew, with all their attempts, now. Others that fit are left alone. Says how many.
    async fn retry_dead(&self, filter: &JobFilter, now: Timestamp) -> Result<u64, QueueError>;

    /// Takes running jobs from their workers, by hand: for a worker that lives and hangs. They are due at once. Others that fit
    /// are left alone. Says how many.
    async fn revoke(&self, filter: &JobFilter) -> Result<u64, QueueError>;

    /// Lets no job of it start any more, in any process.
    async fn pause(&self, what: &Pause) -> Result<(), QueueError>;

    /// Ends a pause of just this.
    async fn resume(&self, what: &Pause) -> Result<(), QueueError>;

    /// What is paused.
    async fn paused(&self) -> Result<Vec<Pause>, QueueError>;

    /// Adds a schedule, or replaces the one of its name. One that says the same times as before keeps when it is due next.
    async fn put_schedule(&self, schedule: Schedule, next: Timestamp) -> Result<(), QueueError>;

    /// Removes a schedule; says whether there was one. Jobs that it made stay. As with jobs, [`scrub`](Self::scrub) takes the traces.
    async fn remove_schedule(&self, tenant: &str, name: &str) -> Result<bool, QueueError>;

    /// Schedules by tenant and name: of one tenant, or those that are due by a time, or both, or all.
    async fn schedules(
        &self,
        tenant: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<Vec<Scheduled>, QueueError>;

    /// Fires a schedule; says whether it did. It does not when the schedule is gone or was fired by another.
    async fn fire(&self, firing: Firing) -> Result<bool, QueueError>;

    /// Hears when jobs may have become due. Also when they have not; and where another process added them, perhaps not.
    fn ear(&self) -> Ear;

    /// Whether a job can be lost by silence while its owner lives: where the proof of life can break, as a connection can. A worker
    /// stops an attempt that was not heard of in time only then.
    fn silence_frees(&self) -> bool {
        false
    }

    /// Lets go of everything: the jobs of this handle are released. Calls after this fail.
    async fn close(&self) -> Result<(), QueueError>;
}
