//! The way of one breaker to the store: who writes its turns, and how a probe is claimed.

use std::pin::pin;
use std::sync::{Arc, Weak};

use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::replica::Write;
use super::shared::{Shared, go};
use super::{Health, Swap};
use crate::router::breaker::{Breaker, Gate};
use crate::router::deployment::Deployment;
use crate::runtime::Timestamp;

/// So often a write is worked out again before the store is taken for broken: others can only be ahead so often.
const TRIES: usize = 16;

/// The way of one breaker to the store.
#[derive(Debug)]
pub(in super::super) struct Link {
    pub(super) shared: Arc<Shared>,
    /// The link is a part of it.
    deployment: Weak<Deployment>,
    settled: Notify,
}

/// What became of a probe's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Claimed {
    /// The call is the probe: the store says so, or it did not answer in time.
    Probe,
    /// Another process has found out already that the candidate is well: a call like any other.
    Plain,
    /// The candidate is left alone, or another process finds out.
    Refused,
}

impl Link {
    pub(super) fn new(shared: Arc<Shared>, deployment: &Arc<Deployment>) -> Self {
        Self { shared, deployment: Arc::downgrade(deployment), settled: Notify::new() }
    }

    /// Writes what is new, beginning on the spot: a store that needs not wait is done when this returns.
    pub(in super::super) fn tell(&self) {
        if let Some(deployment) = self.begin() {
            go(&*self.shared.runtime, Box::pin(write(deployment)));
        }
    }

    /// As [`tell`](Self::tell), in a task.
    pub(in super::super) fn tell_later(&self) {
        if let Some(deployment) = self.begin() {
            drop(self.shared.runtime.spawn(Box::pin(write(deployment))));
        }
    }

    /// One at a time writes: `Some` where that is the caller.
    fn begin(&self) -> Option<Arc<Deployment>> {
        let deployment = self.deployment.upgrade()?;
        let first = deployment.breaker.with(|state| !std::mem::replace(&mut state.writing, true));
        first.then_some(deployment)
    }

    /// Asks the other processes whether a call that was admitted as a probe may be one.
    pub(in super::super) async fn claim(
        &self,
        breaker: &Breaker,
        number: u64,
        deadline: Option<Timestamp>,
    ) -> Claimed {
        self.tell();
        let runtime = &self.shared.runtime;
        let until = runtime.now().after(self.shared.patience);
        let until = deadline.map_or(until, |deadline| until.min(deadline));
        let mut sleep = pin!(async { runtime.sleep_until(until).await });
        loop {
            let mut settled = pin!(self.settled.notified());
            // Before the look, so that nothing is missed in between.
            settled.as_mut().enable();
            if self.shared.is_down() || !breaker.with(|state| state.replica.is_claiming(number)) {
                break;
            }
            if let Either::Right(_) = select(settled, sleep.as_mut()).await {
                self.shared.trouble(&"it has not answered in time; a probe goes without");
                break;
            }
        }
        let now = runtime.now();
        breaker.with(|state| match state.gate(now) {
            _ if state.is_probe(number) => Claimed::Probe,
            Gate::Closed => Claimed::Plain,
            _ => Claimed::Refused,
        })
    }
}

/// Somebody writes. Lets the next one when it is over, or dropped.
struct Writing {
    deployment: Arc<Deployment>,
    over: bool,
}

impl Writing {
    /// What is to be written. The end is decided under the lock, so that who takes a turn after it finds nobody writing.
    fn next(&mut self) -> Option<Write> {
        self.deployment.breaker.with(|state| {
            let due = state.replica.write();
            state.writing = due.is_some();
            self.over = due.is_none();
            due
        })
    }

    /// Gives up.
    fn fail(&mut self) {
        self.over = true;
        self.deployment.breaker.with(|state| {
            state.replica.failed();
            state.writing = false;
        });
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.over {
            self.deployment.breaker.with(|state| state.writing = false);
        }
        if let Some(link) = self.deployment.breaker.link.get() {
            link.settled.notify_waiters();
        }
    }
}

/// Writes until there is nothing new, or the store fails.
async fn write(deployment: Arc<Deployment>) {
    let mut writing = Writing { deployment: deployment.clone(), over: false };
    let breaker = &deployment.breaker;
    let Some(link) = breaker.link.get() else { return };
    let shared = &link.shared;
    for _ in 0..TRIES {
        let Some(due) = writing.next() else { return };
        let text = due.health.text();
        let swap = shared.store.swap(&shared.space, deployment.candidate.id(), due.expected, text);
        match shared.within(swap).await {
            Ok(Swap::Done { version }) => {
                breaker.with(|state| state.replica.written(&due, version));
                shared.answered(version);
            }
            Ok(Swap::Conflict { row }) => {
                let now = shared.runtime.now();
                let version = row.as_ref().map_or(0, |row| row.version);
                let health = match row {
                    Some(row) => shared.read(&row, now),
                    None => Some(Health::default()),
                };
                breaker.with(|state| state.replica.conflicted(&due, version, health, now));
                shared.answered(version);
            }
            Err(why) => {
                writing.fail();
                return shared.trouble(&why);
            }
        }
        link.settled.notify_waiters();
    }
    writing.fail();
    shared.trouble(&"each write came too late, although nothing newer is there");
}
