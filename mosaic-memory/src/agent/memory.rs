//! The parts, put together.

use std::sync::Arc;

use mosaic_core::memory::{MemoryStore, VectorCache};
use mosaic_core::queue::{Handler, JobStore};
use mosaic_core::summary::Summarizer;
use mosaic_core::{Runtime, SessionStore, Tool};

use super::{AfterRun, AgentMemoryOptions, MemoryContext, REMEMBER, Remember};
use crate::embed::Embedders;
use crate::recall::Recall;
use crate::summary::{ExtractiveSummarizer, SessionSummaries, SummarizeSession};
use crate::upkeep::{Consolidate, Reembed};
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

#[derive(Debug, Clone)]
pub(super) struct Inner {
    pub(super) places: Places,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) extractor: Arc<dyn Extractor>,
    pub(super) embedders: Embedders,
    pub(super) summarizer: Arc<dyn Summarizer>,
    pub(super) cache: Option<Arc<dyn VectorCache>>,
    pub(super) recall: Recall,
    pub(super) writer: Writer,
    pub(super) options: AgentMemoryOptions,
}

impl AgentMemory {
    /// Remembers in some places. What is found and what is written is compared by the embedder's vectors; while memories are
    /// embedded anew, by those of several [`Embedders`]. Sessions are summarised [without a model](ExtractiveSummarizer), until
    /// [another summariser](Self::summarizer) is given.
    #[must_use]
    pub fn new(
        places: Places,
        embedders: impl Into<Embedders>,
        extractor: Arc<dyn Extractor>,
        runtime: Arc<dyn Runtime>,
        options: AgentMemoryOptions,
    ) -> Self {
        let embedders = embedders.into();
        let recall = Recall::new(places.memories.clone(), embedders.clone(), options.recall.clone());
        let writer =
            Writer::new(places.memories.clone(), embedders.clone(), runtime.clone(), options.writer.clone());
        let summarizer = Arc::new(ExtractiveSummarizer::default());
        Self(Arc::new(Inner {
            places,
            runtime,
            extractor,
            embedders,
            summarizer,
            cache: None,
            recall,
            writer,
            options,
        }))
    }

    /// With another summariser of sessions: a model, or a function of the host's.
    #[must_use]
    pub fn summarizer(self, summarizer: Arc<dyn Summarizer>) -> Self {
        Self(Arc::new(Inner { summarizer, ..Inner::clone(&self.0) }))
    }

    /// Tells of the cache that its embedders use, so that who erases a user finds it.
    #[must_use]
    pub fn with_cache(self, cache: impl Into<Option<Arc<dyn VectorCache>>>) -> Self {
        Self(Arc::new(Inner { cache: cache.into(), ..Inner::clone(&self.0) }))
    }

    /// The cache that its embedders use.
    #[must_use]
    pub fn cache(&self) -> Option<&Arc<dyn VectorCache>> {
        self.0.cache.as_ref()
    }

    /// What tells an agent's model what bears on the input.
    #[must_use]
    pub fn context(&self) -> MemoryContext {
        MemoryContext(self.0.clone())
    }

    /// The tools of an agent that remembers: those of whoever's session they are called in.
    #[must_use]
    pub fn tools(&self) -> MemoryTools {
        let Inner { places, embedders, runtime, options, .. } = &*self.0;
        let tools = MemoryToolsOptions {
            recall: options.recall.clone(),
            writer: options.writer.clone(),
            forgetting: options.forgetting,
            ..MemoryToolsOptions::default()
        };
        MemoryTools::new(places.memories.clone(), embedders.clone(), runtime.clone(), Whose::Session, tools)
    }

    /// All the tools, as an agent takes them.
    #[must_use]
    pub fn all_tools(&self) -> Vec<Arc<dyn Tool>> {
        self.tools().all()
    }

    /// What queues the learning when a run ends, and the summarising of its session.
    #[must_use]
    pub fn after_run(&self) -> AfterRun {
        AfterRun::new(self.0.places.jobs.clone(), self.0.runtime.clone())
            .then(REMEMBER)
            .then_job(|run| SummarizeSession::rolling(run.clone()).job())
    }

    /// What learns from a run that has ended: the handler of the jobs `memory.remember`.
    #[must_use]
    pub fn handler(&self) -> Remember {
        Remember(self.0.clone())
    }

    /// What summarises sessions, part by part, as they go on: the handler of the jobs `session.summarize`.
    #[must_use]
    pub fn summaries(&self) -> SessionSummaries {
        let Inner { places, summarizer, embedders, options, .. } = &*self.0;
        let (sessions, memories) = (places.sessions.clone(), places.memories.clone());
        SessionSummaries::new(sessions, memories, summarizer.clone(), embedders.newest().clone())
            .options(|set| *set = options.summaries.clone())
    }

    /// All handlers of what agents remember: learning, summarising, [consolidating](crate::upkeep::Consolidate) and
    /// [embedding anew](crate::upkeep::Reembed).
    #[must_use]
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        let memories = &self.0.places.memories;
        vec![
            Arc::new(self.handler()),
            Arc::new(self.summaries()),
            Arc::new(Consolidate::new(memories.clone())),
            Arc::new(Reembed::new(memories.clone(), self.0.embedders.newest().clone())),
        ]
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
