//! A queue in RAM that can fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use mosaic_core::queue::{
    Claim, Counts, Ear, Enqueued, Firing, Job, JobFilter, JobLease, JobPage, JobStore, Outcome, Pause,
    QueueError, RamQueue, Schedule, Scheduled,
};
use mosaic_core::{StoreError, Timestamp};

/// A store that can be deaf to heartbeats and refuse ends, and counts the claims.
#[derive(Debug, Default)]
pub(crate) struct Faulty {
    store: RamQueue,
    pub(crate) binding: AtomicBool,
    pub(crate) deaf: AtomicBool,
    pub(crate) refusals: AtomicU32,
    pub(crate) claims: AtomicU32,
}

fn broken() -> QueueError {
    StoreError::Locked { store: "faulty".into(), source: "by the test".into() }.into()
}

#[async_trait::async_trait]
impl JobStore for Faulty {
    async fn enqueue(&self, jobs: Vec<Job>) -> Result<Vec<Enqueued>, QueueError> {
        self.store.enqueue(jobs).await
    }
    async fn claim(&self, claim: Claim, now: Timestamp) -> Result<Vec<Job>, QueueError> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        self.store.claim(claim, now).await
    }
    async fn next_due(&self, kinds: &[Arc<str>]) -> Result<Option<Timestamp>, QueueError> {
        self.store.next_due(kinds).await
    }
    async fn heartbeat(&self, lease: JobLease, until: Timestamp) -> Result<(), QueueError> {
        if self.deaf.load(Ordering::Relaxed) {
            return Err(broken());
        }
        self.store.heartbeat(lease, until).await
    }
    async fn settle(&self, lease: JobLease, outcome: Outcome) -> Result<(), QueueError> {
        let refuses = |left: u32| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuses).is_ok() {
            return Err(broken());
        }
        self.store.settle(lease, outcome).await
    }
    async fn list(&self, filter: &JobFilter, page: JobPage) -> Result<Vec<Job>, QueueError> {
        self.store.list(filter, page).await
    }
    async fn counts(&self, tenant: Option<&str>) -> Result<Counts, QueueError> {
        self.store.counts(tenant).await
    }
    async fn remove(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.store.remove(filter).await
    }
    async fn retry_dead(&self, filter: &JobFilter, now: Timestamp) -> Result<u64, QueueError> {
        self.store.retry_dead(filter, now).await
    }
    async fn revoke(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.store.revoke(filter).await
    }
    async fn pause(&self, what: &Pause) -> Result<(), QueueError> {
        self.store.pause(what).await
    }
    async fn resume(&self, what: &Pause) -> Result<(), QueueError> {
        self.store.resume(what).await
    }
    async fn paused(&self) -> Result<Vec<Pause>, QueueError> {
        self.store.paused().await
    }
    async fn put_schedule(&self, schedule: Schedule, next: Timestamp) -> Result<(), QueueError> {
        self.store.put_schedule(schedule, next).await
    }
    async fn remove_schedule(&self, tenant: &str, name: &str) -> Result<bool, QueueError> {
        self.store.remove_schedule(tenant, name).await
    }
    async fn schedules(
        &self,
        tenant: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<Vec<Scheduled>, QueueError> {
        self.store.schedules(tenant, due).await
    }
    async fn fire(&self, firing: Firing) -> Result<bool, QueueError> {
        self.store.fire(firing).await
    }
    fn ear(&self) -> Ear {
        self.store.ear()
    }
    fn silence_frees(&self) -> bool {
        self.binding.load(Ordering::Relaxed)
    }
    async fn close(&self) -> Result<(), QueueError> {
        self.store.close().await
    }
}
