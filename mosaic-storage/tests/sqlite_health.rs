//! The store of health in SQLite keeps the contract, beside sessions and beside other processes.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{append, back_to_the_first_format, error, execute, key, raw, read, row, rows, with_rows};
use futures_util::StreamExt;
use mosaic_core::router::health::{HealthStore, Swap, conformance};
use mosaic_core::router::{Candidate, RetryPolicy, Router};
use mosaic_core::testing::{Answer, ScriptedModel, TestRuntime};
use mosaic_core::{ChatModel, ErrorKind, ModelCall, ModelError, ModelRequest, SessionStore, StoreError};
use mosaic_storage::{SqliteHealthStore, SqliteOptions, SqliteStore};

struct Files(tempfile::TempDir);

#[async_trait::async_trait]
impl conformance::Factory for Files {
    async fn open(&self, place: &str) -> Result<Arc<dyn HealthStore>, StoreError> {
        let path = self.0.path().join(place).with_extension("db");
        Ok(Arc::new(SqliteHealthStore::open(SqliteOptions::new(path)).await?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_of_health_keeps_the_contract() {
    conformance::check_all(&Files(tempfile::tempdir().unwrap())).await.unwrap();
}

#[tokio::test]
async fn the_store_of_health_keeps_the_contract_on_one_thread() {
    conformance::check_all(&Files(tempfile::tempdir().unwrap())).await.unwrap();
}

#[tokio::test]
async fn a_candidate_that_one_process_has_left_alone_is_not_asked_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("app.db"));
    // A clock that stands still: who waits for the store waits for its answer.
    let runtime = Arc::new(TestRuntime::new(1));
    let process = async |answer: Answer| {
        let store = Arc::new(SqliteHealthStore::open(options.clone()).await.unwrap());
        let model = ScriptedModel::new([answer]);
        let candidate = Candidate::new("only", Arc::new(model.clone()));
        let builder = Router::builder(runtime.clone()).candidate(candidate).health(store.clone());
        let retry = RetryPolicy { max_attempts: 1, max_wait: Duration::ZERO, ..RetryPolicy::default() };
        (builder.retry(retry).build().unwrap(), model, store)
    };
    let limited = ModelError::new(ErrorKind::RateLimited, "slow down");
    let limited = Answer::error(limited.with_retry_after(Some(Duration::from_secs(20))));
    let (one, _, _) = process(limited).await;
    let (two, model, store) = process(Answer::text("hi")).await;
    let call = async |router: &Router| {
        let stream = router.stream(ModelCall::new(ModelRequest::default())).await.unwrap();
        stream.filter_map(async |event| event.err().map(|error| error.kind)).collect::<Vec<_>>().await
    };
    assert_eq!(call(&one).await, [ErrorKind::RateLimited]);
    // It writes in a task of its own.
    while store.load("router", 0).await.unwrap().version == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(call(&two).await, [ErrorKind::RateLimited]);
    assert_eq!(model.requests().len(), 0);
}

#[tokio::test]
async fn states_lie_beside_sessions_and_neither_is_in_the_others_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let sessions = with_rows(&path, 3).await;
    let health = SqliteHealthStore::open(SqliteOptions::new(&path)).await.unwrap();
    let lease = sessions.lease(&key()).await.unwrap();
    for n in 0..20 {
        assert_eq!(health.swap("s", "a", n, n.to_string()).await.unwrap(), Swap::Done { version: n + 1 });
        append(&sessions, &lease, row(n + 4)).await.unwrap();
    }
    assert_eq!(read(&sessions, &key()).await.unwrap(), rows(1, 23));
    sessions.close().await.unwrap();
    health.close().await;
    assert!(matches!(error(health.load("s", 0).await), StoreError::Closed { .. }));
    let again = SqliteHealthStore::open(SqliteOptions::new(&path)).await.unwrap();
    let page = again.load("s", 0).await.unwrap();
    assert_eq!((page.version, page.rows[0].state.as_str()), (20, "19"), "it outlives the process");
}

#[tokio::test]
async fn a_database_of_the_first_format_gets_the_table_and_keeps_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    with_rows(&path, 3).await.close().await.unwrap();
    let mut db = raw(&path).await;
    back_to_the_first_format(&mut db).await;
    drop(db);
    let health = SqliteHealthStore::open(SqliteOptions::new(&path)).await.unwrap();
    assert_eq!(health.swap("s", "a", 0, "x".into()).await.unwrap(), Swap::Done { version: 1 });
    let sessions = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
    assert_eq!(read(&sessions, &key()).await.unwrap(), rows(1, 3));
}

#[tokio::test]
async fn a_database_that_is_locked_or_not_ours_has_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let options = SqliteOptions::new(&path).busy_timeout(Duration::from_millis(1));
    let health = SqliteHealthStore::open(options).await.unwrap();
    let mut db = raw(&path).await;
    execute(&mut db, "BEGIN IMMEDIATE").await;
    assert!(matches!(error(health.swap("s", "a", 0, "x".into()).await), StoreError::Locked { .. }));
    health.load("s", 0).await.unwrap();
    execute(&mut db, "COMMIT").await;
    assert_eq!(health.swap("s", "a", 0, "x".into()).await.unwrap(), Swap::Done { version: 1 });

    let other = folder.path().join("other.db");
    execute(&mut raw(&other).await, "CREATE TABLE theirs (x)").await;
    let refused = error(SqliteHealthStore::open(SqliteOptions::new(&other)).await);
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused:?}");
}
