//! A router in the making.

use std::collections::HashSet;
use std::sync::Arc;

use super::deployment::Deployment;
use super::health::{HealthStore, Shared};
use super::router::{Inner, Router};
use super::{
    BreakerPolicy, Candidate, Fallback, Fallbacks, QuarterBytes, RetryPolicy, RouterError, Strategy,
    TokenEstimator,
};
use crate::model::ModelInfo;
use crate::runtime::Runtime;

/// A [`Router`] in the making.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct RouterBuilder {
    name: Arc<str>,
    runtime: Arc<dyn Runtime>,
    candidates: Vec<Candidate>,
    strategy: Strategy,
    retry: RetryPolicy,
    fallbacks: Fallbacks,
    breaker: BreakerPolicy,
    health: Option<Arc<dyn HealthStore>>,
    estimator: Arc<dyn TokenEstimator>,
    info: Option<ModelInfo>,
}

impl RouterBuilder {
    pub(super) fn new(runtime: Arc<dyn Runtime>) -> Self {
        Self {
            name: "router".into(),
            runtime,
            candidates: Vec::new(),
            strategy: Strategy::default(),
            retry: RetryPolicy::default(),
            fallbacks: Fallbacks::default(),
            breaker: BreakerPolicy::default(),
            health: None,
            estimator: Arc::new(QuarterBytes),
            info: None,
        }
    }

    /// Its name in decisions and errors.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds a candidate. The one that is named first may be asked although nobody said what it can do.
    pub fn candidate(mut self, candidate: Candidate) -> Self {
        self.candidates.push(candidate);
        self
    }

    /// How the best one is found.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// How often a call is tried, and how long it may wait.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// To whom a call falls back.
    pub fn fallbacks(mut self, fallbacks: Fallbacks) -> Self {
        self.fallbacks = fallbacks;
        self
    }

    /// When a candidate is left alone.
    pub fn breaker(mut self, breaker: BreakerPolicy) -> Self {
        self.breaker = breaker;
        self
    }

    /// Shares what is known of the candidates with all routers of the same [`name`](Self::name) over this store, in other
    /// processes too: see [`health`](super::health).
    pub fn health(mut self, store: Arc<dyn HealthStore>) -> Self {
        self.health = Some(store);
        self
    }

    /// How the tokens of a prompt are estimated.
    pub fn estimator(mut self, estimator: Arc<dyn TokenEstimator>) -> Self {
        self.estimator = estimator;
        self
    }

    /// The facts that the router tells of itself; those of the first candidate unless set.
    pub fn info(mut self, info: ModelInfo) -> Self {
        self.info = Some(info);
        self
    }

    /// The router.
    ///
    /// # Errors
    /// A [`RouterError`] that says what to change.
    pub fn build(self) -> Result<Router, RouterError> {
        let first = self.candidates.first().ok_or(RouterError::NoCandidates)?.model.info().clone();
        self.check()?;
        let same_model = |candidate: &Candidate| candidate.model.info().model == first.model;
        let deployments: Vec<_> = self
            .candidates
            .into_iter()
            .enumerate()
            .map(|(index, candidate)| {
                let first_named = index == 0 || same_model(&candidate);
                Arc::new(Deployment::new(candidate, first_named))
            })
            .collect();
        let share = |store| Shared::over(store, &self.name, &self.runtime, &self.breaker, &deployments);
        let health = self.health.map(share);
        Ok(Router(Arc::new(Inner {
            name: self.name,
            info: self.info.unwrap_or(first),
            runtime: self.runtime,
            deployments,
            strategy: self.strategy,
            retry: self.retry,
            fallbacks: self.fallbacks,
            breaker: self.breaker,
            health,
            estimator: self.estimator,
            freed: tokio::sync::Notify::new(),
        })))
    }

    fn check(&self) -> Result<(), RouterError> {
        let mut ids = HashSet::new();
        for Candidate { id, weight, limits, .. } in &self.candidates {
            if !ids.insert(id) {
                return Err(RouterError::DuplicateCandidate { id: id.clone() });
            }
            if !(weight.is_finite() && *weight > 0.0) {
                return Err(RouterError::Weight { id: id.clone(), weight: *weight });
            }
            let zero = [
                (limits.requests == Some(0), "requests_per_minute"),
                (limits.tokens == Some(0), "tokens_per_minute"),
                (limits.parallel == Some(0), "max_parallel"),
            ];
            if let Some((_, limit)) = zero.into_iter().find(|(zero, _)| *zero) {
                return Err(RouterError::ZeroLimit { id: id.clone(), limit });
            }
        }
        for (score, weight) in &self.strategy.scores {
            if !(weight.is_finite() && *weight > 0.0) {
                return Err(RouterError::ScoreWeight { score: score.name(), weight: *weight });
            }
        }
        let least = [
            (self.retry.max_attempts, "retry.max_attempts"),
            (self.retry.per_candidate, "retry.per_candidate"),
            (self.breaker.failures, "breaker.failures"),
        ];
        for (value, setting) in least {
            if value == 0 {
                return Err(RouterError::Setting {
                    setting,
                    value: "0".into(),
                    expected: "it must be at least 1",
                });
            }
        }
        let Fallbacks { failure, overflow, filtered } = &self.fallbacks;
        for (fallback, place) in [
            (failure, "fallbacks.failure"),
            (overflow, "fallbacks.overflow"),
            (filtered, "fallbacks.filtered"),
        ] {
            if let Fallback::To(list) = fallback
                && let Some(id) = list.iter().find(|id| !ids.contains(id))
            {
                return Err(RouterError::UnknownCandidate { place, id: id.clone() });
            }
        }
        Ok(())
    }
}
