//! Small words that the rules are written in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::Broken;
use crate::error::{ErrorKind, ErrorReport};
use crate::queue::{Claim, Enqueued, Job, JobFilter, JobId, JobPage, JobStore, NewJob, QueueError};
use crate::runtime::Timestamp;
use crate::testing::TestRuntime;

/// Breaks the rule unless two are the same.
macro_rules! ensure_eq {
    ($found:expr, $due:expr, $($what:tt)+) => {
        match (&$found, &$due) {
            (found, due) if found == due => {}
            (found, due) => return Err(super::Broken(format!("{}: {found:?}, not {due:?}", format!($($what)+)))),
        }
    };
}

/// Breaks the rule unless a call is told that its attempt is lost.
macro_rules! ensure_lost {
    ($result:expr, $($what:tt)+) => {
        match $result {
            Err(crate::queue::QueueError::Lost { .. }) => {}
            other => return Err(super::Broken(format!("{}: `Lost` is due, not {other:?}", format!($($what)+)))),
        }
    };
}

pub(super) use crate::conformance::{Check, ensure};
pub(super) use {ensure_eq, ensure_lost};

/// The time of the rules: so many seconds after the start.
pub(super) fn at(seconds: u64) -> Timestamp {
    TestRuntime::START.after(Duration::from_secs(seconds))
}

/// A job of kind `k` that is due at 0.
pub(super) fn new() -> NewJob {
    NewJob::new("k", json!({"n": 1}))
}

/// The job with an id that no other has.
pub(super) fn job(new: NewJob) -> Result<Job, Broken> {
    static SEED: AtomicU64 = AtomicU64::new(1);
    Ok(new.job(&TestRuntime::new(SEED.fetch_add(1, Ordering::Relaxed)))?)
}

pub(super) async fn add(store: &dyn JobStore, new: NewJob) -> Result<JobId, Broken> {
    let job = job(new)?;
    let id = job.id;
    match store.enqueue(vec![job]).await?.as_slice() {
        [Enqueued::Added(added)] if *added == id => Ok(id),
        other => Err(Broken(format!("adding a job gave {other:?}"))),
    }
}

/// Adds a job that must be dropped; gives the one in its way.
pub(super) async fn add_second(store: &dyn JobStore, new: NewJob) -> Result<JobId, Broken> {
    match store.enqueue(vec![job(new)?]).await?.as_slice() {
        [Enqueued::Duplicate(id)] => Ok(*id),
        other => Err(Broken(format!("adding a job whose key is held gave {other:?}"))),
    }
}

/// Claims jobs of kind `k`.
pub(super) async fn claim(store: &dyn JobStore, limit: u32, now: Timestamp) -> Result<Vec<Job>, QueueError> {
    claim_of(store, &["k"], limit, now).await
}

pub(super) async fn claim_of(
    store: &dyn JobStore,
    kinds: &[&str],
    limit: u32,
    now: Timestamp,
) -> Result<Vec<Job>, QueueError> {
    let kinds = kinds.iter().map(|kind| Arc::from(*kind)).collect();
    store.claim(Claim { kinds, limit, visibility: Duration::from_secs(30) }, now).await
}

/// Claims the one job that there is.
pub(super) async fn claim_one(store: &dyn JobStore, now: Timestamp) -> Result<Job, Broken> {
    let mut jobs = claim(store, 10, now).await?;
    match (jobs.pop(), jobs.len()) {
        (Some(job), 0) => Ok(job),
        (_, more) => Err(Broken(format!("one job was to be claimed; there came none, or {more} more"))),
    }
}

pub(super) fn ids(jobs: &[Job]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

pub(super) async fn find(store: &dyn JobStore, id: JobId) -> Result<Option<Job>, QueueError> {
    Ok(store.list(&JobFilter::one(id), JobPage::default()).await?.pop())
}

pub(super) async fn get(store: &dyn JobStore, id: JobId) -> Result<Job, Broken> {
    find(store, id).await?.ok_or_else(|| Broken(format!("job {id} is gone")))
}

pub(super) fn why() -> ErrorReport {
    let mut report = ErrorReport::new(ErrorKind::Overloaded, "no capacity \u{1F40C} \0 today");
    report.retry_after_ms = Some(1500);
    report.chain.push("because".into());
    report
}
