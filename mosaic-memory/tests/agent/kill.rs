//! Processes that are killed while they answer and learn: in the end, everything is learnt, and once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{Memory, MemoryKind, MemoryPage, MemoryStore};
use mosaic_core::queue::{Budget, Queue};
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{Agent, Body, Engine, Runtime, Seq, Session, SessionStore, TokioRuntime};
use mosaic_memory::agent::{AgentMemory, AgentMemoryOptions, MemoryAgentBuilder, Places};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::write::RulesExtractor;
use mosaic_storage::SqliteStore;

use crate::house::{ann, of_ann};

const DATABASE: &str = "MOSAIC_MEMORY_TEST_DATABASE";

struct Process {
    store: Arc<SqliteStore>,
    memory: AgentMemory,
    engine: Engine,
    agent: Agent,
    runtime: Arc<dyn Runtime>,
}

impl Process {
    async fn start(path: &Path) -> Self {
        let store = Arc::new(SqliteStore::open_url(&format!("sqlite://{}", path.display())).await.unwrap());
        let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime::current().unwrap());
        let places =
            Places { sessions: store.clone(), memories: Arc::new(store.memories()), jobs: store.clone() };
        let embedder = Arc::new(HashingEmbedder::new(64));
        let options = AgentMemoryOptions::default();
        let memory = AgentMemory::new(places, embedder, Arc::new(RulesExtractor), runtime.clone(), options);
        let model = ScriptedModel::from_fn(|_| Answer::text("I see."));
        let agent = Agent::builder("butler").model(model).memory(&memory).build().unwrap();
        let engine = Engine::new(store.clone(), runtime.clone(), None);
        Self { store, memory, engine, agent, runtime }
    }

    fn queue(&self) -> Queue {
        let queue = Queue::new(self.store.clone(), self.runtime.clone()).handler(self.memory.handler());
        queue.options(|options| {
            options.visibility = Duration::from_secs(1);
            options.poll = Duration::from_millis(20);
        })
    }

    async fn session(&self) -> Session {
        self.engine.session(ann("monday"), &self.agent).await.unwrap()
    }
}

/// How many runs of a log have ended.
async fn ended(session: &Session) -> usize {
    let entries = session.entries(Seq(1)).await.unwrap();
    entries.iter().filter(|entry| matches!(entry.body, Body::RunEnd { .. })).count()
}

/// Not a test by itself: what the killed processes do. They are this program, started again.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    let process = Process::start(path.as_ref()).await;
    let _worker = process.queue().start();
    let session = process.session().await;
    if let Some(run) = session.resume().await.unwrap() {
        run.finish().await.unwrap();
    }
    for n in ended(&session).await.. {
        session.send(format!("I prefer tea{n} for meal{n}.")).await.unwrap().finish().await.unwrap();
        println!("\nsaid {n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_every_run_is_learnt_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture"])
            .env(DATABASE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Between the queueing of a job, its wait, and its work: another moment each time.
        let mut said = lines.map_while(Result::ok).filter(|line| line.starts_with("said"));
        assert!(said.nth(3 + 7 * round).is_some(), "the child ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    let process = Process::start(&path).await;
    let session = process.session().await;
    if let Some(run) = session.resume().await.unwrap() {
        run.finish().await.unwrap();
    }
    let runs = ended(&session).await;
    assert!(runs > 20, "{runs} runs");
    let queue = process.queue();
    loop {
        let report = queue.run_due_jobs(Budget::jobs(1_000)).await.unwrap();
        assert_eq!(report.dead, 0);
        let Some(due) = report.next_due else { break };
        process.runtime.sleep_until(due).await;
    }

    let memories = process.store.memories();
    let mut all: Vec<Arc<Memory>> = Vec::new();
    loop {
        let page = MemoryPage { after: all.last().map(|memory| memory.id), ..MemoryPage::default() };
        let more = memories.list(&of_ann(), page).await.unwrap();
        if more.is_empty() {
            break;
        }
        all.extend(more);
    }
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for memory in all.iter().filter(|memory| &*memory.text() != "I see.") {
        *counted.entry(memory.text().into_owned()).or_default() += 1;
    }
    let expected =
        (0..runs).flat_map(|n| [format!("I prefer tea{n} for meal{n}."), format!("meal{n}: tea{n}")]);
    let expected: BTreeMap<String, usize> = expected.map(|text| (text, 1)).collect();
    assert_eq!(counted, expected);
    let seen = all.iter().filter(|memory| memory.body.kind() == MemoryKind::Episode).count();
    assert_eq!(seen, 2 * runs, "what both said");
    process.store.close().await.unwrap();
}
