//! The router: a model that asks others.

use std::fmt;
use std::sync::Arc;

use super::course::Course;
use super::deployment::Deployment;
use super::health::Shared;
use super::pick::{Ask, pick};
use super::{
    BreakerPolicy, Fallbacks, Needs, RetryPolicy, RouteDecision, RouteHints, RouterBuilder, Strategy,
    TokenEstimator,
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
    /// Somebody let go of a candidate.
    pub(super) freed: tokio::sync::Notify,
}

impl Router {
    /// Starts a router. Its clock and its lots are the runtime's.
    pub fn builder(runtime: Arc<dyn Runtime>) -> RouterBuilder {
        RouterBuilder::new(runtime)
    }

    /// Where a request would go now, with every reason; asks nobody and takes nothing.
    #[must_use]
    pub fn explain(&self, request: &ModelRequest, hints: &RouteHints) -> RouteDecision {
        let inner = &*self.0;
        let needs = Needs::of(request, inner.estimator.as_ref());
        let found = pick(
            &inner.deployments,
            &inner.strategy,
            &Ask {
                needs: &needs,
                hints,
                asked: &[],
                per_candidate: inner.retry.per_candidate,
                barred: &[],
                places: &[],
                seed: inner.runtime.random(),
                now: inner.runtime.now(),
            },
        );
        let id = |index: usize| inner.deployments.get(index).map(|of| of.candidate.id.clone());
        RouteDecision {
            router: inner.name.clone(),
            chosen: found.best.and_then(id),
            rejected: found.rejected(&inner.deployments, usize::MAX),
            scores: found.scored(&inner.deployments, usize::MAX),
            task: hints.task.clone(),
            ..RouteDecision::default()
        }
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
