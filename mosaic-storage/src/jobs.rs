//! A job as the databases have it: numbers, text and JSON.

use mosaic_core::Timestamp;
use mosaic_core::queue::{Dedup, DedupUntil, Job, JobId, JobState};
use uuid::Uuid;

pub(crate) const WAITING: i16 = 0;
pub(crate) const RUNNING: i16 = 1;
pub(crate) const DEAD: i16 = 2;

/// What a job says that nobody ended.
pub(crate) fn abandoned() -> String {
    let text = "the process that ran the job ended before the job did";
    json(&mosaic_core::ErrorReport::new(mosaic_core::ErrorKind::Incomplete, text))
}

/// Our own types are JSON always: their keys are text, their numbers finite.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A time as databases have it.
pub(crate) fn to_sql(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

pub(crate) fn from_sql(at: i64) -> Timestamp {
    Timestamp(u64::try_from(at).unwrap_or(0))
}

pub(crate) fn state_to_sql(state: JobState) -> i16 {
    match state {
        JobState::Waiting => WAITING,
        JobState::Running => RUNNING,
        // There is no other; one to come would have to be told here.
        _ => DEAD,
    }
}

/// The key, and whether the job holds it until its start only.
pub(crate) fn dedup_to_sql(job: &Job) -> (Option<String>, bool) {
    match &job.dedup {
        Some(dedup) => (Some(dedup.key.to_string()), dedup.until == DedupUntil::Started),
        None => (None, false),
    }
}

/// A row.
pub(crate) struct Stored {
    pub(crate) id: Uuid,
    pub(crate) tenant: String,
    pub(crate) kind: String,
    pub(crate) state: i16,
    pub(crate) priority: i32,
    pub(crate) run_at: i64,
    pub(crate) attempt: i32,
    pub(crate) epoch: i64,
    pub(crate) owner: Option<String>,
    pub(crate) visible_until: Option<i64>,
    pub(crate) created: i64,
    pub(crate) dedup: Option<String>,
    pub(crate) until_start: bool,
    pub(crate) rules: String,
    pub(crate) payload: String,
    pub(crate) error: Option<String>,
}

/// The columns of a [`Stored`], in the order of its fields.
pub(crate) const COLUMNS: &str = "id, tenant, kind, state, priority, run_at, attempt, epoch, owner, visible_until, created, \
                                  dedup, until_start, rules, payload, error";

impl Stored {
    /// The job; or what in the row is not what was written.
    pub(crate) fn job(self) -> Result<Job, String> {
        let bad = |column: &str, error: serde_json::Error| {
            format!("job {}: its {column} is no such thing: {error}", self.id)
        };
        let until = if self.until_start { DedupUntil::Started } else { DedupUntil::Ended };
        Ok(Job {
            id: JobId(self.id),
            payload: serde_json::from_str(&self.payload).map_err(|error| bad("payload", error))?,
            rules: serde_json::from_str(&self.rules).map_err(|error| bad("rules", error))?,
            error: match &self.error {
                Some(error) => Some(serde_json::from_str(error).map_err(|fault| bad("error", fault))?),
                None => None,
            },
            state: match self.state {
                WAITING => JobState::Waiting,
                RUNNING => JobState::Running,
                DEAD => JobState::Dead,
                other => return Err(format!("job {}: there is no state {other}", self.id)),
            },
            tenant: self.tenant.into(),
            kind: self.kind.into(),
            priority: self.priority,
            dedup: self.dedup.map(|key| Dedup { key: key.into(), until }),
            run_at: from_sql(self.run_at),
            attempt: u32::try_from(self.attempt).unwrap_or(0),
            epoch: u64::try_from(self.epoch).unwrap_or(0),
            owner: self.owner.map(Into::into),
            visible_until: self.visible_until.map(from_sql),
            created: from_sql(self.created),
        })
    }
}

/// In the order in which they are to be run.
pub(crate) fn sort_due(jobs: &mut [Job]) {
    jobs.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.run_at, job.id));
}
