//! The course of one call: pick, ask, and once more.

mod hedge;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, stream};
use tracing::{Span, field};

use super::answer::Answer;
use super::budget::Claim;
use super::deployment::Permit;
use super::hash::mix;
use super::opening::{Opening, ask};
use super::pick::{Ask, Found, pick};
use super::router::Inner;
use super::{AttemptOutcome, Fallback, Needs, RouteAttempt, RouteDecision, TaskKind};
use crate::error::ErrorKind;
use crate::model::{ModelCall, ModelError, ModelEvent, ModelStream};
use crate::runtime::{BoxFuture, Timestamp};

/// How many entries a list of an emitted decision holds.
const SHOWN: usize = 16;

/// One call on its way. Keeps what it learns of each candidate, so that a call that begins anew goes on where it was.
pub(super) struct Course {
    pub(super) router: Arc<Inner>,
    call: ModelCall,
    needs: Needs,
    claim: Option<Claim>,
    task: Option<TaskKind>,
    preferred: Option<usize>,
    favoured: Vec<bool>,
    asked: Vec<u32>,
    barred: Vec<bool>,
    places: Vec<usize>,
    pub(super) attempts: Vec<RouteAttempt>,
    waited: Duration,
    /// A backoff was waited for after so many attempts.
    rested: usize,
    found: Found,
    best: Option<ModelError>,
    seed: u64,
    span: Span,
}

/// Requests that are going on: one, or two where one takes long.
type Asking = FuturesUnordered<BoxFuture<Opening>>;

impl Course {
    pub(super) fn new(router: Arc<Inner>, call: ModelCall) -> Self {
        let needs = Needs::of(&call.request, router.estimator.as_ref());
        let claim = router.claim(&call.request, &call.route, &needs);
        let task = router.task(&call.request, &call.route);
        let count = router.deployments.len();
        if let Some(hedge) = &router.retry.hedge {
            router.hedges.earn(hedge);
        }
        Self {
            needs,
            claim,
            preferred: router.preferred(&call.route),
            favoured: router.favoured(task.as_ref()),
            task,
            asked: vec![0; count],
            barred: vec![false; count],
            places: Vec::new(),
            attempts: Vec::new(),
            waited: Duration::ZERO,
            rested: 0,
            found: Found::default(),
            best: None,
            seed: router.runtime.random(),
            span: tracing::debug_span!(
                "route",
                router = %router.name,
                chosen = field::Empty,
                attempts = field::Empty
            ),
            router,
            call,
        }
    }

    pub(super) async fn run(mut self) -> ModelStream {
        match self.open().await {
            Ok(opening) => Box::pin(Answer::new(self, opening)),
            Err(error) => {
                let decision = self.decide(None);
                Box::pin(stream::iter([Ok(ModelEvent::Route(Arc::new(decision))), Err(error)]))
            }
        }
    }

    /// Asks until one has begun to answer. What it gives has `begun`.
    pub(super) async fn open(&mut self) -> Result<Opening, ModelError> {
        let router = self.router.clone();
        let mut asking = Asking::new();
        let mut hedge_at = None;
        loop {
            if asking.is_empty() {
                let (index, permit) = self.next().await?;
                hedge_at = self.hedge_at(&permit.deployment);
                asking.push(self.ask(index, permit));
            }
            let ended = match hedge_at {
                None => asking.next().await,
                Some(at) => match select(asking.next(), router.runtime.sleep_until(at)).await {
                    Either::Left((ended, _)) => ended,
                    Either::Right(_) => {
                        hedge_at = self.hedge(&mut asking);
                        continue;
                    }
                },
            };
            let Some(Opening { index, attempt, permit, begun, span }) = ended else { continue };
            match begun {
                Ok(_) => {
                    drop(asking);
                    self.outrun(attempt);
                    return Ok(Opening { index, attempt, permit, begun, span });
                }
                Err(error) => {
                    let now = router.runtime.now();
                    self.end(attempt, AttemptOutcome::Failed { kind: error.kind }, now);
                    permit.failed(&error, &router.breaker, now);
                    router.freed.notify_waiters();
                    self.judge(index, error)?;
                    // Nobody waits for the slow one alone.
                    hedge_at = (!asking.is_empty()).then_some(now);
                }
            }
        }
    }

    /// Whom to ask next: waits for a cooldown, a limit or a backoff, or gives up.
    async fn next(&mut self) -> Result<(usize, Permit), ModelError> {
        let router = self.router.clone();
        let retry = &router.retry;
        loop {
            if self.attempts.len() >= self.most_attempts() {
                return Err(self.give_up());
            }
            if let Some(health) = &router.health {
                health.look(&router, self.call.deadline).await;
            }
            // Before the look, so that what is freed in between is not missed.
            let freed = router.freed.notified();
            let now = router.runtime.now();
            self.pick(&[], now);
            let Some(index) = self.found.best else {
                let until = match self.found.ready_at() {
                    _ if self.found.waits_for_a_call() => self.patience(now),
                    Some(at) => at,
                    None => return Err(self.give_up()),
                };
                if until <= now || !self.wait(until, now, freed).await {
                    return Err(self.give_up());
                }
                continue;
            };
            let again = self.asked.get(index).copied().unwrap_or(0) > 0;
            if again && self.rested < self.attempts.len() {
                self.rested = self.attempts.len();
                let doublings = u32::try_from(self.rested.saturating_sub(1)).unwrap_or(16).min(16);
                let longest = retry.base.saturating_mul(1 << doublings).min(retry.cap);
                let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX).max(1);
                let rest = Duration::from_millis(mix(self.seed.wrapping_add(self.rested as u64)) % longest);
                if !self.wait(now.after(rest), now, std::future::pending()).await {
                    return Err(self.give_up());
                }
                continue;
            }
            let Some(deployment) = router.deployments.get(index) else { return Err(self.give_up()) };
            // Somebody else may have been quicker: look again.
            let admitted = deployment.admit(&self.needs, self.claim.as_ref(), &router.breaker, now);
            let Some(permit) = admitted else { continue };
            match permit.claimed(self.call.deadline, &*router.runtime).await {
                Some(permit) => return Ok((index, permit)),
                None => router.freed.notify_waiters(),
            }
        }
    }

    fn most_attempts(&self) -> usize {
        self.call.route.max_attempts.unwrap_or(u32::MAX).clamp(1, self.router.retry.max_attempts) as usize
    }

    fn pick(&mut self, asking: &[bool], now: Timestamp) {
        let ask = Ask {
            needs: &self.needs,
            hints: &self.call.route,
            preferred: self.preferred,
            favoured: &self.favoured,
            asked: &self.asked,
            per_candidate: self.router.retry.per_candidate,
            asking,
            barred: &self.barred,
            places: &self.places,
            claim: self.claim.as_ref(),
            seed: self.seed,
            now,
        };
        pick(&self.router.deployments, &self.router.strategy, &ask, &mut self.found);
    }

    /// Asks one candidate, up to the first event that shows something.
    fn ask(&mut self, index: usize, permit: Permit) -> BoxFuture<Opening> {
        if let Some(asked) = self.asked.get_mut(index) {
            *asked += 1;
        }
        let started = self.router.runtime.now();
        let attempt = self.attempts.len();
        self.attempts.push(RouteAttempt {
            candidate: permit.deployment.candidate.id.clone(),
            started,
            ended: None,
            outcome: AttemptOutcome::Running,
        });
        let candidate = permit.deployment.candidate.id();
        let span = tracing::debug_span!(parent: &self.span, "attempt", candidate, number = attempt + 1);
        ask(self.router.clone(), self.call.clone(), index, attempt, permit, started, span)
    }

    pub(super) fn end(&mut self, attempt: usize, outcome: AttemptOutcome, at: Timestamp) {
        if let Some(attempt) = self.attempts.get_mut(attempt) {
            attempt.outcome = outcome;
            attempt.ended = Some(at);
        }
    }

    /// What becomes of the call after a failure: `Err` where it has failed.
    pub(super) fn judge(&mut self, index: usize, error: ModelError) -> Result<(), ModelError> {
        let fallback = match error.kind {
            ErrorKind::InvalidRequest | ErrorKind::Cancelled => return Err(self.named(error)),
            ErrorKind::ContextOverflow => self.router.fallbacks.overflow.clone(),
            ErrorKind::ContentFiltered => self.router.fallbacks.filtered.clone(),
            _ => self.router.fallbacks.failure.clone(),
        };
        // A prompt that did not fit will not fit when it is sent again.
        if !(error.retryable && error.kind != ErrorKind::ContextOverflow)
            && let Some(barred) = self.barred.get_mut(index)
        {
            *barred = true;
        }
        let window = self.router.deployments.get(index).and_then(|of| of.window);
        let all = self.router.deployments.iter().zip(&mut self.barred).enumerate();
        for (_, (deployment, barred)) in all.filter(|(other, _)| *other != index) {
            *barred |= match &fallback {
                Fallback::Any => false,
                Fallback::Never => true,
                Fallback::Larger => {
                    deployment.window.is_none_or(|larger| window.is_none_or(|of| larger <= of))
                }
                Fallback::To(list) => !list.contains(&deployment.candidate.id),
            };
        }
        self.places.clear();
        if let Fallback::To(list) = &fallback {
            let place = |id| list.iter().position(|listed| listed == id).unwrap_or(list.len());
            self.places.extend(self.router.deployments.iter().map(|of| place(&of.candidate.id)));
        }
        // The error that leaves most to hope for: a caller can wait out a limit, but not a wrong key.
        let hope = |error: &ModelError| (error.retryable, error.kind == ErrorKind::RateLimited);
        if self.best.as_ref().is_none_or(|best| hope(&error) >= hope(best)) {
            self.best = Some(error);
        }
        Ok(())
    }

    /// How long a call can wait for somebody to be done: for as long as it may, but not to its deadline. Now, where that
    /// is over.
    fn patience(&self, now: Timestamp) -> Timestamp {
        let most = now.after(self.router.retry.max_wait.saturating_sub(self.waited));
        let before = |deadline: Timestamp| Timestamp(deadline.0.saturating_sub(1));
        let patience = self.call.deadline.map_or(most, |deadline| most.min(before(deadline)));
        // Time may be quicker than whoever is busy.
        self.found.ready_at().map_or(patience, |at| at.min(patience))
    }

    /// Waits, unless that takes too long.
    async fn wait(&mut self, until: Timestamp, now: Timestamp, freed: impl Future<Output = ()>) -> bool {
        let most = now.after(self.router.retry.max_wait.saturating_sub(self.waited));
        if until > most || until <= now && self.waited >= self.router.retry.max_wait {
            return false;
        }
        if self.call.deadline.is_some_and(|deadline| until >= deadline) {
            return false;
        }
        let sleep = self.router.runtime.sleep_until(until);
        select(std::pin::pin!(freed), sleep).await;
        self.waited = self.waited.saturating_add(now.until(self.router.runtime.now()));
        true
    }

    fn give_up(&mut self) -> ModelError {
        let now = self.router.runtime.now();
        self.pick(&[], now);
        let ready = self.found.ready_at().map(|at| now.until(at));
        let mut error = match self.best.take() {
            Some(error) => error,
            None => ModelError::new(self.found.kind(), "no candidate may be asked now"),
        };
        // Nobody tries a used-up budget again by himself; but whoever wants to know when it is filled is told.
        if error.retryable || error.kind == ErrorKind::Budget {
            error.retry_after = ready.or(error.retry_after);
        }
        self.named(error)
    }

    /// The error, with what was tried.
    pub(super) fn named(&self, mut error: ModelError) -> ModelError {
        use std::fmt::Write as _;
        let mut text = format!("router `{}`: {}", self.router.name, error.message);
        for attempt in &self.attempts {
            let _ = write!(text, "; asked `{}`: {}", attempt.candidate, attempt.outcome);
        }
        for rejected in self.found.rejected(&self.router.deployments, self.claim.as_ref(), 5) {
            let _ = write!(text, "; not `{}`: {}", rejected.candidate, rejected.why);
        }
        error.message = text;
        error
    }

    /// What is shown of the way that the call went: an event for tracing, and what the span is told.
    pub(super) fn decide(&self, chosen: Option<Arc<str>>) -> RouteDecision {
        let decision = self.decision(chosen);
        self.span.record("chosen", decision.chosen.as_deref().unwrap_or("nobody"));
        self.span.record("attempts", decision.attempts.len());
        tracing::debug!(parent: &self.span, route = %decision, "routed");
        decision
    }

    fn decision(&self, chosen: Option<Arc<str>>) -> RouteDecision {
        let all = &self.router.deployments;
        let left_out = |length: usize| length.saturating_sub(SHOWN);
        let omitted = left_out(self.found.rejected.len()) + left_out(self.found.scores.len());
        RouteDecision {
            router: self.router.name.clone(),
            chosen,
            rejected: self.found.rejected(all, self.claim.as_ref(), SHOWN),
            scores: self.found.scored(all, SHOWN),
            omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
            attempts: self.attempts.clone(),
            waited_ms: u64::try_from(self.waited.as_millis()).unwrap_or(u64::MAX),
            task: self.task.clone(),
        }
    }
}
