//! The store fails in the middle of a run: nothing is lost, nothing runs twice, and resuming goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{
    ErrorKind, Flush, Lease, ListOptions, Row, RowStream, Seq, SessionError, SessionInfo, SessionKey,
    SessionStore, StoreError, ToolOutput, ToolStatus,
};
use mosaic_storage::RamStore;
use serde_json::json;

use crate::support::{Fake, agent, engine_over, kinds, results};

/// A store whose disk can be full.
#[derive(Debug, Clone)]
pub(crate) struct Fillable {
    store: Arc<RamStore>,
    full: Arc<AtomicBool>,
}

impl Fillable {
    pub(crate) fn new() -> Self {
        Self { store: Arc::new(RamStore::new()), full: Arc::default() }
    }

    pub(crate) fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }
}

#[async_trait]
impl SessionStore for Fillable {
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError> {
        self.store.create(key, rows).await
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        self.store.find(key).await
    }

    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError> {
        self.store.list(tenant, options).await
    }

    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError> {
        self.store.lease(key).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        // A real store takes its time, and others go on meanwhile.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.store.release(lease).await
    }

    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        flush: Flush,
    ) -> Result<Seq, StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Full { store: "test".into(), source: "no room".into() });
        }
        self.store.append(lease, expected, rows, flush).await
    }

    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError> {
        self.store.read(key, from).await
    }

    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError> {
        self.store.fork(from, upto, to).await
    }

    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.store.erase(key).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged() {
    let store = Fillable::new();
    let model = ScriptedModel::new([Answer::text("hello")]);
    let session =
        engine_over(Arc::new(store.clone())).session("a", &agent(&model).build().unwrap()).await.unwrap();

    store.fill(true);
    let error = session.send("lost?").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Storage, true));
    assert!(model.requests().is_empty());

    store.fill(false);
    assert_eq!(session.send("again").await.unwrap().finish().await.unwrap().text, "hello");
}

#[tokio::test]
async fn a_run_that_the_store_interrupted_goes_on_and_runs_nothing_twice() {
    let store = Fillable::new();
    let model = ScriptedModel::new([Answer::call("pay", json!({})), Answer::text("done")]);
    let pay = Fake::new("pay", {
        let store = store.clone();
        move |_| {
            store.fill(true);
            Ok(ToolOutput::text("paid"))
        }
    });
    let agent = agent(&model).tool(pay.clone()).build().unwrap();
    let session = engine_over(Arc::new(store.clone())).session("a", &agent).await.unwrap();

    let error = session.send("go").await.unwrap().finish().await.unwrap_err();
    assert!(
        matches!(&error, SessionError::Stopped { report } if report.kind == ErrorKind::Storage),
        "{error}"
    );
    assert!(session.resume().await.is_err(), "still full");
    assert_eq!(pay.called(), 1);

    store.fill(false);
    let reply = session.resume().await.unwrap().expect("it was interrupted").finish().await.unwrap();
    assert_eq!((reply.text.as_str(), pay.called()), ("done", 1));
    assert_eq!(results(&session.entries(Seq(1)).await.unwrap())[0].1, ToolStatus::Unknown);
}

#[tokio::test]
async fn a_session_opened_with_another_agent_answers_with_that_agent() {
    let engine = engine_over(Arc::new(Fillable::new()));
    for turn in 0..3 {
        // At once after the run before: its driver is still giving its lease back.
        let model = ScriptedModel::new([Answer::text(format!("agent {turn}"))]);
        let agent = agent(&model).instructions(format!("You are agent {turn}.")).build().unwrap();
        let session = engine.session("a", &agent).await.unwrap();
        let reply = session.send("Who are you?").await.unwrap().finish().await.unwrap();
        assert_eq!(reply.text, format!("agent {turn}"));
        let entries = session.entries(Seq(1)).await.unwrap();
        assert_eq!(kinds(&entries).iter().filter(|kind| **kind == "bound").count(), turn + 1);
    }
}
