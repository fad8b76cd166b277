//! What a router knows of one candidate while it works.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::breaker::{Breaker, BreakerPolicy};
use super::hash::hash;
use super::health::Claim;
use super::latency::Latency;
use super::limit::Bucket;
use super::needs::Abilities;
use super::{Candidate, Needs};
use crate::message::Usage;
use crate::model::ModelError;
use crate::runtime::{Runtime, Timestamp};

/// Tokens of an answer of which nobody said how long it may be, for the token limits.
const ASSUMED_ANSWER: u64 = 1_024;

#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) candidate: Candidate,
    pub(super) hash: u64,
    /// What it is known to be able to do.
    pub(super) can: Abilities,
    /// What it is known not to be able to do.
    pub(super) cannot: Abilities,
    /// May be asked although nobody said what it can do: the host named it first, or it is another deployment of that.
    pub(super) first_named: bool,
    pub(super) window: Option<u64>,
    pub(super) in_flight: AtomicU32,
    pub(super) requests: Option<Bucket>,
    pub(super) tokens: Option<Bucket>,
    pub(super) breaker: Breaker,
    pub(super) latency: Latency,
    /// Millionths of a dollar a token of the prompt, and of the answer.
    pub(super) rates: Option<(f64, f64)>,
}

impl Deployment {
    pub(super) fn new(candidate: Candidate, first_named: bool) -> Self {
        let rate = |usage: Usage| candidate.known_price().map(|price| price.cost(&usage).0 as f64 / 1e6);
        let input = rate(Usage { input: 1_000_000, ..Usage::default() });
        let output = rate(Usage { output: 1_000_000, ..Usage::default() });
        let (can, cannot) = Abilities::of(&candidate);
        Self {
            hash: hash(&candidate.id),
            can,
            cannot,
            first_named,
            window: candidate.known_window(),
            in_flight: AtomicU32::new(0),
            requests: candidate.limits.requests.map(Bucket::new),
            tokens: candidate.limits.tokens.map(Bucket::new),
            breaker: Breaker::default(),
            latency: Latency::default(),
            rates: input.zip(output),
            candidate,
        }
    }

    /// Tokens that a call takes of the limit a minute, before anybody has counted.
    pub(super) fn tokens(&self, needs: &Needs) -> u64 {
        needs.prompt.saturating_add(needs.answer.unwrap_or(ASSUMED_ANSWER))
    }

    /// Takes all that a call needs, or nothing.
    pub(super) fn admit(
        self: &Arc<Self>,
        needs: &Needs,
        policy: &BreakerPolicy,
        now: Timestamp,
    ) -> Option<Permit> {
        let most = self.candidate.limits.parallel.unwrap_or(u32::MAX);
        let one_more = |calls: u32| (calls < most).then(|| calls + 1);
        self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        let mut permit = Permit { deployment: self.clone(), tokens: 0, probe: None, over: false };
        let tokens = self.tokens(needs);
        if self.tokens.as_ref().is_some_and(|bucket| !bucket.take(tokens, now)) {
            return None;
        }
        permit.tokens = tokens;
        let requests = |bucket: &Bucket| bucket.take(1, now);
        let admitted = match self.requests.as_ref().is_none_or(requests) {
            true => self.breaker.admit(policy, now).inspect_err(|()| {
                if let Some(bucket) = &self.requests {
                    bucket.correct(1, 0, now);
                }
            }),
            false => Err(()),
        };
        match admitted {
            Ok(probe) => permit.probe = probe,
            Err(()) => {
                permit.refund(0, now);
                return None;
            }
        }
        Some(permit)
    }
}

/// What a call holds of a candidate; given back on drop.
#[derive(Debug)]
pub(super) struct Permit {
    pub(super) deployment: Arc<Deployment>,
    tokens: u64,
    probe: Option<u64>,
    over: bool,
}

impl Permit {
    /// Asks other processes whether a probe may go. Nothing is held where it may not.
    pub(super) async fn claimed(
        mut self,
        deadline: Option<Timestamp>,
        runtime: &dyn Runtime,
    ) -> Option<Self> {
        let breaker = &self.deployment.breaker;
        if let (Some(number), Some(link)) = (self.probe, breaker.link.get()) {
            match link.claim(breaker, number, deadline).await {
                Claim::Probe => {}
                Claim::Plain => self.probe = None,
                Claim::Refused => {
                    let now = runtime.now();
                    self.refund(0, now);
                    if let Some(bucket) = &self.deployment.requests {
                        bucket.correct(1, 0, now);
                    }
                    return None;
                }
            }
        }
        Some(self)
    }

    /// It has said something. Whether others may be asked by that who could not before.
    pub(super) fn begun(&self, now: Timestamp) -> bool {
        self.deployment.breaker.begun(self.probe, now)
    }

    /// It answered.
    pub(super) fn answered(mut self, usage: &Usage, now: Timestamp) {
        let used = usage.input.saturating_add(usage.output);
        if used > 0 {
            self.refund(used, now);
        }
        self.deployment.breaker.answered(self.probe, now);
        self.over = true;
    }

    /// It failed.
    pub(super) fn failed(mut self, error: &ModelError, policy: &BreakerPolicy, now: Timestamp) {
        self.refund(0, now);
        self.deployment.breaker.failed(error, policy, self.probe, now);
        self.over = true;
    }

    fn refund(&mut self, used: u64, now: Timestamp) {
        if let Some(bucket) = &self.deployment.tokens {
            bucket.correct(std::mem::replace(&mut self.tokens, used), used, now);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.deployment.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.over {
            self.deployment.breaker.dropped(self.probe);
        }
    }
}
