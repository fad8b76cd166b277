//! An engine, a queue and a memory over one store in RAM, and a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{Memory, MemoryPage, MemoryStore, Scope};
use mosaic_core::queue::{Budget, Queue, RunReport};
use mosaic_core::testing::{Answer, ScriptedModel, TestRuntime};
use mosaic_core::{Agent, Engine, GroupBody, Part, Session, SessionKey, SessionSpec};
use mosaic_memory::agent::{AgentMemory, AgentMemoryOptions, MemoryAgentBuilder, Places};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::write::{Extractor, RulesExtractor};
use mosaic_storage::{RamMemories, RamStore};

pub(crate) struct House {
    pub(crate) store: Arc<RamStore>,
    pub(crate) memories: Arc<RamMemories>,
    pub(crate) runtime: TestRuntime,
    pub(crate) memory: AgentMemory,
    pub(crate) model: ScriptedModel,
    pub(crate) agent: Agent,
    pub(crate) engine: Engine,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(RulesExtractor), |_| {})
    }

    pub(crate) fn with(extractor: Arc<dyn Extractor>, change: impl FnOnce(&mut AgentMemoryOptions)) -> Self {
        let (store, runtime) = (Arc::new(RamStore::new()), TestRuntime::new(11));
        let memories = Arc::new(store.memories());
        let places = Places { sessions: store.clone(), memories: memories.clone(), jobs: store.clone() };
        let mut options = AgentMemoryOptions::default();
        change(&mut options);
        let shared = Arc::new(runtime.clone());
        let memory =
            AgentMemory::new(places, Arc::new(HashingEmbedder::new(256)), extractor, shared.clone(), options);
        let model = ScriptedModel::new([]);
        let agent = Agent::builder("butler").model(model.clone()).memory(&memory).build().unwrap();
        let engine = Engine::new(store.clone(), shared, None);
        Self { store, memories, runtime, memory, model, agent, engine }
    }

    pub(crate) async fn session(&self, spec: impl Into<SessionSpec>) -> Session {
        self.engine.session(spec, &self.agent).await.unwrap()
    }

    /// Says something in a session of Ann's, and has it answered.
    pub(crate) async fn ann_says(&self, session: &str, text: &str) {
        let session = self.session(ann(session)).await;
        self.say(&session, text).await;
    }

    pub(crate) async fn say(&self, session: &Session, text: &str) {
        self.model.push(Answer::text("I see."));
        session.send(text).await.unwrap().finish().await.unwrap();
    }

    /// Lets a second pass, and the jobs run that are due.
    pub(crate) async fn work(&self) -> RunReport {
        self.runtime.advance(Duration::from_secs(1)).await;
        self.queue().run_due_jobs(Budget::jobs(100)).await.unwrap()
    }

    pub(crate) fn queue(&self) -> Queue {
        Queue::new(self.store.clone(), Arc::new(self.runtime.clone())).handler(self.memory.handler())
    }

    /// As `work`, with all that agents' memory has handlers for.
    pub(crate) async fn work_on_all(&self) -> RunReport {
        self.runtime.advance(Duration::from_secs(1)).await;
        let queue = Queue::new(self.store.clone(), Arc::new(self.runtime.clone()));
        let queue = self.memory.handlers().into_iter().fold(queue, Queue::shared_handler);
        queue.run_due_jobs(Budget::jobs(100)).await.unwrap()
    }

    /// What the model was told of memories in its last request: the lines.
    pub(crate) fn told(&self) -> Vec<String> {
        let request = self.model.requests().pop().unwrap();
        let Some(GroupBody::User { parts }) = request.groups.last().map(|group| group.body().clone()) else {
            return Vec::new();
        };
        let texts = parts.iter().filter_map(Part::as_text).filter(|text| text.starts_with("<memory>"));
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    pub(crate) async fn all(&self, scope: &Scope) -> Vec<Arc<Memory>> {
        self.memories.list(scope, MemoryPage::default()).await.unwrap()
    }
}

/// A session of Ann's.
pub(crate) fn ann(session: &str) -> SessionSpec {
    SessionKey::of("acme", session).user("ann")
}

pub(crate) fn of_ann() -> Scope {
    Scope::of("acme").user("ann")
}
