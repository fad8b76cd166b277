//! A process that is killed while it summarises: the next one makes each summary once.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use mosaic_core::memory::{
    Candidates, Change, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage, MemoryStore,
    Reach, RecordStream, Scope, SearchQuery,
};
use mosaic_core::queue::{Budget, Queue};
use mosaic_core::summary::{FnSummarizer, Summarizer, SummaryRequest};
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{Agent, EndedRun, Engine, Runtime, Seq, TokioRuntime};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::summary::{SessionSummaries, SummarizeSession};
use mosaic_storage::SqliteStore;

use crate::world::{Asked, counting, found, key, span};

const DATABASE: &str = "MOSAIC_SUMMARIES_TEST_DATABASE";
const WHERE: &str = "MOSAIC_SUMMARIES_TEST_WHERE";

/// Says that it has come so far, and waits to be killed.
async fn here() {
    println!("\nhere");
    std::future::pending::<()>().await;
}

/// A store that stops after the how-manieth change.
#[derive(Debug)]
struct Stops {
    inner: Arc<dyn MemoryStore>,
    after: std::sync::atomic::AtomicU64,
}

#[async_trait::async_trait]
impl MemoryStore for Stops {
    async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        let left = self.after.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        self.inner.apply(scope, changes).await?;
        if left == 1 {
            here().await;
        }
        Ok(())
    }

    async fn search(&self, query: SearchQuery) -> Result<Candidates, MemoryError> {
        self.inner.search(query).await
    }

    async fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
        self.inner.get(scope, ids).await
    }

    async fn list(&self, scope: &Scope, page: MemoryPage) -> Result<Vec<Arc<Memory>>, MemoryError> {
        self.inner.list(scope, page).await
    }

    async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        self.inner.missing_vectors(scope, model, after, limit).await
    }

    async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError> {
        self.inner.blocks(scope, reach).await
    }

    async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        self.inner.counts(scope).await
    }

    async fn export(&self, scope: &Scope) -> Result<RecordStream, MemoryError> {
        self.inner.export(scope).await
    }

    async fn erase(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        self.inner.erase(scope).await
    }
}

async fn queue(
    path: &Path,
    summarizer: Arc<dyn Summarizer>,
    stops: Option<u64>,
) -> (Queue, Arc<dyn MemoryStore>) {
    let url = format!("sqlite://{}", path.display());
    let store = SqliteStore::open_url(&url).await.unwrap();
    let memories: Arc<dyn MemoryStore> = Arc::new(store.memories());
    let used: Arc<dyn MemoryStore> = match stops {
        Some(after) => Arc::new(Stops { inner: memories.clone(), after: after.into() }),
        None => memories.clone(),
    };
    let summaries =
        SessionSummaries::new(Arc::new(store), used, summarizer, Arc::new(HashingEmbedder::new(64)))
            .options(|options| options.every_runs = 2);
    let jobs = mosaic_storage::open_jobs(&url).await.unwrap();
    let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime::current().unwrap());
    (Queue::new(jobs, runtime).handler(summaries), memories)
}

/// Not a test by itself: what the killed processes do. They are this program, started again.
#[tokio::test]
async fn child() {
    let (Some(path), Ok(place)) = (std::env::var_os(DATABASE), std::env::var(WHERE)) else { return };
    let (summarizer, stops) = match place.as_str() {
        "summarising" => (
            FnSummarizer::new(async |_: SummaryRequest| {
                here().await;
                Err(mosaic_core::summary::SummaryError::Nothing)
            }),
            None,
        ),
        stored => (counting(&Asked::default()), Some(stored.parse().unwrap())),
    };
    let (queue, _) = queue(path.as_ref(), Arc::new(summarizer), stops).await;
    queue.run_due_jobs(Budget::jobs(1)).await.unwrap();
}

/// Starts this program as the child, waits until it is where it is to die, and kills it.
fn kill_at(place: &str, path: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture"])
        .env(DATABASE, path)
        .env(WHERE, place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let came = lines.any(|line| line.unwrap() == "here");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(came, "the child ended before it came to `{place}`");
}

/// Four runs of a session, and the job of the last one.
async fn talk(path: &Path) -> EndedRun {
    let url = format!("sqlite://{}", path.display());
    let store = Arc::new(SqliteStore::open_url(&url).await.unwrap());
    let engine = Engine::new(store, Arc::new(TokioRuntime::current().unwrap()), None);
    let model = ScriptedModel::from_fn(|_| Answer::text("Yes."));
    let agent = Agent::builder("helper").model(model).build().unwrap();
    let session = engine.session(key("s1"), &agent).await.unwrap();
    let mut last = None;
    for n in 0..4 {
        let run = session.send(format!("number {n}")).await.unwrap();
        let id = run.id();
        last = Some((id, run.finish().await.unwrap().entries.0));
    }
    engine.close().await.unwrap();
    let (run, from): (_, Seq) = last.unwrap();
    let ended = EndedRun { session: key("s1"), user: Some("ann".into()), agent: "helper".into(), run, from };
    let (queue, _) = queue(path, Arc::new(counting(&Asked::default())), None).await;
    queue.add(SummarizeSession::rolling(ended.clone()).job()).await.unwrap();
    ended
}

#[tokio::test]
async fn wherever_it_is_killed_each_episode_is_there_once_in_the_end() {
    // While it asks; after the first episode, after the second, and after the summary of the whole was stored.
    for place in ["summarising", "1", "2", "3"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let ended = talk(&path).await;
        kill_at(place, &path);

        let asked = Asked::default();
        let (queue, memories) = queue(&path, Arc::new(counting(&asked)), None).await;
        let report = queue.run_due_jobs(Budget::jobs(1)).await.unwrap();
        assert_eq!(report.done, 1, "killed at {place}");
        let episodes = found(memories.as_ref(), &ended, "episode").await;
        let spans: Vec<_> = episodes.iter().map(|memory| span(memory)).collect();
        assert_eq!(spans, [(3, 8), (9, 14)], "killed at {place}");
        assert_eq!(found(memories.as_ref(), &ended, "session").await.len(), 1);
        let counts = memories.counts(&ended.scope()).await.unwrap();
        assert_eq!((counts.memories, counts.vectors.values().sum::<u64>()), (3, 3), "killed at {place}");
        let again = asked.take().len();
        assert_eq!(
            again,
            2 - place.parse::<usize>().unwrap_or(0).min(2),
            "what was stored is not made again"
        );
    }
}
