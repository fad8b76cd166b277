//! What a job is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::QueueError;
use crate::error::ErrorReport;
use crate::id::SessionKey;
use crate::runtime::{Runtime, RuntimeExt as _, Timestamp};

/// Bytes of JSON that a payload may have: 1 MiB. What is larger belongs into a store of its own; name it in the payload.
pub const MAX_PAYLOAD: usize = 1 << 20;
/// Bytes that a tenant, a kind, a schedule's name or a deduplication key may have.
pub const MAX_NAME: usize = 255;
/// The last time that a job can be due: the end of the year 9999.
pub const MAX_TIME: Timestamp = Timestamp(253_402_300_799_999);

/// Which job: a UUIDv7, so that ids sort by the time of their making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub Uuid);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a job stands. One that is done is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobState {
    /// Waits for its time and for a worker.
    Waiting,
    /// A worker has it.
    Running,
    /// It failed for good: a dead letter.
    Dead,
}

/// How long to wait before the next attempt: `first * factor^(attempt - 1)`, at most `most`, of which the later half is
/// left to chance, so that jobs that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Backoff {
    /// After the first attempt, in milliseconds.
    pub first_ms: u64,
    /// How much longer each wait is than the one before.
    pub factor: u32,
    /// No wait is longer, in milliseconds.
    pub most_ms: u64,
}

impl Default for Backoff {
    /// 5 s, 10 s, 20 s ... 15 min.
    fn default() -> Self {
        Self { first_ms: 5_000, factor: 2, most_ms: 900_000 }
    }
}

impl Backoff {
    /// The wait after so many attempts, by 64 random bits.
    #[must_use]
    pub fn wait(&self, attempts: u32, random: u64) -> Duration {
        let factor = u64::from(self.factor.max(1)).saturating_pow(attempts.saturating_sub(1));
        let whole = self.first_ms.saturating_mul(factor).min(self.most_ms);
        let half = whole / 2;
        Duration::from_millis(half.saturating_add(random % (whole - half).max(1)))
    }
}

/// What keeps the same work from being queued twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dedup {
    /// Among the jobs of one tenant and kind, at most one holds a key.
    pub key: Arc<str>,
    /// Until when the job holds it.
    pub until: DedupUntil,
}

/// Until when a job holds its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DedupUntil {
    /// Until it is done or dead. A job added while it runs is dropped.
    #[default]
    Ended,
    /// Until an attempt starts. For jobs that look at what there is when they start: what comes later needs another.
    Started,
}

/// A job to be added.
///
/// ```
/// use mosaic_core::queue::NewJob;
/// use std::time::Duration;
///
/// let job = NewJob::new("extract", serde_json::json!({"session": "user-42"}))
///     .tenant("acme")
///     .delay(Duration::from_secs(30))
///     .priority(10)
///     .dedup("user-42")
///     .max_attempts(3);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewJob {
    /// Whose job it is.
    pub tenant: Arc<str>,
    /// Which handler runs it.
    pub kind: Arc<str>,
    /// What the handler is told.
    pub payload: Value,
    /// When it is due: a time, or so long after it is added.
    pub due: Due,
    /// Higher goes first.
    pub priority: i32,
    /// What keeps the same work from being queued twice.
    pub dedup: Option<Dedup>,
    /// So often it is tried; from 1.
    pub max_attempts: u32,
    /// How long to wait between attempts.
    pub backoff: Backoff,
    /// How long an attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

/// When a job is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Due {
    /// At a time; one that has passed is now.
    At {
        /// The time.
        at: Timestamp,
    },
    /// So long after it is added.
    In {
        /// Milliseconds.
        ms: u64,
    },
}

impl NewJob {
    /// A job that is due now, of the default tenant: five attempts of ten minutes each.
    pub fn new(kind: impl Into<Arc<str>>, payload: Value) -> Self {
        Self {
            tenant: SessionKey::DEFAULT_TENANT.into(),
            kind: kind.into(),
            payload,
            due: Due::In { ms: 0 },
            priority: 0,
            dedup: None,
            max_attempts: 5,
            backoff: Backoff::default(),
            timeout_ms: 600_000,
        }
    }

    /// Sets whose job it is.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// Lets it wait so long from when it is added.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.due = Due::In { ms: millis(delay) };
        self
    }

    /// Lets it wait until a time.
    #[must_use]
    pub fn run_at(mut self, at: Timestamp) -> Self {
        self.due = Due::At { at };
        self
    }

    /// Sets the priority: higher goes first.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Drops this job when one with the same key waits or runs.
    #[must_use]
    pub fn dedup(mut self, key: impl Into<Arc<str>>) -> Self {
        self.dedup = Some(Dedup { key: key.into(), until: DedupUntil::Ended });
        self
    }

    /// Drops this job when one with the same key waits; one that has started does not count.
    #[must_use]
    pub fn dedup_waiting(mut self, key: impl Into<Arc<str>>) -> Self {
        self.dedup = Some(Dedup { key: key.into(), until: DedupUntil::Started });
        self
    }

    /// Sets how often it is tried.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets how long to wait between attempts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets how long an attempt may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout_ms = millis(timeout);
        self
    }

    /// The job as a store takes it: checked, with an id and a time.
    ///
    /// # Errors
    /// [`QueueError::Invalid`], which names what is wrong.
    pub fn job(self, runtime: &dyn Runtime) -> Result<Job, QueueError> {
        let now = runtime.now();
        let run_at = match self.due {
            Due::At { at } => at,
            Due::In { ms } => now.after(Duration::from_millis(ms)),
        };
        check_name("tenant", &self.tenant, true)?;
        check_name("kind", &self.kind, false)?;
        if let Some(dedup) = &self.dedup {
            check_name("deduplication key", &dedup.key, true)?;
        }
        let invalid = |what, reason: String| Err(QueueError::Invalid { what, reason });
        if run_at > MAX_TIME {
            return invalid("time", format!("{run_at} is after the year 9999"));
        }
        if self.max_attempts == 0 || i32::try_from(self.max_attempts).is_err() {
            return invalid(
                "number of attempts",
                format!("{} is not from 1 to {}", self.max_attempts, i32::MAX),
            );
        }
        if self.timeout_ms == 0 {
            return invalid("timeout", "an attempt needs more than no time".into());
        }
        let size = serde_json::to_vec(&self.payload).map_or(usize::MAX, |json| json.len());
        if size > MAX_PAYLOAD {
            return invalid(
                "payload",
                format!("it has {size} bytes, {MAX_PAYLOAD} are allowed; store it elsewhere and name it"),
            );
        }
        Ok(Job {
            id: JobId(runtime.uuid()),
            tenant: self.tenant,
            kind: self.kind,
            payload: self.payload,
            priority: self.priority,
            dedup: self.dedup,
            rules: Rules {
                max_attempts: self.max_attempts,
                backoff: self.backoff,
                timeout_ms: self.timeout_ms.min(MAX_TIME.0),
            },
            run_at,
            state: JobState::Waiting,
            attempt: 0,
            epoch: 0,
            owner: None,
            visible_until: None,
            created: now,
            error: None,
        })
    }
}

/// What bounds the attempts of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// So often it is tried.
    pub max_attempts: u32,
    /// How long to wait between attempts.
    pub backoff: Backoff,
    /// How long an attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

/// A job as it stands in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which.
    pub id: JobId,
    /// Whose.
    pub tenant: Arc<str>,
    /// Which handler runs it.
    pub kind: Arc<str>,
    /// What the handler is told.
    pub payload: Value,
    /// Higher goes first.
    pub priority: i32,
    /// What keeps the same work from being queued twice.
    pub dedup: Option<Dedup>,
    /// What bounds its attempts.
    pub rules: Rules,
    /// When it is due.
    pub run_at: Timestamp,
    /// Where it stands.
    pub state: JobState,
    /// How many attempts have started.
    pub attempt: u32,
    /// How often it was claimed: what a worker's lease is told by.
    pub epoch: u64,
    /// Who has it, while it runs.
    pub owner: Option<Arc<str>>,
    /// Until when its worker promised to be heard of, while it runs.
    pub visible_until: Option<Timestamp>,
    /// When it was added.
    pub created: Timestamp,
    /// Why the last attempt failed.
    pub error: Option<ErrorReport>,
}

impl Job {
    /// The lease of the attempt that runs.
    #[must_use]
    pub fn lease(&self) -> JobLease {
        JobLease { id: self.id, epoch: self.epoch }
    }

    /// How long an attempt may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.rules.timeout_ms)
    }
}

/// The right to end an attempt of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobLease {
    /// Which job.
    pub id: JobId,
    /// Greater than that of every claim of this job before; only the newest may settle it.
    pub epoch: u64,
}

/// Names are text that every store can keep: no NUL (Postgres has none), not too long for an index.
pub(super) fn check_name(what: &'static str, name: &str, may_be_empty: bool) -> Result<(), QueueError> {
    let reason = if name.is_empty() && !may_be_empty {
        "it is empty".to_owned()
    } else if name.len() > MAX_NAME {
        format!("it has {} bytes, {MAX_NAME} are allowed", name.len())
    } else if name.contains('\0') {
        "it holds a NUL".to_owned()
    } else {
        return Ok(());
    };
    Err(QueueError::Invalid { what, reason })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
