//! What a model says that makes no sense is kept with the job that asked, in a file; and nothing of it is written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{MemoryCounts, MemoryPage, MemoryStore, Scope};
use mosaic_core::queue::{
    Budget, Handler, Job, JobContext, JobError, JobFilter, JobPage, JobState, NewJob, Queue, RunReport,
};
use mosaic_core::testing::{Answer, ScriptedModel, TestRuntime};
use mosaic_core::{ErrorKind, ModelError, Seq};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::write::{Message, ModelExtractor, Nonsense, Speaker, Turn, Writer, WriterOptions};
use mosaic_storage::{SqliteOptions, SqliteStore};
use serde_json::json;

fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

/// Extraction as a job, an answer an attempt.
struct Extract {
    writer: Writer,
    extractor: ModelExtractor,
}

#[async_trait::async_trait]
impl Handler for Extract {
    fn kind(&self) -> &str {
        "extract"
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let text: String = ctx.payload()?;
        let said = Message { seq: Seq(3), speaker: Speaker::User, text, at: TestRuntime::START };
        let written = self.writer.write(&ann(), Turn::new("s", vec![said]), &self.extractor).await;
        written.map_err(|error| JobError::from(error.kept(ctx.job.error.as_ref())))?;
        Ok(())
    }
}

fn sense() -> Answer {
    let insight = json!({"text": "Ann likes tea", "importance": 0.5, "sources": [1], "replaces": []});
    Answer::text(json!({"preferences": [], "insights": [insight]}).to_string())
}

/// Sense in the first half, and none as a whole.
fn half() -> Answer {
    let insight =
        |source| json!({"text": "Ann likes tea", "importance": 0.5, "sources": [source], "replaces": []});
    Answer::text(json!({"preferences": [], "insights": [insight(1), insight(7)]}).to_string())
}

struct World {
    _folder: tempfile::TempDir,
    store: SqliteStore,
    runtime: TestRuntime,
    queue: Queue,
}

impl World {
    async fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = || SqliteStore::open(SqliteOptions::new(folder.path().join("app.db")));
        let (store, jobs, runtime) = (open().await.unwrap(), open().await.unwrap(), TestRuntime::new(4));
        let memories: Arc<dyn MemoryStore> = Arc::new(store.memories());
        let writer = Writer::new(
            memories,
            Arc::new(HashingEmbedder::new(64)),
            Arc::new(runtime.clone()),
            WriterOptions::default(),
        );
        let extractor = ModelExtractor::new(Arc::new(ScriptedModel::new(answers))).tries(1);
        let queue =
            Queue::new(Arc::new(jobs), Arc::new(runtime.clone())).handler(Extract { writer, extractor });
        queue.add(NewJob::new("extract", json!("I like tea")).max_attempts(3)).await.unwrap();
        Self { _folder: folder, store, runtime, queue }
    }

    /// Runs the job once, when it is due.
    async fn attempt(&self) -> RunReport {
        self.runtime.advance(Duration::from_secs(3600)).await;
        self.queue.run_due_jobs(Budget::jobs(1)).await.unwrap()
    }

    /// The job, as another process sees it.
    async fn job(&self) -> Option<Job> {
        use mosaic_core::queue::JobStore;
        JobStore::list(&self.store, &JobFilter::default(), JobPage::default()).await.unwrap().pop()
    }

    async fn counts(&self) -> MemoryCounts {
        self.store.memories().counts(&ann()).await.unwrap()
    }
}

#[tokio::test]
async fn nonsense_is_kept_with_the_job_until_sense_is_made() {
    let world = World::new([Answer::text("Sure! She likes tea."), half(), sense()]).await;
    assert_eq!(world.attempt().await.retried, 1);
    assert_eq!(world.attempt().await.retried, 1);
    let job = world.job().await.unwrap();
    let error = job.error.unwrap();
    let kept = Nonsense::of(&error);
    assert_eq!((job.state, error.kind, kept.len()), (JobState::Waiting, ErrorKind::Decode, 2));
    assert_eq!(kept[0].raw, "Sure! She likes tea.");
    assert!(kept[0].why.contains("no JSON") && kept[1].why.contains("there is no message 7"), "{kept:?}");
    assert!(
        !error.to_string().contains("likes tea"),
        "what the model said is shown to whoever prints the error"
    );
    assert_eq!(world.counts().await, MemoryCounts::default(), "half an answer was written");

    assert_eq!(world.attempt().await.done, 1);
    assert_eq!((world.job().await, world.counts().await.memories), (None, 1));
}

#[tokio::test]
async fn a_dead_letter_shows_what_was_said_at_every_attempt() {
    let away = ModelError::new(ErrorKind::Overloaded, "later");
    let long = "x".repeat(100_000);
    let world = World::new([Answer::text(long), Answer::error(away), half(), sense()]).await;
    for _ in 0..3 {
        world.attempt().await;
    }
    let job = world.job().await.unwrap();
    let kept = Nonsense::of(&job.error.unwrap());
    assert_eq!((job.state, kept.len()), (JobState::Dead, 2), "a failure of another kind has swept it away");
    assert!(kept[0].raw.len() < 5_000 && kept[0].raw.starts_with("xxx"));
    assert_eq!(world.counts().await, MemoryCounts::default());

    world.queue.store().retry_dead(&JobFilter::default(), TestRuntime::START).await.unwrap();
    assert_eq!(world.attempt().await.done, 1);
    let all = world.store.memories().list(&ann(), MemoryPage::default()).await.unwrap();
    assert_eq!(all.iter().map(|memory| memory.text()).collect::<Vec<_>>(), ["Ann likes tea"]);
}

#[tokio::test]
async fn only_so_many_answers_are_kept() {
    let world = World::new((0..3).map(|_| Answer::text("no"))).await;
    for _ in 0..3 {
        world.attempt().await;
    }
    let mut report = world.job().await.unwrap().error.unwrap();
    assert_eq!(Nonsense::of(&report).len(), 3);
    report.chain = report.chain.iter().cycle().take(30).cloned().collect();
    let error = mosaic_memory::write::WriteError::Redact("broken".into());
    assert_eq!(Nonsense::of(&error.kept(Some(&report))).len(), 8);
}
