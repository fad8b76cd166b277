//! One attempt of a job, from its claim to its end.
//!
//! ```text
//! claimed ──► handler ─────────────► done | retry | dead ──► settle (until the store has it)
//!              ▲   │ timeout, drain ─► told, some seconds ──► retry | dead | released
//!  heartbeats ─┘   │ lost ───────────► dropped at once, nothing is settled
//! ```
//!
//! While it is in doubt whether the job is still ours, the handler stands still: it is not polled until the store has
//! said so.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use super::handler::Handlers;
use super::{Again, Job, JobContext, JobError, JobLease, JobStore, Outcome, Queue, QueueError, QueueOptions};
use crate::error::{ErrorKind, ErrorReport};
use crate::runtime::{Runtime, RuntimeExt as _, Timestamp};
use crate::tool::CancelToken;

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Ended {
    Done,
    Retried,
    Dead,
    Released,
    Lost,
    /// The store would not take the end.
    Unsettled(QueueError),
}

/// Why an attempt is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Drained,
    Late,
    Lost,
}

/// Runs attempts.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    store: Arc<dyn JobStore>,
    runtime: Arc<dyn Runtime>,
    handlers: Handlers,
    options: QueueOptions,
    /// Ends all of them.
    stop: CancelToken,
    patience: Patience,
}

/// How often a store that fails is asked to take the end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// A few times: somebody waits for the answer.
    Little,
    /// Until it takes it, or until the worker is to stop: a job whose end is never told stays its owner's.
    Endless,
}

/// So often it is asked by those who have little patience.
const TRIES: u32 = 6;

impl Attempts {
    pub(super) fn new(queue: &Queue, stop: CancelToken, patience: Patience) -> Self {
        Self {
            store: queue.store.clone(),
            runtime: queue.runtime.clone(),
            handlers: queue.handlers.clone(),
            options: queue.options.clone(),
            stop,
            patience,
        }
    }

    /// Runs an attempt to its end. Dropped meanwhile, it gives the job back.
    pub(super) async fn run(&self, job: Job) -> Ended {
        let lease = job.lease();
        let held = Held { lease: Some(lease), store: self.store.clone(), runtime: self.runtime.clone() };
        let job = Arc::new(job);
        let outcome = match self.call(&job).await {
            Ok(()) => Outcome::Done,
            Err(Failed::Of(error)) => self.failed(&job, error),
            Err(Failed::Stopped(Stop::Late)) => {
                let text = format!("it took longer than {} ms and was stopped", job.rules.timeout_ms);
                self.failed(&job, ErrorReport::new(ErrorKind::Timeout, text).into())
            }
            Err(Failed::Stopped(Stop::Drained)) => Outcome::Released,
            Err(Failed::Stopped(Stop::Lost)) => {
                held.let_go();
                tracing::warn!(job = %job.id, kind = %job.kind, "a job was lost, its attempt is stopped");
                return Ended::Lost;
            }
        };
        let ended = self.settle(lease, outcome).await;
        held.let_go();
        ended
    }

    async fn call(&self, job: &Arc<Job>) -> Result<(), Failed> {
        let Some(handler) = self.handlers.0.get(&job.kind) else {
            return Err(Failed::Stopped(Stop::Drained));
        };
        let ctx = JobContext {
            job: job.clone(),
            cancel: CancelToken::default(),
            runtime: self.runtime.clone(),
            store: self.store.clone(),
            visibility: self.options.visibility,
        };
        // In a block, so that a panic before the first await is caught as well.
        let call = async { handler.run(&ctx).await };
        let call = AssertUnwindSafe(call).catch_unwind();
        let mut call = pin!(call.map(|ended| match ended {
            Ok(result) => result.map_err(Failed::Of),
            Err(panic) => Err(Failed::Of(JobError::panic(panic.as_ref()))),
        }));
        let doubt = AtomicBool::new(false);
        let mut lost = pin!(self.beat(job, &doubt));
        let stop = {
            let mut drained = pin!(self.stop.cancelled());
            let mut late = self.runtime.sleep(job.timeout());
            poll_fn(|cx| {
                if lost.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(Stop::Lost));
                }
                if !doubt.load(Ordering::Relaxed)
                    && let Poll::Ready(result) = call.as_mut().poll(cx)
                {
                    return Poll::Ready(Ok(result));
                }
                if drained.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(Stop::Drained));
                }
                late.as_mut().poll(cx).map(|()| Err(Stop::Late))
            })
            .await
        };
        let stop = match stop {
            Ok(result) => return result,
            Err(Stop::Lost) => return Err(Failed::Stopped(Stop::Lost)),
            Err(stop) => stop,
        };
        ctx.cancel.cancel();
        if !ctx.cancel.was_asked() {
            return Err(Failed::Stopped(stop));
        }
        let mut grace = self.runtime.sleep(self.options.grace);
        poll_fn(|cx| {
            if lost.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Failed::Stopped(Stop::Lost)));
            }
            if !doubt.load(Ordering::Relaxed)
                && let Poll::Ready(result) = call.as_mut().poll(cx)
            {
                // What it says of its failure is that it was stopped.
                return Poll::Ready(result.map_err(|_| Failed::Stopped(stop)));
            }
            grace.as_mut().poll(cx).map(|()| Err(Failed::Stopped(stop)))
        })
        .await
    }

    /// Says that the attempt goes on, again and again; returns when the job is lost.
    async fn beat(&self, job: &Job, doubt: &AtomicBool) {
        let (visibility, binding) = (self.options.visibility, self.store.silence_frees());
        let mut heard = job.visible_until.unwrap_or_else(|| self.runtime.now());
        let mut wait = visibility / 3;
        loop {
            self.runtime.sleep(wait).await;
            let now = self.runtime.now();
            doubt.store(binding && now >= heard, Ordering::Relaxed);
            let (until, deadline) = (now.after(visibility), heard.max(now.after(visibility / 4)));
            match self.heartbeat(job.lease(), until, deadline).await {
                Some(Ok(())) => {
                    heard = until;
                    wait = visibility / 3;
                    doubt.store(false, Ordering::Relaxed);
                }
                Some(Err(QueueError::Lost { .. })) => return,
                failed => {
                    if let Some(Err(error)) = failed {
                        tracing::warn!(job = %job.id, %error, "a heartbeat failed");
                    }
                    if binding && self.runtime.now() >= heard {
                        return;
                    }
                    wait = visibility / 12;
                }
            }
        }
    }

    /// `None`: the store did not answer in time.
    async fn heartbeat(
        &self,
        lease: JobLease,
        until: Timestamp,
        deadline: Timestamp,
    ) -> Option<Result<(), QueueError>> {
        match select(self.store.heartbeat(lease, until), self.runtime.sleep_until(deadline)).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    fn failed(&self, job: &Job, error: JobError) -> Outcome {
        let wait = match error.again {
            _ if job.attempt >= job.rules.max_attempts => None,
            Again::Never => None,
            Again::After(wait) => Some(wait),
            Again::Backoff => Some(job.rules.backoff.wait(job.attempt, self.runtime.random())),
        };
        match wait {
            Some(wait) => {
                let at = self.runtime.now().after(wait).min(super::MAX_TIME);
                Outcome::Retry { at, error: error.report }
            }
            None => Outcome::Dead { error: error.report },
        }
    }

    /// Tells the store how it ended. A store that fails is asked again: an end that is not taken is a job done twice.
    async fn settle(&self, lease: JobLease, outcome: Outcome) -> Ended {
        let mut tries = 0;
        loop {
            let error = match self.store.settle(lease, outcome.clone()).await {
                Ok(()) => break,
                Err(QueueError::Lost { .. }) => return Ended::Lost,
                Err(error) => error,
            };
            tries += 1;
            tracing::warn!(job = %lease.id, %error, tries, "the end of a job could not be stored");
            let enough = self.patience == Patience::Little || self.stop.is_cancelled();
            if enough && tries >= TRIES {
                return Ended::Unsettled(error);
            }
            self.runtime.sleep(Duration::from_millis(100 << tries.min(8))).await;
        }
        match outcome {
            Outcome::Done => Ended::Done,
            Outcome::Retry { .. } => Ended::Retried,
            Outcome::Dead { .. } => Ended::Dead,
            Outcome::Released => Ended::Released,
        }
    }
}

#[derive(Debug)]
enum Failed {
    Of(JobError),
    Stopped(Stop),
}

/// Gives a job back when its attempt is dropped.
struct Held {
    lease: Option<JobLease>,
    store: Arc<dyn JobStore>,
    runtime: Arc<dyn Runtime>,
}

impl Held {
    fn let_go(mut self) {
        self.lease = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            let store = self.store.clone();
            self.runtime.spawn(Box::pin(async move {
                // Lost already, or the store is gone: nothing to give back.
                let _ = store.settle(lease, Outcome::Released).await;
            }));
        }
    }
}
