//! The store as a store of jobs: the core's queue in RAM, closed together with the sessions.

use std::sync::Arc;

use mosaic_core::queue::{
    Claim, Counts, Ear, Enqueued, Firing, Job, JobFilter, JobLease, JobPage, JobStore, Outcome, Pause,
    QueueError, Schedule, Scheduled,
};
use mosaic_core::{SessionStore, Timestamp};

use super::RamStore;

#[async_trait::async_trait]
impl JobStore for RamStore {
    async fn enqueue(&self, jobs: Vec<Job>) -> Result<Vec<Enqueued>, QueueError> {
        self.jobs.enqueue(jobs).await
    }

    async fn claim(&self, claim: Claim, now: Timestamp) -> Result<Vec<Job>, QueueError> {
        self.jobs.claim(claim, now).await
    }

    async fn next_due(&self, kinds: &[Arc<str>]) -> Result<Option<Timestamp>, QueueError> {
        self.jobs.next_due(kinds).await
    }

    async fn heartbeat(&self, lease: JobLease, until: Timestamp) -> Result<(), QueueError> {
        self.jobs.heartbeat(lease, until).await
    }

    async fn settle(&self, lease: JobLease, outcome: Outcome) -> Result<(), QueueError> {
        self.jobs.settle(lease, outcome).await
    }

    async fn list(&self, filter: &JobFilter, page: JobPage) -> Result<Vec<Job>, QueueError> {
        self.jobs.list(filter, page).await
    }

    async fn counts(&self, tenant: Option<&str>) -> Result<Counts, QueueError> {
        self.jobs.counts(tenant).await
    }

    async fn remove(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.jobs.remove(filter).await
    }

    async fn scrub(&self) -> Result<(), QueueError> {
        self.jobs.scrub().await
    }

    async fn retry_dead(&self, filter: &JobFilter, now: Timestamp) -> Result<u64, QueueError> {
        self.jobs.retry_dead(filter, now).await
    }

    async fn revoke(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.jobs.revoke(filter).await
    }

    async fn pause(&self, what: &Pause) -> Result<(), QueueError> {
        self.jobs.pause(what).await
    }

    async fn resume(&self, what: &Pause) -> Result<(), QueueError> {
        self.jobs.resume(what).await
    }

    async fn paused(&self) -> Result<Vec<Pause>, QueueError> {
        self.jobs.paused().await
    }

    async fn put_schedule(&self, schedule: Schedule, next: Timestamp) -> Result<(), QueueError> {
        self.jobs.put_schedule(schedule, next).await
    }

    async fn remove_schedule(&self, tenant: &str, name: &str) -> Result<bool, QueueError> {
        self.jobs.remove_schedule(tenant, name).await
    }

    async fn schedules(
        &self,
        tenant: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<Vec<Scheduled>, QueueError> {
        self.jobs.schedules(tenant, due).await
    }

    async fn fire(&self, firing: Firing) -> Result<bool, QueueError> {
        self.jobs.fire(firing).await
    }

    fn ear(&self) -> Ear {
        self.jobs.ear()
    }

    async fn close(&self) -> Result<(), QueueError> {
        Ok(SessionStore::close(self).await?)
    }
}
