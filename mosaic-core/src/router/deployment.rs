//! What a router knows of one candidate while it works.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::breaker::{Breaker, BreakerPolicy};
use super::budget::{Ceiling, Claim, Held};
use super::hash::hash;
use super::health::Claimed;
use super::histogram::Histogram;
use super::latency::Latency;
use super::limit::Bucket;
use super::needs::Abilities;
use super::{Candidate, Needs};
use crate::message::{Cost, Usage};
use crate::model::ModelError;
use crate::runtime::{Runtime, Timestamp};

/// Tokens of an answer of which nobody said how long it may be, for the token limits.
pub(super) const ASSUMED_ANSWER: u64 = 1_024;

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
    /// How long first events took.
    pub(super) first_events: Histogram,
    /// Millionths of a dollar a token of the prompt, and of the answer.
    pub(super) rates: Option<(f64, f64)>,
    /// The places of the budgets that it is charged to.
    pub(super) budgets: Vec<usize>,
    /// The most that a call can cost here, where the price is known.
    pub(super) ceiling: Option<Ceiling>,
    /// The most tokens of prompt and of answer, where they are known.
    pub(super) longest_prompt: Option<u64>,
    pub(super) longest_answer: Option<u64>,
}

impl Deployment {
    pub(super) fn new(candidate: Candidate, first_named: bool, budgets: Vec<usize>) -> Self {
        let rate = |usage: Usage| candidate.known_price().map(|price| price.cost(&usage).0 as f64 / 1e6);
        let input = rate(Usage { input: 1_000_000, ..Usage::default() });
        let output = rate(Usage { output: 1_000_000, ..Usage::default() });
        let (can, cannot) = Abilities::of(&candidate);
        let window = candidate.known_window();
        Self {
            hash: hash(&candidate.id),
            can,
            cannot,
            first_named,
            window,
            in_flight: AtomicU32::new(0),
            requests: candidate.limits.requests.map(Bucket::new),
            tokens: candidate.limits.tokens.map(Bucket::new),
            breaker: Breaker::default(),
            latency: Latency::default(),
            first_events: Histogram::default(),
            rates: input.zip(output),
            budgets,
            ceiling: candidate.known_price().map(Ceiling::of),
            longest_prompt: candidate.model.info().max_input.or(window),
            longest_answer: candidate.model.info().max_output.or(window),
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
        claim: Option<&Claim>,
        policy: &BreakerPolicy,
        now: Timestamp,
    ) -> Option<Permit> {
        let most = self.candidate.limits.parallel.unwrap_or(u32::MAX);
        let one_more = |calls: u32| (calls < most).then(|| calls + 1);
        self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        let mut permit = Permit {
            deployment: self.clone(),
            tokens: 0,
            held: Held::default(),
            probe: None,
            stage: Stage::Admitting,
            shown: 0,
        };
        if let Some(claim) = claim {
            permit.held = claim.hold(self, now)?;
        }
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
    held: Held,
    probe: Option<u64>,
    stage: Stage,
    /// Bytes of the answer that were shown.
    shown: u64,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Admitting,
    Asked,
    Began,
    Over,
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
                Claimed::Probe => {}
                Claimed::Plain => self.probe = None,
                Claimed::Refused => {
                    self.take_back(runtime.now());
                    return None;
                }
            }
        }
        self.stage = Stage::Asked;
        Some(self)
    }

    /// For a request beside another, which never is a probe. Nothing is held where it would be one.
    pub(super) fn unclaimed(mut self, now: Timestamp) -> Option<Self> {
        if self.probe.is_some() {
            self.take_back(now);
            return None;
        }
        self.stage = Stage::Asked;
        Some(self)
    }

    /// It is not asked after all.
    fn take_back(&mut self, now: Timestamp) {
        self.refund(0, now);
        if let Some(bucket) = &self.deployment.requests {
            bucket.correct(1, 0, now);
        }
    }

    /// It has said something. Whether others may be asked by that who could not before.
    pub(super) fn begun(&mut self, now: Timestamp) -> bool {
        self.stage = Stage::Began;
        self.deployment.breaker.begun(self.probe, now)
    }

    /// It said so many bytes of its answer.
    pub(super) fn said(&mut self, bytes: usize) {
        self.shown = self.shown.saturating_add(bytes as u64);
    }

    /// It answered.
    pub(super) fn answered(mut self, usage: &Usage, cost: Option<Cost>, now: Timestamp) {
        let used = usage.input.saturating_add(usage.output);
        if used > 0 {
            self.refund(used, now);
        }
        match cost {
            Some(cost) => self.held.settle(cost),
            None => self.held.settle_as_reserved(),
        }
        self.deployment.breaker.answered(self.probe, now);
        self.stage = Stage::Over;
    }

    /// It failed. What it said before is billed.
    pub(super) fn failed(mut self, error: &ModelError, policy: &BreakerPolicy, now: Timestamp) {
        self.refund(0, now);
        self.deployment.breaker.failed(error, policy, self.probe, now);
        match self.stage {
            Stage::Began => self.settle_cut(),
            _ => self.held.settle(Cost(0)),
        }
        self.stage = Stage::Over;
    }

    fn refund(&mut self, used: u64, now: Timestamp) {
        if let Some(bucket) = &self.deployment.tokens {
            bucket.correct(std::mem::replace(&mut self.tokens, used), used, now);
        }
    }

    fn settle_cut(&mut self) {
        self.held.settle_cut(self.deployment.ceiling.as_ref(), self.shown);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.deployment.in_flight.fetch_sub(1, Ordering::Relaxed);
        match self.stage {
            Stage::Over => return,
            Stage::Admitting => self.held.settle(Cost(0)),
            // Whoever is cancelled has read the prompt, and bills it.
            Stage::Asked | Stage::Began => self.settle_cut(),
        }
        self.deployment.breaker.dropped(self.probe);
    }
}
