//! Jobs in the background.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::attempt::{Attempts, Ended, Patience};
use super::{Ear, Job, Queue, QueueError};
use crate::runtime::{BoxFuture, Runtime, RuntimeExt as _, Timestamp};
use crate::tool::CancelToken;

/// A worker: runs jobs of a [`Queue`] in the background until it is drained. Dropped, it takes no more jobs and finishes those
/// it has.
#[derive(Debug)]
pub struct Worker {
    status: watch::Sender<Status>,
    stop: CancelToken,
    runtime: Arc<dyn Runtime>,
    grace: Duration,
}

/// How a drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// So many jobs did not end in time: they were stopped and are due again.
    pub stopped: u32,
    /// So many did not even stop; they end by themselves, or are lost.
    pub left: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Status {
    /// Jobs that run.
    running: u32,
    draining: bool,
    /// No more jobs are taken.
    ended: bool,
}

impl Status {
    fn is_idle(&self) -> bool {
        self.ended && self.running == 0
    }
}

/// After a failure of the store.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

impl Worker {
    /// How many jobs run.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.status.borrow().running
    }

    /// Takes no more jobs and waits for those that run, so long; then stops them and gives them back.
    pub async fn drain(self, patience: Duration) -> DrainReport {
        self.status.send_modify(|status| status.draining = true);
        self.idle(patience).await;
        let stopped = self.status.borrow().running;
        if !self.status.borrow().is_idle() {
            self.stop.cancel();
            // Twice: a handler tidies up, and then the store is told.
            self.idle(self.grace * 2).await;
        }
        DrainReport { stopped, left: self.status.borrow().running }
    }

    async fn idle(&self, patience: Duration) {
        let mut status = self.status.subscribe();
        let idle = status.wait_for(Status::is_idle);
        let _ = select(std::pin::pin!(idle), self.runtime.sleep(patience)).await;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.status.send_modify(|status| status.draining = true);
    }
}

pub(super) fn start(queue: Queue) -> Worker {
    let worker = Worker {
        status: watch::Sender::default(),
        stop: CancelToken::default(),
        runtime: queue.runtime.clone(),
        grace: queue.options.grace,
    };
    let work = Work {
        attempts: Attempts::new(&queue, worker.stop.clone(), Patience::Endless),
        status: worker.status.clone(),
        queue,
    };
    worker.runtime.spawn(Box::pin(work.run()));
    worker
}

struct Work {
    queue: Queue,
    attempts: Attempts,
    status: watch::Sender<Status>,
}

impl Work {
    async fn run(self) {
        let (mut status, mut ear) = (self.status.subscribe(), self.queue.store.ear());
        loop {
            let Status { running, draining, .. } = *status.borrow_and_update();
            if draining {
                break;
            }
            let looked = self.queue.runtime.now();
            let free = self.queue.options.concurrency.max(1).saturating_sub(running);
            let next = if free == 0 {
                None
            } else {
                match self.take(free).await {
                    // There may be more.
                    Ok(taken) if taken == free => continue,
                    Ok(_) => Some(self.next(looked).await),
                    Err(error) => {
                        tracing::error!(%error, "jobs could not be looked for");
                        Some(self.queue.runtime.now().after(AFTER_FAILURE))
                    }
                }
            };
            self.wait(&mut status, &mut ear, next).await;
        }
        self.status.send_modify(|status| status.ended = true);
    }

    /// Starts what is due; says how many.
    async fn take(&self, free: u32) -> Result<u32, QueueError> {
        self.queue.fire_schedules().await?;
        let jobs = self.queue.claim(free).await?;
        let taken = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        // A change that changes nothing would wake us at once, again and again.
        if taken > 0 {
            self.status.send_modify(|status| status.running += taken);
        }
        for job in jobs {
            self.queue.runtime.spawn(self.attempt(job));
        }
        Ok(taken)
    }

    fn attempt(&self, job: Job) -> BoxFuture<()> {
        let (attempts, running) = (self.attempts.clone(), Running(self.status.clone()));
        Box::pin(async move {
            if let Ended::Unsettled(error) = attempts.run(job).await {
                tracing::error!(%error, "the end of a job is not stored; `revoke` frees it");
            }
            drop(running);
        })
    }

    /// When to look again, unless somebody rings before.
    async fn next(&self, looked: Timestamp) -> Timestamp {
        let poll = self.queue.runtime.now().after(self.queue.options.poll);
        match self.queue.store.next_due(&self.queue.kinds()).await {
            // What was due when we looked and is not ours is another's, or a schedule that cannot be fired: no hurry.
            Ok(Some(due)) if due > looked => due.min(poll),
            _ => poll,
        }
    }

    /// Waits until there may be something to do: the status changed, the bell rang (if there is room), or the time has come.
    async fn wait(&self, status: &mut watch::Receiver<Status>, ear: &mut Ear, next: Option<Timestamp>) {
        let changed = std::pin::pin!(status.changed());
        let Some(next) = next else {
            let _ = changed.await;
            return;
        };
        let rung = std::pin::pin!(ear.rung());
        let due = select(rung, self.queue.runtime.sleep_until(next));
        match select(changed, due).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }
}

/// Counts a job as running, however its task ends.
struct Running(watch::Sender<Status>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|status| status.running = status.running.saturating_sub(1));
    }
}
