//! Jobs that come again.
//!
//! A store keeps when a schedule is due next and does not know what its expression means. Whoever finds one due plans its
//! firing ([`Scheduled::plan`], pure) and asks the store to carry it out ([`JobStore::fire`](super::JobStore::fire)), which the store
//! does for the first who asks. The job's deduplication key is made of the schedule and the time, so that even a firing that was
//! planned twice is one job.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::job::{MAX_TIME, check_name};
use super::{Dedup, DedupUntil, Job, NewJob, QueueError};
use crate::runtime::{Runtime, Timestamp};

#[cfg(feature = "cron")]
mod cron;

/// Bytes that the name of a schedule may have: with a time it is the deduplication key of a job.
pub const MAX_SCHEDULE_NAME: usize = 200;

/// The times that a schedule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum When {
    /// A cron expression, in UTC: five fields, or six with seconds first (`0 3 * * *`, `*/10 * * * * *`). Wants the feature `cron`.
    Cron {
        /// The expression.
        expression: Arc<str>,
    },
    /// Every so many milliseconds, counted from 1970.
    Every {
        /// Milliseconds.
        ms: u64,
    },
}

/// What to do about times that passed while nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missed {
    /// One job for all of them, at the last of them.
    #[default]
    FireOnce,
    /// None.
    Skip,
}

/// A job that comes again.
///
/// ```
/// use mosaic_core::queue::{NewJob, Schedule};
///
/// let nightly = Schedule::cron("nightly", "0 3 * * *", NewJob::new("consolidate", serde_json::json!({})));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Schedule {
    /// Its name, within the tenant of its job.
    pub name: Arc<str>,
    /// When.
    pub when: When,
    /// What. Its time and its deduplication key are replaced by those of the firing.
    pub job: NewJob,
    /// What to do about times that passed while nothing ran.
    pub missed: Missed,
    /// A time that passed longer ago counts as missed, in milliseconds. One minute.
    pub grace_ms: u64,
}

impl Schedule {
    /// A schedule by a cron expression in UTC.
    pub fn cron(name: impl Into<Arc<str>>, expression: impl Into<Arc<str>>, job: NewJob) -> Self {
        Self::new(name, When::Cron { expression: expression.into() }, job)
    }

    /// A schedule of equal steps, counted from 1970.
    pub fn every(name: impl Into<Arc<str>>, step: Duration, job: NewJob) -> Self {
        let ms = u64::try_from(step.as_millis()).unwrap_or(u64::MAX);
        Self::new(name, When::Every { ms }, job)
    }

    fn new(name: impl Into<Arc<str>>, when: When, job: NewJob) -> Self {
        Self { name: name.into(), when, job, missed: Missed::default(), grace_ms: 60_000 }
    }

    /// Sets what to do about times that passed while nothing ran.
    #[must_use]
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }

    /// Sets when a time counts as missed.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> &Arc<str> {
        &self.job.tenant
    }

    /// The first time after `after`.
    ///
    /// # Errors
    /// [`QueueError::Schedule`] when it says no such time; [`QueueError::Invalid`] for a name that cannot be.
    pub fn next(&self, after: Timestamp) -> Result<Timestamp, QueueError> {
        check_name("schedule's name", &self.name, false)?;
        if self.name.len() > MAX_SCHEDULE_NAME {
            let reason = format!("it has {} bytes, {MAX_SCHEDULE_NAME} are allowed", self.name.len());
            return Err(QueueError::Invalid { what: "schedule's name", reason });
        }
        let next = match &self.when {
            When::Every { ms: 0 } => return Err(self.bad("no time lies between its times".into())),
            When::Every { ms } => Timestamp((after.0 / ms).saturating_add(1).saturating_mul(*ms)),
            #[cfg(feature = "cron")]
            When::Cron { expression } => cron::next(expression, after).map_err(|reason| self.bad(reason))?,
            #[cfg(not(feature = "cron"))]
            When::Cron { .. } => return Err(self.bad(NO_CRON.into())),
        };
        if next > MAX_TIME { Err(self.bad("there is no next time".into())) } else { Ok(next) }
    }

    /// The last time up to and with `now`.
    fn last(&self, now: Timestamp) -> Result<Timestamp, QueueError> {
        match &self.when {
            When::Every { ms } => Ok(Timestamp(now.0 / (*ms).max(1) * ms)),
            #[cfg(feature = "cron")]
            When::Cron { expression } => cron::last(expression, now).map_err(|reason| self.bad(reason)),
            #[cfg(not(feature = "cron"))]
            When::Cron { .. } => Err(self.bad(NO_CRON.into())),
        }
    }

    fn bad(&self, reason: String) -> QueueError {
        let when = match &self.when {
            When::Cron { expression } => expression.to_string(),
            When::Every { ms } => format!("every {ms} ms"),
        };
        QueueError::Schedule { name: self.name.to_string(), when, reason }
    }
}

#[cfg(not(feature = "cron"))]
const NO_CRON: &str = "this build knows no cron; switch the feature `cron` on, or use `Schedule::every`";

/// A schedule as it stands in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The schedule.
    pub schedule: Schedule,
    /// When it is due next.
    pub next: Timestamp,
}

/// A schedule is due: what is to be done, for the first who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// Whose schedule.
    pub tenant: Arc<str>,
    /// Which.
    pub name: Arc<str>,
    /// When it was due, as far as the caller knows; if it is due at another time by now, nothing is done.
    pub due: Timestamp,
    /// When it is due next.
    pub next: Timestamp,
    /// The job to add; none when the time was missed and is skipped.
    pub job: Option<Job>,
}

impl Scheduled {
    /// What is to be done at a time; `None` when it is not due.
    ///
    /// | due | and now is | `FireOnce` | `Skip` |
    /// | --- | --- | --- | --- |
    /// | 3:00 | 3:00:05 | the job of 3:00 | the same |
    /// | 3:00 daily | three days later, 9:00 | the job of today's 3:00 | nothing |
    ///
    /// # Errors
    /// As [`Schedule::next`], and [`QueueError::Invalid`] when its job cannot be.
    pub fn plan(&self, runtime: &dyn Runtime) -> Result<Option<Firing>, QueueError> {
        let (now, schedule) = (runtime.now(), &self.schedule);
        if self.next > now {
            return Ok(None);
        }
        let at = schedule.last(now)?.max(self.next);
        let missed = at.until(now) > Duration::from_millis(schedule.grace_ms);
        let job = match (missed, schedule.missed) {
            (true, Missed::Skip) => None,
            _ => {
                let mut job = schedule.job.clone().run_at(at);
                let key = format!("{}@{}", schedule.name, at.0).into();
                job.dedup = Some(Dedup { key, until: DedupUntil::Ended });
                Some(job.job(runtime)?)
            }
        };
        let next = schedule.next(now)?;
        let (tenant, name) = (schedule.tenant().clone(), schedule.name.clone());
        Ok(Some(Firing { tenant, name, due: self.next, next, job }))
    }
}

#[cfg(test)]
mod tests;
