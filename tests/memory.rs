//! A Mosaic that remembers: over a file, from one process to the next, and what it says when it cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mosaic::memory::Scope;
use mosaic::memory::embed::HashingEmbedder;
use mosaic::prelude::*;
use mosaic::queue::{Budget, Handler, JobContext, JobError, NewJob};
use mosaic::storage::RamStore;
use mosaic::testing::{Answer, Gate, ScriptedModel};
use mosaic::{MosaicBuilder, Work};
use serde_json::json;

fn setup() -> MemorySetup {
    MemorySetup::new(Arc::new(HashingEmbedder::new(128)))
}

fn remembering() -> MosaicBuilder {
    Mosaic::builder().memory(setup())
}

/// Says one thing in a session of Ann's, and gives what the model saw.
async fn say(mosaic: &Mosaic, session: &str, text: &str) -> String {
    let model = ScriptedModel::new([Answer::text("I see.")]);
    let agent =
        Agent::builder("butler").model(model.clone()).memory(mosaic.memory().unwrap()).build().unwrap();
    let session = mosaic.session(SessionKey::new(session).user("ann"), &agent).await.unwrap();
    session.send(text).await.unwrap().finish().await.unwrap();
    format!("{:?}", model.requests()[0].groups)
}

#[tokio::test]
async fn what_one_process_learnt_the_next_one_knows() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("app.db").display());

    let mosaic = remembering().open(&url).await.unwrap();
    say(&mosaic, "monday", "I prefer green tea for breakfast.").await;
    mosaic.idle().await.unwrap();
    mosaic.close().await.unwrap();

    let mosaic = remembering().open(&url).await.unwrap();
    let saw = say(&mosaic, "tuesday", "What shall there be for breakfast?").await;
    assert!(saw.contains("- breakfast: green tea"), "{saw}");
    mosaic.close().await.unwrap();
}

#[tokio::test]
async fn a_run_that_ended_right_before_closing_is_learnt_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("app.db").display());
    let mosaic = remembering().open(&url).await.unwrap();
    say(&mosaic, "monday", "I prefer green tea for breakfast.").await;
    mosaic.close().await.unwrap();

    let mosaic = remembering().open(&url).await.unwrap();
    mosaic.idle().await.unwrap();
    let counts =
        mosaic.memory().unwrap().places().memories.counts(&Scope::default().user("ann")).await.unwrap();
    assert_eq!(counts.memories, 3, "two turns and a preference");
    mosaic.close().await.unwrap();
}

#[tokio::test]
async fn a_host_can_work_by_hand() {
    let mosaic = remembering().work(Work::ByHand).open("memory:").await.unwrap();
    say(&mosaic, "monday", "I prefer green tea for breakfast.").await;
    let memory = mosaic.memory().unwrap().clone();
    let counts = async || memory.places().memories.counts(&Scope::default()).await.unwrap().memories;
    assert_eq!(counts().await, 0);
    mosaic.idle().await.unwrap();
    assert_eq!(counts().await, 3);
    let report = mosaic.jobs().unwrap().run_due_jobs(Budget::jobs(1)).await.unwrap();
    assert_eq!(report.done, 0, "nothing is left");
    mosaic.close().await.unwrap();
}

#[tokio::test]
async fn an_agent_without_memory_leaves_nothing_behind() {
    let mosaic = remembering().open("memory:").await.unwrap();
    let agent = Agent::builder("plain").model(ScriptedModel::new([Answer::text("I see.")])).build().unwrap();
    let session = mosaic.session("monday", &agent).await.unwrap();
    session.send("I prefer green tea for breakfast.").await.unwrap().finish().await.unwrap();
    mosaic.idle().await.unwrap();
    let counts = mosaic.memory().unwrap().places().memories.counts(&Scope::default()).await.unwrap();
    assert_eq!(counts.memories, 0);
}

struct Counts(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Handler for Counts {
    fn kind(&self) -> &str {
        "count"
    }

    async fn run(&self, _: &JobContext) -> Result<(), JobError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Runs until it is let go.
struct Held(Gate);

#[async_trait::async_trait]
impl Handler for Held {
    fn kind(&self) -> &str {
        "held"
    }

    async fn run(&self, _: &JobContext) -> Result<(), JobError> {
        self.0.pass().await;
        Ok(())
    }
}

#[tokio::test]
async fn a_worker_works_in_the_background_and_closing_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("app.db").display());
    let gate = Gate::new();
    let mosaic = Mosaic::builder().handler(Held(gate.clone())).open(&url).await.unwrap();
    mosaic.jobs().unwrap().add(NewJob::new("held", json!({}))).await.unwrap();
    gate.reached().await;
    let closing = tokio::spawn({
        let mosaic = mosaic.clone();
        async move { mosaic.close().await.unwrap() }
    });
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    gate.open();
    closing.await.unwrap();

    let mosaic = Mosaic::open(&url).await.unwrap();
    let counts = mosaic.jobs().unwrap().store().counts(None).await.unwrap();
    assert_eq!((counts.waiting, counts.running), (0, 0), "its end was written before the store closed");
}

#[tokio::test]
async fn jobs_of_the_host_are_worked_on_too() {
    let counted = Arc::default();
    let mosaic = Mosaic::builder().handler(Counts(Arc::clone(&counted))).open("memory:").await.unwrap();
    mosaic.jobs().unwrap().add(NewJob::new("count", json!({}))).await.unwrap();
    mosaic.idle().await.unwrap();
    assert_eq!(counted.load(Ordering::SeqCst), 1);
    mosaic.close().await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let mosaic = Mosaic::open("memory:").await.unwrap();
    let error = mosaic.memory().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("MemorySetup::new"), "{error}");

    let error = remembering().open_store(Arc::new(RamStore::new())).unwrap_err();
    assert!(error.to_string().contains("`open_stores`"), "{error}");
    let alone = Mosaic::builder().open_store(Arc::new(RamStore::new())).unwrap();
    assert!(alone.jobs().unwrap_err().to_string().contains("`open_stores`"));

    let unkeyed = || Mosaic::builder().variables(|_| None);
    for (setup, kind, says) in [
        (MemorySetup::new("no name"), ErrorKind::InvalidRequest, "provider:model"),
        (MemorySetup::new("nobody:embed"), ErrorKind::NotFound, "`nobody`"),
        (MemorySetup::new("openai:text-embedding-3-small"), ErrorKind::Auth, "OPENAI_API_KEY"),
        (setup().extract_with("openai:gpt-4o-mini"), ErrorKind::Auth, "OPENAI_API_KEY"),
        (setup().extract_with("gpt"), ErrorKind::InvalidRequest, "provider:model"),
    ] {
        let error = unkeyed().memory(setup).open("memory:").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_session_of_one_user_is_not_opened_for_another() {
    let mosaic = Mosaic::open("memory:").await.unwrap();
    let agent = Agent::builder("plain").model(ScriptedModel::new([])).build().unwrap();
    let _ann_s = mosaic.session(SessionKey::new("chat").user("ann"), &agent).await.unwrap();
    let error = mosaic.session(SessionKey::new("chat").user("bob"), &agent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("`ann`"), "{error}");
}
