//! What the breakers of one router share with other processes: the store, and how it is read.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::{Health, HealthPage, HealthRow, HealthStore, Link};
use crate::router::BreakerPolicy;
use crate::router::deployment::Deployment;
use crate::router::router::Inner;
use crate::runtime::{BoxFuture, Runtime, RuntimeExt, Timestamp};
use crate::store::StoreError;

/// The store is given up for the moment after so many times the patience of a call.
const CUT_OFF: u32 = 10;

/// The store, and how it is read.
#[derive(Debug)]
pub(in super::super) struct Shared {
    pub(super) store: Arc<dyn HealthStore>,
    pub(super) space: Arc<str>,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) patience: Duration,
    refresh: Duration,
    /// When the store is to be read again.
    due: AtomicU64,
    /// When it was read last, with success; 0: never.
    seen: AtomicU64,
    /// All up to this version was read.
    version: AtomicU64,
    /// The newest version that was seen, read or written.
    newest: AtomicU64,
    /// It is being read.
    reading: AtomicBool,
    /// Nobody waits longer than that for the reading.
    until: AtomicU64,
    read: Notify,
    /// It failed last. Nobody waits for it until it has answered again.
    down: AtomicBool,
}

impl Shared {
    /// Shares the breakers of a router.
    pub(in super::super) fn over(
        store: Arc<dyn HealthStore>,
        space: &Arc<str>,
        runtime: &Arc<dyn Runtime>,
        policy: &BreakerPolicy,
        deployments: &[Arc<Deployment>],
    ) -> Arc<Self> {
        let shared = Arc::new(Self {
            store,
            space: space.clone(),
            runtime: runtime.clone(),
            patience: policy.patience,
            refresh: policy.refresh,
            due: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            version: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            reading: AtomicBool::new(false),
            until: AtomicU64::new(0),
            read: Notify::new(),
            down: AtomicBool::new(false),
        });
        let owner = runtime.uuid();
        for deployment in deployments {
            deployment.breaker.share(owner, Link::new(shared.clone(), deployment));
        }
        shared
    }

    /// Starts to read the store where that is due. Waits for it only where the view is older than twice the time between
    /// two readings: after idling, that is, or where the store is slow.
    pub(in super::super) async fn look(&self, router: &Arc<Inner>, deadline: Option<Timestamp>) {
        let now = self.runtime.now();
        if now.0 >= self.due.load(Relaxed) && !self.reading.swap(true, Relaxed) {
            self.due.store(now.after(self.refresh).0, Relaxed);
            self.until.store(now.after(self.patience).0, Relaxed);
            go(&*self.runtime, Box::pin(read(Reading(router.clone()))));
        }
        let old = Timestamp(self.seen.load(Relaxed)).after(self.refresh.saturating_mul(2));
        if now < old || self.is_down() {
            return;
        }
        let until = Timestamp(self.until.load(Relaxed));
        let until = deadline.map_or(until, |deadline| until.min(deadline));
        if until <= now {
            return;
        }
        let mut sleep = pin!(async { self.runtime.sleep_until(until).await });
        loop {
            let mut done = pin!(self.read.notified());
            // Before the look, so that nothing is missed in between.
            done.as_mut().enable();
            if !self.reading.load(Relaxed) {
                return;
            }
            if let Either::Right(_) = select(done, sleep.as_mut()).await {
                return self.trouble(&"it has not answered in time; a call goes on without");
            }
        }
    }

    /// Whether the store failed when it was asked last.
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Relaxed)
    }

    /// Says once that the store is of no use now.
    pub(super) fn trouble(&self, why: &dyn fmt::Display) {
        if !self.down.swap(true, Relaxed) {
            tracing::warn!(
                router = %self.space, %why,
                "the store of shared health fails; breakers work with what this process knows"
            );
        }
    }

    /// The store has answered, and told of a version.
    pub(super) fn answered(&self, version: u64) {
        self.newest.fetch_max(version, Relaxed);
        if self.down.swap(false, Relaxed) {
            tracing::info!(router = %self.space, "the store of shared health answers again");
        }
    }

    /// Reads a state. One that nobody can read is none; the next turn of its breaker overwrites it.
    pub(super) fn read(&self, row: &HealthRow, now: Timestamp) -> Option<Health> {
        let HealthRow { candidate, version, state } = row;
        Health::read(state, now)
            .inspect_err(|why| {
                tracing::warn!(
                    router = %self.space, %candidate, version, %why,
                    "a state in the store of shared health is not one; it counts as none"
                );
            })
            .ok()
    }

    /// What the store answers, within its time.
    pub(super) async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, String> {
        let until = self.runtime.now().after(self.patience.saturating_mul(CUT_OFF));
        // Begins only when the answer does not come at once.
        let sleep = async { self.runtime.sleep_until(until).await };
        match select(pin!(answer), pin!(sleep)).await {
            Either::Left((answer, _)) => answer.map_err(|error| error.to_string()),
            Either::Right(_) => Err(format!("it has not answered in {:?}", self.patience * CUT_OFF)),
        }
    }

    async fn load(&self) -> Result<(HealthPage, bool), String> {
        let (since, newest) = (self.version.load(Relaxed), self.newest.load(Relaxed));
        let page = self.within(self.store.load(&self.space, since)).await?;
        if page.version >= newest {
            return Ok((page, false));
        }
        // It was made anew, and counts from the beginning.
        self.newest.store(0, Relaxed);
        Ok((self.within(self.store.load(&self.space, 0)).await?, true))
    }
}

/// Somebody reads; lets the next one when it is dropped.
struct Reading(Arc<Inner>);

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(shared) = &self.0.health {
            shared.reading.store(false, Relaxed);
            shared.read.notify_waiters();
        }
    }
}

/// Reads what is new, and writes what could not be written.
async fn read(reading: Reading) {
    let router = &*reading.0;
    let Some(shared) = &router.health else { return };
    let started = shared.runtime.now();
    let (page, anew) = match shared.load().await {
        Ok(loaded) => loaded,
        Err(why) => return shared.trouble(&why),
    };
    let now = shared.runtime.now();
    if anew {
        for deployment in &router.deployments {
            deployment.breaker.with(|state| state.replica.forgotten(now));
        }
    }
    let any = !page.rows.is_empty();
    for row in page.rows {
        // Another router of this name may have more candidates.
        if let Some(deployment) = router.deployments.iter().find(|of| *of.candidate.id == *row.candidate) {
            let health = shared.read(&row, now);
            deployment.breaker.with(|state| state.replica.loaded(row.version, health, now));
        }
    }
    shared.version.store(page.version, Relaxed);
    shared.seen.store(started.0, Relaxed);
    shared.answered(page.version);
    for deployment in &router.deployments {
        if let Some(link) = deployment.breaker.link.get()
            && deployment.breaker.with(|state| state.replica.is_ahead())
        {
            link.tell();
        }
    }
    if any {
        router.freed.notify_waiters();
    }
}

/// Begins work on the spot, and goes on in a task if it has to wait. Work that needs not wait is done when this returns.
pub(super) fn go(runtime: &dyn Runtime, mut work: BoxFuture<()>) {
    if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        drop(runtime.spawn(work));
    }
}
