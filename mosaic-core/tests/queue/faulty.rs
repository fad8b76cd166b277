//! A queue in RAM that can fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use mosaic_core::queue::{
    Claim, Counts, Ear, Enqueued, Firing, Job, JobFilter, JobLease, JobPage, JobState, JobStore, Outcome,
    Pause, QueueError, RamQueue, Schedule, Scheduled,
};
use mosaic_core::{ErrorKind, ErrorReport, StoreError, Timestamp};

/// What a store does wrong for the suite to catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lie {
    #[default]
    None,
    /// Gives jobs of kinds that nobody asked for.
    AnyKind,
    /// Gives jobs a second early.
    Early,
    /// Gives more than asked for.
    NoLimit,
    /// Gives the least important first.
    Backwards,
    /// Frees jobs that were silent too long.
    FreesTheSilent,
    /// Takes the end of an attempt that is lost.
    TakesLateEnds,
    /// Counts an attempt that was released.
    CountsReleases,
    /// Says that it fired whenever it is asked.
    FiresAgain,
    /// Shows the jobs of other tenants.
    ShowsOthers,
    /// Does not pause.
    NoPause,
    /// Does not close.
    NoClose,
    /// Rings no bell.
    NoBell,
    /// Adds jobs without their keys.
    ForgetsKeys,
    /// Forgets why an attempt failed.
    ForgetsWhy,
    /// Takes heartbeats and forgets them.
    ForgetsHeartbeats,
    /// Retries what is not dead too.
    RetriesAll,
    /// Scrubs dead letters away.
    ScrubsTooMuch,
}

/// A store that can be deaf to heartbeats and refuse ends, and counts the claims.
#[derive(Debug, Default)]
pub(crate) struct Faulty {
    store: RamQueue,
    pub(crate) binding: AtomicBool,
    pub(crate) deaf: AtomicBool,
    pub(crate) refusals: AtomicU32,
    pub(crate) claims: AtomicU32,
    pub(crate) lie: Lie,
}

fn broken() -> QueueError {
    StoreError::Locked { store: "faulty".into(), source: "by the test".into() }.into()
}

impl Faulty {
    /// A handle on a queue that lies.
    pub(crate) fn lying(store: RamQueue, lie: Lie) -> Self {
        Self { store, lie, ..Self::default() }
    }
}

#[async_trait::async_trait]
impl JobStore for Faulty {
    async fn enqueue(&self, mut jobs: Vec<Job>) -> Result<Vec<Enqueued>, QueueError> {
        if self.lie == Lie::ForgetsKeys {
            jobs.iter_mut().for_each(|job| job.dedup = None);
        }
        self.store.enqueue(jobs).await
    }
    async fn claim(&self, mut claim: Claim, mut now: Timestamp) -> Result<Vec<Job>, QueueError> {
        match self.lie {
            Lie::AnyKind => claim.kinds = ["k", "unknown", "other"].map(Into::into).into(),
            Lie::Early => now = now.after(std::time::Duration::from_secs(1)),
            Lie::NoLimit => claim.limit = u32::MAX,
            Lie::FreesTheSilent => {
                for job in self.store.list(&JobFilter::default(), JobPage::default()).await? {
                    if job.visible_until.is_some_and(|until| until < now) {
                        self.store.revoke(&JobFilter::one(job.id)).await?;
                    }
                }
            }
            _ => {}
        }
        self.claims.fetch_add(1, Ordering::Relaxed);
        let mut claimed = self.store.claim(claim, now).await?;
        if self.lie == Lie::Backwards {
            claimed.reverse();
        }
        Ok(claimed)
    }
    async fn next_due(&self, kinds: &[Arc<str>]) -> Result<Option<Timestamp>, QueueError> {
        self.store.next_due(kinds).await
    }
    async fn heartbeat(&self, lease: JobLease, until: Timestamp) -> Result<(), QueueError> {
        if self.deaf.load(Ordering::Relaxed) {
            return Err(broken());
        }
        if self.lie == Lie::ForgetsHeartbeats {
            // Said, and not written down.
            return self.store.heartbeat(lease, Timestamp(0)).await;
        }
        self.store.heartbeat(lease, until).await
    }
    async fn settle(&self, lease: JobLease, outcome: Outcome) -> Result<(), QueueError> {
        let refuses = |left: u32| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuses).is_ok() {
            return Err(broken());
        }
        match (self.lie, outcome) {
            (Lie::TakesLateEnds, outcome) => {
                let _ = self.store.settle(lease, outcome).await;
                Ok(())
            }
            (Lie::CountsReleases, Outcome::Released) => {
                let error = ErrorReport::new(ErrorKind::Internal, "released");
                self.store.settle(lease, Outcome::Retry { at: Timestamp(0), error }).await
            }
            (Lie::ForgetsWhy, Outcome::Retry { at, .. }) => {
                let error = ErrorReport::new(ErrorKind::Internal, "?");
                self.store.settle(lease, Outcome::Retry { at, error }).await
            }
            (_, outcome) => self.store.settle(lease, outcome).await,
        }
    }
    async fn list(&self, filter: &JobFilter, page: JobPage) -> Result<Vec<Job>, QueueError> {
        if self.lie == Lie::ShowsOthers {
            return self.store.list(&JobFilter { tenant: None, ..filter.clone() }, page).await;
        }
        self.store.list(filter, page).await
    }
    async fn counts(&self, tenant: Option<&str>) -> Result<Counts, QueueError> {
        self.store.counts(tenant).await
    }
    async fn remove(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.store.remove(filter).await
    }
    async fn scrub(&self) -> Result<(), QueueError> {
        if self.lie == Lie::ScrubsTooMuch {
            self.store.remove(&JobFilter::default().state(JobState::Dead)).await?;
        }
        self.store.scrub().await
    }
    async fn retry_dead(&self, filter: &JobFilter, now: Timestamp) -> Result<u64, QueueError> {
        if self.lie == Lie::RetriesAll {
            self.store.revoke(filter).await?;
        }
        self.store.retry_dead(filter, now).await
    }
    async fn revoke(&self, filter: &JobFilter) -> Result<u64, QueueError> {
        self.store.revoke(filter).await
    }
    async fn pause(&self, what: &Pause) -> Result<(), QueueError> {
        if self.lie == Lie::NoPause { Ok(()) } else { self.store.pause(what).await }
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
        Ok(self.store.fire(firing).await? || self.lie == Lie::FiresAgain)
    }
    fn ear(&self) -> Ear {
        if self.lie == Lie::NoBell { mosaic_core::queue::Bell::default().ear() } else { self.store.ear() }
    }
    fn silence_frees(&self) -> bool {
        self.binding.load(Ordering::Relaxed)
    }
    async fn close(&self) -> Result<(), QueueError> {
        if self.lie == Lie::NoClose { Ok(()) } else { self.store.close().await }
    }
}
