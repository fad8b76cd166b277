//! The models of agents: one, or a router over one and those that it falls back to.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::agent::{Agent, ModelChoice};
use crate::error::ErrorKind;
use crate::model::{ChatModel, ModelError, ModelRef, ModelSource};
use crate::router::{Candidate, Router};
use crate::runtime::Runtime;

/// How many routers are remembered. What is no longer used goes first.
const ROUTERS: usize = 256;

/// Finds the models of agents. One list of models has one router, so that what one session learns of a provider's health
/// counts for all.
#[derive(Debug)]
pub(super) struct Models {
    source: Option<Arc<dyn ModelSource>>,
    routers: Mutex<VecDeque<Remembered>>,
}

/// A list of models, and the router over it.
type Remembered = (Vec<Identity>, Arc<dyn ChatModel>);

/// Which model it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    Named(ModelRef),
    /// By its address; the router that is remembered under it keeps the model, so nothing else can come to live there.
    Given(usize),
}

impl Identity {
    fn of(choice: &ModelChoice) -> Option<Self> {
        match choice {
            ModelChoice::Named(name) => Some(Self::Named(name.clone())),
            ModelChoice::Given(model) => Some(Self::Given(Arc::as_ptr(model).cast::<()>() as usize)),
            ModelChoice::Invalid(_) => None,
        }
    }
}

impl Models {
    pub(super) fn new(source: Option<Arc<dyn ModelSource>>) -> Self {
        Self { source, routers: Mutex::default() }
    }

    /// The model that answers for an agent.
    pub(super) fn of(
        &self,
        agent: &Agent,
        runtime: &Arc<dyn Runtime>,
    ) -> Result<Arc<dyn ChatModel>, ModelError> {
        let first = self.resolve(agent.model())?;
        if agent.fallbacks().is_empty() {
            return Ok(first);
        }
        let mut identities: Vec<Identity> = Identity::of(agent.model()).into_iter().collect();
        let mut models = vec![first];
        for choice in agent.fallbacks() {
            let model = self.resolve(choice)?;
            // A model that was named before has had its turn.
            if let Some(identity) = Identity::of(choice).filter(|identity| !identities.contains(identity)) {
                identities.push(identity);
                models.push(model);
            }
        }
        let mut routers = self.routers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, router)) = routers.iter().find(|(of, _)| *of == identities) {
            return Ok(router.clone());
        }
        let router = router(&identities, models, runtime)?;
        if routers.len() >= ROUTERS {
            routers.retain(|(_, router)| Arc::strong_count(router) > 1);
        }
        if routers.len() >= ROUTERS {
            // Those who use it keep it; they only share it with no newcomer.
            routers.pop_front();
        }
        routers.push_back((identities, router.clone()));
        Ok(router)
    }

    fn resolve(&self, choice: &ModelChoice) -> Result<Arc<dyn ChatModel>, ModelError> {
        match (choice, &self.source) {
            (ModelChoice::Given(model), _) => Ok(model.clone()),
            (ModelChoice::Named(name), Some(source)) => source.resolve(name),
            (ModelChoice::Named(name), None) => {
                let message = format!("nobody resolves the model `{name}`; give the engine a ModelSource");
                Err(ModelError::new(ErrorKind::NotFound, message))
            }
            (ModelChoice::Invalid(error), _) => {
                Err(ModelError::new(ErrorKind::InvalidRequest, error.to_string()))
            }
        }
    }
}

/// A router that asks in this order.
fn router(
    identities: &[Identity],
    models: Vec<Arc<dyn ChatModel>>,
    runtime: &Arc<dyn Runtime>,
) -> Result<Arc<dyn ChatModel>, ModelError> {
    let mut builder = Router::builder(runtime.clone()).name("fallback");
    let mut ids: HashSet<String> = HashSet::new();
    for (priority, (identity, model)) in (0..).zip(identities.iter().zip(models)) {
        let name = match identity {
            Identity::Named(name) => name.to_string(),
            Identity::Given(_) => format!("{}:{}", model.info().provider, model.info().model),
        };
        let numbered = (2..).map(|number| format!("{name}#{number}"));
        let id = std::iter::once(name.clone()).chain(numbered).find(|id| !ids.contains(id)).unwrap_or(name);
        ids.insert(id.clone());
        builder = builder.candidate(Candidate::new(id, model).priority(priority));
    }
    match builder.build() {
        Ok(router) => Ok(Arc::new(router)),
        Err(error) => Err(ModelError::new(error.kind(), error.to_string())),
    }
}
