//! A router in the making.

use std::collections::HashSet;
use std::sync::Arc;

use super::deployment::Deployment;
use super::health::{HealthStore, Shared};
use super::hedging::Credit;
use super::router::{Inner, Router};
use super::{
    BreakerPolicy, Budgets, Candidate, Classifier, Fallback, Fallbacks, Hedge, HedgeAfter, QuarterBytes,
    RetryPolicy, RouterError, Strategy, TaskRule, TokenEstimator,
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
    classifier: Option<Arc<dyn Classifier>>,
    rules: Vec<TaskRule>,
    budgets: Option<Budgets>,
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
            classifier: None,
            rules: Vec::new(),
            budgets: None,
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

    /// What may be spent. A ledger may serve many routers.
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = Some(budgets);
        self
    }

    /// Tells what kind of task a call is that does not say so itself; for rules, and for scores of the host's own.
    pub fn classifier(mut self, classifier: Arc<dyn Classifier>) -> Self {
        self.classifier = Some(classifier);
        self
    }

    /// Who is asked first for a kind of task.
    pub fn rule(mut self, rule: TaskRule) -> Self {
        self.rules.push(rule);
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
                let budgets = self.budgets.as_ref().map(|of| of.concerning(&candidate)).unwrap_or_default();
                Arc::new(Deployment::new(candidate, first_named, budgets))
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
            classifier: self.classifier,
            rules: self.rules,
            hedges: Credit::default(),
            freed: self.budgets.as_ref().map(Budgets::freed).unwrap_or_default(),
            budgets: self.budgets,
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
        for (value, name) in least {
            if value == 0 {
                return Err(setting(name, value, "it must be at least 1"));
            }
        }
        if let Some(Hedge { after, most, share }) = &self.retry.hedge {
            if *most == 0 {
                return Err(setting(
                    "retry.hedge.most",
                    0,
                    "it must be at least 1; leave `hedge` out for none",
                ));
            }
            if !(*share > 0.0 && *share <= 1.0) {
                return Err(setting("retry.hedge.share", share, "it must be above 0 and at most 1"));
            }
            if let HedgeAfter::Percentile { of, .. } = after
                && !(*of > 0.0 && *of < 1.0)
            {
                return Err(setting("retry.hedge.after", of, "a percentile lies between 0 and 1"));
            }
        }
        let unknown = |id: &&Arc<str>| !ids.contains(*id);
        if let Some(id) = self.rules.iter().flat_map(TaskRule::named).find(unknown) {
            return Err(RouterError::UnknownCandidate { place: "a rule", id: id.clone() });
        }
        let known = |tag: &Arc<str>| self.candidates.iter().any(|candidate| candidate.tags.contains(tag));
        if let Some(tag) = self.rules.iter().flat_map(TaskRule::tags).find(|tag| !known(tag)) {
            return Err(setting("rule", tag, "it must be the tag of a candidate"));
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

fn setting(setting: &'static str, value: impl ToString, expected: &'static str) -> RouterError {
    RouterError::Setting { setting, value: value.to_string(), expected }
}
