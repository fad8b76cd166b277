//! The router: a model that asks others.

use std::fmt;
use std::sync::Arc;

use super::budget::Claim;
use super::course::Course;
use super::deployment::Deployment;
use super::health::Shared;
use super::hedging::Credit;
use super::pick::{Ask, Found, pick};
use super::{
    BreakerPolicy, Budgets, Candidate, Classifier, Fallbacks, Needs, RetryPolicy, RouteDecision, RouteHints,
    RouterBuilder, Strategy, TaskKind, TaskRule, TokenEstimator,
};
use crate::model::{ChatModel, ModelCall, ModelError, ModelInfo, ModelRequest, ModelStream};
use crate::runtime::Runtime;

/// A model that asks the best of its candidates. Cheap to clone; clones share what was learnt.
#[derive(Clone)]
pub struct Router(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) name: Arc<str>,
    pub(super) info: ModelInfo,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) deployments: Vec<Arc<Deployment>>,
    pub(super) strategy: Strategy,
    pub(super) retry: RetryPolicy,
    pub(super) fallbacks: Fallbacks,
    pub(super) breaker: BreakerPolicy,
    /// What other processes know of the candidates.
    pub(super) health: Option<Arc<Shared>>,
    pub(super) estimator: Arc<dyn TokenEstimator>,
    pub(super) classifier: Option<Arc<dyn Classifier>>,
    pub(super) rules: Vec<TaskRule>,
    pub(super) budgets: Option<Budgets>,
    pub(super) hedges: Credit,
    /// Somebody let go of a candidate, or of what a budget had set aside.
    pub(super) freed: Arc<tokio::sync::Notify>,
}

impl Inner {
    /// What a call means to the budgets.
    pub(super) fn claim(&self, request: &ModelRequest, hints: &RouteHints, needs: &Needs) -> Option<Claim> {
        let budgets = self.budgets.as_ref()?;
        Some(Claim::new(budgets, request, hints, needs, self.estimator.as_ref(), self.runtime.now()))
    }

    /// The kind of task, where somebody says it.
    pub(super) fn task(&self, request: &ModelRequest, hints: &RouteHints) -> Option<TaskKind> {
        hints.task.clone().or_else(|| self.classifier.as_ref()?.classify(request, hints))
    }

    /// The place of the candidate that a call prefers.
    pub(super) fn preferred(&self, hints: &RouteHints) -> Option<usize> {
        let preferred = hints.prefer.as_deref()?;
        self.deployments.iter().position(|of| of.candidate.id() == preferred)
    }

    /// Those that rules send this kind of task to; empty where no rule is for it.
    pub(super) fn favoured(&self, task: Option<&TaskKind>) -> Vec<bool> {
        let rules: Vec<&TaskRule> =
            self.rules.iter().filter(|rule| task.is_some_and(|task| rule.is_for(task))).collect();
        if rules.is_empty() {
            return Vec::new();
        }
        let favoured = |of: &Arc<Deployment>| rules.iter().any(|rule| rule.favours(&of.candidate));
        self.deployments.iter().map(favoured).collect()
    }
}

impl Router {
    /// Starts a router. Its clock and its lots are the runtime's.
    pub fn builder(runtime: Arc<dyn Runtime>) -> RouterBuilder {
        RouterBuilder::new(runtime)
    }

    /// Who would be asked now, without the reasons; asks nobody and takes nothing. For a host that calls models itself.
    #[must_use]
    pub fn choose(&self, request: &ModelRequest, hints: &RouteHints) -> Option<&Candidate> {
        let look = Look::new(&self.0, request, hints);
        Some(&self.0.deployments.get(look.found.best?)?.candidate)
    }

    /// Where a request would go now, with every reason; asks nobody and takes nothing.
    #[must_use]
    pub fn explain(&self, request: &ModelRequest, hints: &RouteHints) -> RouteDecision {
        let Look { found, claim, task } = Look::new(&self.0, request, hints);
        let inner = &*self.0;
        let id = |index: usize| inner.deployments.get(index).map(|of| of.candidate.id.clone());
        RouteDecision {
            router: inner.name.clone(),
            chosen: found.best.and_then(id),
            rejected: found.rejected(&inner.deployments, claim.as_ref(), usize::MAX),
            scores: found.scored(&inner.deployments, usize::MAX),
            task,
            ..RouteDecision::default()
        }
    }
}

/// What a pick finds that no call follows.
struct Look {
    found: Found,
    claim: Option<Claim>,
    task: Option<TaskKind>,
}

impl Look {
    fn new(inner: &Inner, request: &ModelRequest, hints: &RouteHints) -> Self {
        let needs = Needs::of(request, inner.estimator.as_ref());
        let claim = inner.claim(request, hints, &needs);
        let task = inner.task(request, hints);
        let ask = Ask {
            needs: &needs,
            hints,
            preferred: inner.preferred(hints),
            favoured: &inner.favoured(task.as_ref()),
            asked: &[],
            per_candidate: inner.retry.per_candidate,
            asking: &[],
            barred: &[],
            places: &[],
            claim: claim.as_ref(),
            seed: inner.runtime.random(),
            now: inner.runtime.now(),
        };
        let mut found = Found::default();
        pick(&inner.deployments, &inner.strategy, &ask, &mut found);
        Self { found, claim, task }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.0.deployments.iter().map(|of| of.candidate.id()).collect();
        f.debug_struct("Router").field("name", &self.0.name).field("candidates", &ids).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl ChatModel for Router {
    fn info(&self) -> &ModelInfo {
        &self.0.info
    }

    /// Retries and falls back until a candidate has said something. A failure is a stream of the decision and the error.
    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        Ok(Course::new(self.0.clone(), call).run().await)
    }
}
