//! An engine, a store, a queue, and sessions that talk.

use std::sync::{Arc, Mutex};

use mosaic_core::memory::{Filter, Memory, MemoryPage, MemoryStore};
use mosaic_core::queue::{Budget, Queue, RamQueue, RunReport};
use mosaic_core::summary::{Claim, FnSummarizer, Summary, SummaryRequest, SummaryUse};
use mosaic_core::testing::{Answer, ScriptedModel, TestRuntime};
use mosaic_core::{Agent, EndedRun, Engine, Seq, Session, SessionKey};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::summary::{SUMMARY, SessionSummaries, SummarizeSession};
use mosaic_storage::RamStore;

/// What a summariser was asked.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<Vec<SummaryRequest>>>);

impl Asked {
    pub(crate) fn take(&self) -> Vec<SummaryRequest> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Claims once how much was said, resting on all of it.
pub(crate) fn counting(asked: &Asked) -> FnSummarizer {
    let asked = asked.clone();
    FnSummarizer::new(move |request: SummaryRequest| {
        asked.0.lock().unwrap().push(request.clone());
        async move {
            let mut cites: Vec<Seq> = request.passages.iter().map(|said| said.seq).collect();
            cites.extend(request.earlier.iter().flat_map(Summary::cites));
            let text = match request.used_for {
                SummaryUse::Session => format!("A session of {} entries.", cites.len()),
                _ => format!("They said {}.", request.passages[0].text.replace('\n', " ")),
            };
            Ok(Summary::new(vec![Claim::new(text, cites)]))
        }
    })
}

pub(crate) struct World {
    pub(crate) runtime: Arc<TestRuntime>,
    pub(crate) sessions: Arc<RamStore>,
    pub(crate) memories: Arc<dyn MemoryStore>,
    pub(crate) queue: Queue,
    pub(crate) engine: Engine,
    agent: Agent,
}

impl World {
    /// With these summaries, made over the stores of the world.
    pub(crate) fn new(
        summaries: impl FnOnce(Arc<RamStore>, Arc<dyn MemoryStore>) -> SessionSummaries,
    ) -> Self {
        let runtime = Arc::new(TestRuntime::new(3));
        let sessions = Arc::new(RamStore::new());
        let memories: Arc<dyn MemoryStore> = Arc::new(sessions.memories());
        let queue = Queue::new(Arc::new(RamQueue::new()), runtime.clone())
            .handler(summaries(sessions.clone(), memories.clone()));
        let engine = Engine::new(sessions.clone(), runtime.clone(), None);
        let model = ScriptedModel::from_fn(|_| Answer::text("Yes."));
        let agent = Agent::builder("helper").model(model).build().unwrap();
        Self { runtime, sessions, memories, queue, engine, agent }
    }

    pub(crate) fn counting(asked: &Asked) -> Self {
        let summarizer = Arc::new(counting(asked));
        Self::new(|sessions, memories| {
            SessionSummaries::new(sessions, memories, summarizer, Arc::new(HashingEmbedder::new(64)))
                .options(|options| options.every_runs = 2)
        })
    }

    pub(crate) async fn session(&self, name: &str) -> Session {
        self.engine.session(key(name), &self.agent).await.unwrap()
    }

    /// Says something; tells what ended.
    pub(crate) async fn say(&self, session: &Session, text: &str) -> EndedRun {
        let run = session.send(text).await.unwrap();
        let id = run.id();
        let reply = run.finish().await.unwrap();
        EndedRun {
            session: session.key().clone(),
            user: Some("ann".into()),
            agent: "helper".into(),
            run: id,
            from: reply.entries.0,
        }
    }

    pub(crate) async fn job(&self, job: SummarizeSession) -> RunReport {
        self.queue.add(job.job()).await.unwrap();
        self.queue.run_due_jobs(Budget::jobs(1)).await.unwrap()
    }

    /// The summaries of a level that are believed, in the order of what they stand for.
    pub(crate) async fn found(&self, ended: &EndedRun, level: &str) -> Vec<Arc<Memory>> {
        found(self.memories.as_ref(), ended, level).await
    }
}

pub(crate) fn key(name: &str) -> SessionKey {
    SessionKey::of("acme", name)
}

pub(crate) async fn found(memories: &dyn MemoryStore, ended: &EndedRun, level: &str) -> Vec<Arc<Memory>> {
    let filter = Filter { metadata: [(SUMMARY.to_owned(), vec![level.into()])].into(), ..Filter::default() };
    let page = MemoryPage { filter, after: None, limit: 100 };
    let mut found = memories.list(&ended.scope(), page).await.unwrap();
    found.sort_by_key(|memory| span(memory));
    found
}

pub(crate) fn span(memory: &Memory) -> (u64, u64) {
    match &memory.body {
        mosaic_core::memory::MemoryBody::Episode { span: Some(span), .. } => (span.from.0, span.to.0),
        other => panic!("no episode: {other:?}"),
    }
}

pub(crate) fn sources(memory: &Memory) -> Vec<u64> {
    memory.source.iter().map(|source| source.seq.0).collect()
}
