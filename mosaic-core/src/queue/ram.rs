//! Jobs in RAM.

mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use table::{Owner, Table};

use super::{
    Bell, Claim, Counts, Ear, Enqueued, Firing, Job, JobFilter, JobLease, JobPage, JobStore, Outcome, Pause,
    QueueError, Schedule, Scheduled,
};
use crate::runtime::Timestamp;
use crate::store::StoreError;

/// The store's name for itself in errors.
const STORE: &str = "memory:";

/// Jobs in RAM: for tests, for hosts that keep nothing, and the model that the other stores are compared with.
///
/// A handle on jobs that several handles can share. Each is an owner of its own, as a process is: [`RamQueue::sibling`] is a second
/// process, dropping a handle is the death of one.
#[derive(Debug)]
pub struct RamQueue {
    table: Arc<Mutex<Table>>,
    bell: Bell,
    /// `None` once closed.
    owner: Mutex<Option<Arc<Owner>>>,
}

impl Default for RamQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl RamQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Arc::default(), Bell::default())
    }

    /// Another handle on the same jobs, as another process would have it.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self::over(self.table.clone(), self.bell.clone())
    }

    fn over(table: Arc<Mutex<Table>>, bell: Bell) -> Self {
        let owner = Owner(format!("a queue of process {}", std::process::id()).into());
        Self { table, bell, owner: Mutex::new(Some(Arc::new(owner))) }
    }

    /// The jobs, unless the handle is closed.
    fn table(&self) -> Result<(MutexGuard<'_, Table>, Arc<Owner>), QueueError> {
        let owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let owner = owner.ok_or_else(|| StoreError::Closed { store: STORE.into() })?;
        // No call leaves the table half changed, whatever panics.
        Ok((self.table.lock().unwrap_or_else(PoisonError::into_inner), owner))
    }

    /// Changes the jobs, so that some may be due that were not.
    fn ringing<T>(&self, change: impl FnOnce(&mut Table) -> T) -> Result<T, QueueError> {
        let changed = change(&mut self.table()?.0);
        self.bell.ring();
        Ok(changed)
    }
}

#[async_trait::async_trait]
impl JobStore for RamQueue {
    async fn enqueue(&self, jobs: Vec<Job>) -> Result<Vec<Enqueued>, QueueError> {
        self.ringing(|table| jobs.into_iter().map(|job| table.add(job)).collect())
    }

    async fn claim(&self, claim: Claim, now: Timestamp) -> Result<Vec<Job>, QueueError> {
        let (mut table, owner) = self.table()?;
        Ok(table.claim(&claim, now, &owner))
    }

    async fn next_due(&self, kinds: &[Arc<str>]) -> Result<Option<Timestamp>, QueueError> {
        Ok(self.table()?.0.next_due(kinds))
    }

    async fn heartbeat(&self, lease: JobLease, until: Timestamp) -> Result<(), QueueError> {
        let (mut table, owner) = self.table()?;
        table.heartbeat(lease, until, &owner).ok_or_else(|| lost(lease))
    }

    async fn settle(&self, lease: JobLease, outcome: Outcome) -> Result<(), QueueError> {
        let (mut table, owner) = self.table()?;
        table.settle(lease, outcome, &owner).ok_or_else(|| lost(lease))?;
        self.bell.ring();
        Ok(())
    }

    async fn list(&self, filter: &JobFilter, page: JobPage) -> Result<Vec<Job>, QueueError> {
        Ok(self.table()?.0.list(filter, page))
    }

    async fn counts(&self, tenant: Option<&str>) -> Result<Counts, QueueError> {
        Ok(self.table()?.0.counts(tenant))
    }

    async fn remove(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        Ok(self.table()?.0.remove(filter))
    }

    async fn scrub(&self) -> Result<(), QueueError> {
        // What was removed is freed, and that is all that RAM promises.
        self.table().map(|_| ())
    }

    async fn retry_dead(&self, filter: &JobFilter, now: Timestamp) -> Result<u64, QueueError> {
        self.ringing(|table| table.retry_dead(filter, now))
    }

    async fn revoke(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.ringing(|table| table.revoke(filter))
    }

    async fn pause(&self, what: &Pause) -> Result<(), QueueError> {
        self.table()?.0.paused.insert(what.clone());
        Ok(())
    }

    async fn resume(&self, what: &Pause) -> Result<(), QueueError> {
        self.ringing(|table| table.paused.remove(what)).map(|_| ())
    }

    async fn paused(&self) -> Result<Vec<Pause>, QueueError> {
        Ok(self.table()?.0.paused.iter().cloned().collect())
    }

    async fn put_schedule(&self, schedule: Schedule, next: Timestamp) -> Result<(), QueueError> {
        self.ringing(|table| table.put_schedule(schedule, next))
    }

    async fn remove_schedule(&self, tenant: &str, name: &str) -> Result<bool, QueueError> {
        Ok(self.table()?.0.schedules.remove(&(tenant.into(), name.into())).is_some())
    }

    async fn schedules(
        &self,
        tenant: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<Vec<Scheduled>, QueueError> {
        Ok(self.table()?.0.schedules(tenant, due))
    }

    async fn fire(&self, firing: Firing) -> Result<bool, QueueError> {
        self.ringing(|table| table.fire(firing))
    }

    fn ear(&self) -> Ear {
        self.bell.ear()
    }

    async fn close(&self) -> Result<(), QueueError> {
        let owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(owner) = owner {
            self.table.lock().unwrap_or_else(PoisonError::into_inner).release_all(&owner);
            self.bell.ring();
        }
        Ok(())
    }
}

fn lost(lease: JobLease) -> QueueError {
    QueueError::Lost { store: STORE.into(), job: lease.id, epoch: lease.epoch }
}
