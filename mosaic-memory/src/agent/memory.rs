//! The parts, put together.

use std::sync::Arc;

use mosaic_core::memory::MemoryStore;
use mosaic_core::queue::JobStore;
use mosaic_core::{Embedder, Runtime, SessionStore, Tool};

use super::{AfterRun, AgentMemoryOptions, MemoryContext, REMEMBER, Remember};
use crate::recall::Recall;
use crate::write::tools::{MemoryTools, MemoryToolsOptions, Whose};
use crate::write::{Extractor, Writer};

/// Where everything is kept.
#[derive(Debug, Clone)]
pub struct Places {
    /// The logs, which extraction reads.
    pub sessions: Arc<dyn SessionStore>,
    /// The memories.
    pub memories: Arc<dyn MemoryStore>,
    /// The jobs, through which extraction goes.
    pub jobs: Arc<dyn JobStore>,
}

/// What agents remember, and how. Cheap to clone; all agents may share one.
///
/// [`MemoryAgentBuilder::memory`](super::MemoryAgentBuilder::memory) gives it to an agent whole. Who wants only a part of it takes
/// [`context`](Self::context), [`tools`](Self::tools) or [`after_run`](Self::after_run). The [`handler`](Self::handler) belongs
/// into the queue that works on the jobs.
#[derive(Debug, Clone)]
pub struct AgentMemory(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) places: Places,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) extractor: Arc<dyn Extractor>,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) recall: Recall,
    pub(super) writer: Writer,
    pub(super) options: AgentMemoryOptions,
}

impl AgentMemory {
    /// Remembers in some places. What is found and what is written is compared by the embedder's vectors.
    #[must_use]
    pub fn new(
        places: Places,
        embedder: Arc<dyn Embedder>,
        extractor: Arc<dyn Extractor>,
        runtime: Arc<dyn Runtime>,
        options: AgentMemoryOptions,
    ) -> Self {
        let recall = Recall::new(places.memories.clone(), embedder.clone(), options.recall.clone());
        let writer =
            Writer::new(places.memories.clone(), embedder.clone(), runtime.clone(), options.writer.clone());
        Self(Arc::new(Inner { places, runtime, extractor, embedder, recall, writer, options }))
    }

    /// What tells an agent's model what bears on the input.
    #[must_use]
    pub fn context(&self) -> MemoryContext {
        MemoryContext(self.0.clone())
    }

    /// The tools of an agent that remembers: those of whoever's session they are called in.
    #[must_use]
    pub fn tools(&self) -> MemoryTools {
        let Inner { places, embedder, runtime, options, .. } = &*self.0;
        let tools = MemoryToolsOptions {
            recall: options.recall.clone(),
            writer: options.writer.clone(),
            forgetting: options.forgetting,
            ..MemoryToolsOptions::default()
        };
        MemoryTools::new(places.memories.clone(), embedder.clone(), runtime.clone(), Whose::Session, tools)
    }

    /// All the tools, as an agent takes them.
    #[must_use]
    pub fn all_tools(&self) -> Vec<Arc<dyn Tool>> {
        self.tools().all()
    }

    /// What queues the learning when a run ends.
    #[must_use]
    pub fn after_run(&self) -> AfterRun {
        AfterRun::new(self.0.places.jobs.clone(), self.0.runtime.clone()).then(REMEMBER)
    }

    /// What learns from a run that has ended: the handler of the jobs `memory.remember`.
    #[must_use]
    pub fn handler(&self) -> Remember {
        Remember(self.0.clone())
    }

    /// The recall underneath: for hosts that ask themselves.
    #[must_use]
    pub fn recall(&self) -> &Recall {
        &self.0.recall
    }

    /// The writer underneath: for hosts that write themselves.
    #[must_use]
    pub fn writer(&self) -> &Writer {
        &self.0.writer
    }

    /// Where everything is kept.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.0.places
    }
}
