//! The course of one call: pick, ask, and once more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::{StreamExt, stream};

use super::answer::Answer;
use super::deployment::Permit;
use super::hash::mix;
use super::pick::{Ask, Found, pick};
use super::router::Inner;
use super::{AttemptOutcome, Fallback, Needs, RouteAttempt, RouteDecision};
use crate::error::ErrorKind;
use crate::model::{ModelCall, ModelError, ModelEvent, ModelStream, StopReason};
use crate::runtime::Timestamp;

/// How many entries a list of an emitted decision holds.
const SHOWN: usize = 16;

pub(super) struct Course {
    pub(super) router: Arc<Inner>,
    call: ModelCall,
    needs: Needs,
    asked: Vec<u32>,
    barred: Vec<bool>,
    places: Vec<usize>,
    pub(super) attempts: Vec<RouteAttempt>,
    waited: Duration,
    /// A backoff was waited for after so many attempts.
    rested: usize,
    found: Found,
    best: Option<ModelError>,
}

/// An answer that has begun.
pub(super) struct Opened {
    pub(super) held: Vec<ModelEvent>,
    pub(super) stream: ModelStream,
    pub(super) permit: Permit,
    pub(super) first: Timestamp,
}

impl Course {
    pub(super) fn new(router: Arc<Inner>, call: ModelCall) -> Self {
        let needs = Needs::of(&call.request, router.estimator.as_ref());
        let count = router.deployments.len();
        Self {
            needs,
            asked: vec![0; count],
            barred: vec![false; count],
            places: Vec::new(),
            attempts: Vec::new(),
            waited: Duration::ZERO,
            rested: 0,
            found: Found::default(),
            best: None,
            router,
            call,
        }
    }

    pub(super) async fn run(mut self) -> ModelStream {
        match self.open().await {
            Ok(opened) => Box::pin(Answer::new(self, opened)),
            Err(error) => {
                let decision = self.decision(None);
                tracing::debug!(router = %decision.router, route = %decision, "no candidate answers");
                Box::pin(stream::iter([Ok(ModelEvent::Route(Arc::new(decision))), Err(error)]))
            }
        }
    }

    async fn open(&mut self) -> Result<Opened, ModelError> {
        let retry = self.router.retry.clone();
        let most = self.call.route.max_attempts.unwrap_or(u32::MAX).clamp(1, retry.max_attempts) as usize;
        let seed = self.router.runtime.random();
        loop {
            if self.attempts.len() >= most {
                return Err(self.give_up());
            }
            let router = self.router.clone();
            if let Some(health) = &router.health {
                health.look(&router, self.call.deadline).await;
            }
            // Before the look, so that what is freed in between is not missed.
            let freed = router.freed.notified();
            let now = router.runtime.now();
            self.found = self.pick(seed, now);
            let Some(index) = self.found.best else {
                let busy =
                    self.found.rejected.iter().any(|(_, why)| matches!(why, super::Rejection::Busy { .. }));
                let until = match self.found.ready_at() {
                    Some(at) => at,
                    None if busy => self.patience(now),
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
                let rest = Duration::from_millis(mix(seed.wrapping_add(self.rested as u64)) % longest);
                if !self.wait(now.after(rest), now, std::future::pending()).await {
                    return Err(self.give_up());
                }
                continue;
            }
            let Some(deployment) = router.deployments.get(index) else { return Err(self.give_up()) };
            let Some(permit) = deployment.admit(&self.needs, &router.breaker, now) else { continue };
            let Some(permit) = permit.claimed(self.call.deadline, &*router.runtime).await else {
                router.freed.notify_waiters();
                continue;
            };
            let now = router.runtime.now();
            match self.ask(index, permit, now).await {
                Ok(opened) => return Ok(opened),
                Err(error) => self.judge(index, error)?,
            }
        }
    }

    fn pick(&self, seed: u64, now: Timestamp) -> Found {
        pick(
            &self.router.deployments,
            &self.router.strategy,
            &Ask {
                needs: &self.needs,
                hints: &self.call.route,
                asked: &self.asked,
                per_candidate: self.router.retry.per_candidate,
                barred: &self.barred,
                places: &self.places,
                seed,
                now,
            },
        )
    }

    /// Asks one candidate, up to the first event that shows something.
    async fn ask(&mut self, index: usize, permit: Permit, now: Timestamp) -> Result<Opened, ModelError> {
        if let Some(asked) = self.asked.get_mut(index) {
            *asked += 1;
        }
        let (router, call) = (self.router.clone(), self.call.clone());
        let candidate = permit.deployment.candidate.id.clone();
        self.attempts.push(RouteAttempt {
            candidate,
            started: now,
            ended: None,
            outcome: AttemptOutcome::Running,
        });
        let model = permit.deployment.candidate.model.clone();
        let opening = Box::pin(async move {
            let mut stream = model.stream(call).await?;
            let mut held = Vec::new();
            loop {
                let event = match stream.next().await {
                    Some(event) => event?,
                    None => {
                        return Err(ModelError::new(
                            ErrorKind::Incomplete,
                            "the answer ended without its last event",
                        ));
                    }
                };
                match &event {
                    // Of a router behind this one.
                    ModelEvent::Route(_) => continue,
                    ModelEvent::Restarted => held.clear(),
                    ModelEvent::Done(end) if end.stop == StopReason::ContentFilter => {
                        return Err(ModelError::new(
                            ErrorKind::ContentFiltered,
                            "the provider's filter stopped the answer",
                        ));
                    }
                    _ => {}
                }
                let begins = matches!(event, ModelEvent::Start { .. });
                if !matches!(event, ModelEvent::Restarted) {
                    held.push(event);
                }
                if !begins && !held.is_empty() {
                    return Ok((held, stream));
                }
            }
        });
        let limit = router.retry.first_event.map(|limit| now.after(limit));
        let limit = [limit, self.call.deadline].into_iter().flatten().min();
        let opened = match limit {
            None => opening.await,
            Some(at) => match select(opening, router.runtime.sleep_until(at)).await {
                Either::Left((opened, _)) => opened,
                Either::Right(_) => Err(ModelError::new(ErrorKind::Timeout, "it said nothing in time")),
            },
        };
        let at = router.runtime.now();
        match opened {
            Ok((held, stream)) => {
                permit.deployment.latency.first(now.until(at), at);
                if permit.begun(at) {
                    router.freed.notify_waiters();
                }
                Ok(Opened { held, stream, permit, first: at })
            }
            Err(error) => {
                self.end(AttemptOutcome::Failed { kind: error.kind }, at);
                permit.failed(&error, &router.breaker, at);
                router.freed.notify_waiters();
                Err(error)
            }
        }
    }

    pub(super) fn end(&mut self, outcome: AttemptOutcome, at: Timestamp) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.outcome = outcome;
            attempt.ended = Some(at);
        }
    }

    /// What becomes of the call after a failure: `Err` where it has failed.
    fn judge(&mut self, index: usize, error: ModelError) -> Result<(), ModelError> {
        let fallback = match error.kind {
            ErrorKind::InvalidRequest | ErrorKind::Cancelled => return Err(self.named(error)),
            ErrorKind::ContextOverflow => self.router.fallbacks.overflow.clone(),
            ErrorKind::ContentFiltered => self.router.fallbacks.filtered.clone(),
            _ => self.router.fallbacks.failure.clone(),
        };
        if !error.retryable
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
        self.call.deadline.map_or(most, |deadline| most.min(before(deadline)))
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
        self.found = self.pick(0, now);
        let ready = self.found.ready_at().map(|at| now.until(at));
        let mut error = match self.best.take() {
            Some(error) => error,
            None => ModelError::new(self.found.kind(), "no candidate may be asked now"),
        };
        if error.retryable {
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
        for rejected in self.found.rejected(&self.router.deployments, 5) {
            let _ = write!(text, "; not `{}`: {}", rejected.candidate, rejected.why);
        }
        error.message = text;
        error
    }

    pub(super) fn decision(&self, chosen: Option<Arc<str>>) -> RouteDecision {
        let all = &self.router.deployments;
        let left_out = |length: usize| length.saturating_sub(SHOWN);
        let omitted = left_out(self.found.rejected.len()) + left_out(self.found.scores.len());
        RouteDecision {
            router: self.router.name.clone(),
            chosen,
            rejected: self.found.rejected(all, SHOWN),
            scores: self.found.scored(all, SHOWN),
            omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
            attempts: self.attempts.clone(),
            waited_ms: u64::try_from(self.waited.as_millis()).unwrap_or(u64::MAX),
            task: self.call.route.task.clone(),
        }
    }
}
