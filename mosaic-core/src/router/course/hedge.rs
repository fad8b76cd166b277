//! A second request beside a slow one.

use std::sync::Arc;

use super::{Asking, Course};
use crate::router::deployment::Deployment;
use crate::router::{AttemptOutcome, RouteAttempt};
use crate::runtime::Timestamp;

impl Course {
    /// When a second one is asked beside the first.
    pub(super) fn hedge_at(&self, first: &Deployment) -> Option<Timestamp> {
        let hedge = self.router.retry.hedge.as_ref()?;
        Some(self.router.runtime.now().after(hedge.patience(first)))
    }

    /// Asks a second candidate, if one can be asked at once; tells when to ask the next.
    pub(super) fn hedge(&mut self, asking: &mut Asking) -> Option<Timestamp> {
        let router = self.router.clone();
        let hedge = router.retry.hedge.as_ref()?;
        if asking.len() > hedge.most as usize || self.attempts.len() >= self.most_attempts() {
            return None;
        }
        let running = |id: &Arc<str>| {
            let attempt = |of: &&RouteAttempt| of.outcome == AttemptOutcome::Running;
            self.attempts.iter().filter(attempt).any(|of| of.candidate == *id)
        };
        let asked: Vec<bool> = router.deployments.iter().map(|of| running(&of.candidate.id)).collect();
        let now = router.runtime.now();
        let before = std::mem::take(&mut self.found);
        self.pick(&asked, now);
        let admit = |deployment: &Arc<Deployment>| {
            deployment.admit(&self.needs, self.claim.as_ref(), &router.breaker, now)?.unclaimed(now)
        };
        let second = self.found.best.filter(|_| router.hedges.take());
        let second = second.and_then(|index| router.deployments.get(index).map(|of| (index, of)));
        let Some((index, deployment, permit)) = second.and_then(|(index, of)| Some((index, of, admit(of)?)))
        else {
            // What is explained is why the one that answers was chosen.
            self.found = before;
            return None;
        };
        let next = self.hedge_at(deployment);
        asking.push(self.ask(index, permit));
        next.filter(|_| asking.len() <= hedge.most as usize)
    }

    /// One has begun to answer: the others that were running have been cancelled.
    pub(super) fn outrun(&mut self, winner: usize) {
        let now = self.router.runtime.now();
        let mut others = false;
        for (place, attempt) in self.attempts.iter_mut().enumerate() {
            if place == winner || attempt.outcome != AttemptOutcome::Running {
                continue;
            }
            others = true;
            (attempt.outcome, attempt.ended) = (AttemptOutcome::Outrun, Some(now));
            // It would have taken longer still: whoever is chosen by speed must learn of it.
            let mut all = self.router.deployments.iter();
            if let Some(slow) = all.find(|of| of.candidate.id == attempt.candidate) {
                slow.latency.at_least(attempt.started.until(now), now);
            }
        }
        if others {
            self.router.freed.notify_waiters();
        }
    }
}
