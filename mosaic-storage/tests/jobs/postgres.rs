//! What only Postgres does: connections that break, a bell between processes, many that migrate at once.

use std::time::Duration;

use mosaic_core::queue::{Claim, Job, JobFilter, JobPage, JobState, JobStore, NewJob, Outcome, QueueError};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{Runtime as _, StoreError, Timestamp};
use mosaic_storage::{PostgresOptions, PostgresStore};
use sqlx::{Connection as _, PgConnection};

use crate::places::database;

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(PostgresOptions::from_url(url).unwrap().connections(2)).await.unwrap()
}

fn claim() -> Claim {
    Claim { kinds: vec!["k".into()], limit: 9, visibility: Duration::from_secs(30) }
}

fn at(seconds: u64) -> Timestamp {
    TestRuntime::START.after(Duration::from_secs(seconds))
}

/// One store has claimed the one job there is.
async fn claimed(store: &PostgresStore) -> Job {
    let runtime = TestRuntime::new(1);
    let job = NewJob::new("k", serde_json::json!(1)).job(&runtime).unwrap();
    store.enqueue(vec![job]).await.unwrap();
    store.claim(claim(), runtime.now()).await.unwrap().remove(0)
}

/// Breaks the connections that hold the locks of owners.
async fn break_lock(url: &str) {
    let mut db = PgConnection::connect(url).await.unwrap();
    let broken = sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    broken.execute(&mut db).await.unwrap();
}

/// Waits until so many owners hold their locks.
async fn until_locked(url: &str, owners: i64) {
    let mut db = PgConnection::connect(url).await.unwrap();
    let count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut db).await.unwrap() != owners {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_owner_that_comes_back_holds_its_lock_again_and_hears_again() {
    let Some(url) = database().await else { return };
    let (one, two) = (open(&url).await, open(&url).await);
    let job = claimed(&one).await;
    until_locked(&url, 2).await;
    break_lock(&url).await;
    until_locked(&url, 2).await;
    assert_eq!(two.claim(claim(), at(1_000_000)).await.unwrap(), [], "silent, but alive");
    let mut ear = one.ear();
    two.enqueue(vec![NewJob::new("k", serde_json::json!(2)).job(&TestRuntime::new(2)).unwrap()])
        .await
        .unwrap();
    ear.rung().await;
    one.settle(job.lease(), Outcome::Done).await.unwrap();
}

#[tokio::test]
async fn the_jobs_of_an_owner_that_is_gone_are_taken_over_and_its_late_ends_are_refused() {
    let Some(url) = database().await else { return };
    let (one, two) = (open(&url).await, open(&url).await);
    let job = claimed(&one).await;
    until_locked(&url, 2).await;
    let mut db = PgConnection::connect(&url).await.unwrap();
    // A process that hangs and lost its connection: nothing comes back before it is too late.
    sqlx::query("UPDATE mosaic.jobs SET owner = 'a process that is gone'").execute(&mut db).await.unwrap();
    assert_eq!(two.claim(claim(), at(30)).await.unwrap(), [], "not silent long enough");
    let taken = two.claim(claim(), at(31)).await.unwrap().remove(0);
    assert_eq!((taken.id, taken.attempt, taken.epoch), (job.id, 2, job.epoch + 1));
    assert!(taken.error.is_some(), "it says why there is a second attempt");
    let late = one.settle(job.lease(), Outcome::Done).await;
    assert!(matches!(late, Err(QueueError::Lost { .. })), "{late:?}");
    two.settle(taken.lease(), Outcome::Done).await.unwrap();
}

#[tokio::test]
async fn the_last_attempt_of_an_owner_that_is_gone_makes_a_dead_letter() {
    let Some(url) = database().await else { return };
    let store = open(&url).await;
    let job = NewJob::new("k", serde_json::json!(1)).max_attempts(1).job(&TestRuntime::new(1)).unwrap();
    store.enqueue(vec![job]).await.unwrap();
    store.claim(claim(), at(0)).await.unwrap();
    let mut db = PgConnection::connect(&url).await.unwrap();
    sqlx::query("UPDATE mosaic.jobs SET owner = 'a process that is gone'").execute(&mut db).await.unwrap();
    assert_eq!(store.claim(claim(), at(31)).await.unwrap(), []);
    let dead = store.list(&JobFilter::default(), JobPage::default()).await.unwrap().remove(0);
    assert_eq!((dead.state, dead.attempt), (JobState::Dead, 1));
}

#[tokio::test]
async fn what_one_process_adds_rings_in_another() {
    let Some(url) = database().await else { return };
    let (one, two) = (open(&url).await, open(&url).await);
    let mut ear = two.ear();
    claimed(&one).await;
    ear.rung().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_may_make_the_tables_at_once() {
    let Some(url) = database().await else { return };
    let stores = futures_util::future::join_all((0..8).map(|_| open(&url))).await;
    for store in &stores {
        assert_eq!(store.counts(None).await.unwrap(), Default::default());
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_format_is_refused() {
    let Some(url) = database().await else { return };
    open(&url).await.close().await.unwrap();
    let mut db = PgConnection::connect(&url).await.unwrap();
    sqlx::query("UPDATE mosaic.meta SET format = 99").execute(&mut db).await.unwrap();
    let newer = PostgresStore::open_url(&url).await.unwrap_err();
    assert!(matches!(newer, StoreError::NewerFormat { found: 99, .. }), "{newer}");
}

#[tokio::test]
async fn the_planner_keeps_nothing_of_what_jobs_say() {
    let Some(url) = database().await else { return };
    let store = open(&url).await;
    let runtime = TestRuntime::new(1);
    let job = |n: u32| {
        let payload = serde_json::json!({ "text": format!("planted {}", n % 3) });
        NewJob::new("k", payload).tenant("planted").dedup(format!("planted {n}")).job(&runtime).unwrap()
    };
    store.enqueue((0..40).map(job).collect()).await.unwrap();
    let mut db = PgConnection::connect(&url).await.unwrap();
    sqlx::query("ANALYZE mosaic.jobs").execute(&mut db).await.unwrap();
    let mut count = async |text| sqlx::query_scalar::<_, i64>(text).fetch_one(&mut db).await.unwrap();
    let of_jobs = "SELECT count(*) FROM pg_stats s WHERE tablename = 'jobs'";
    assert!(count(of_jobs).await > 5, "the check sees what is kept");
    assert_eq!(count("SELECT count(*) FROM pg_stats s WHERE s::text LIKE '%planted%'").await, 0);
}

#[tokio::test]
async fn addresses_that_cannot_be_are_refused_without_showing_a_password() {
    for (url, schema) in [
        ("mysql://u:geheim@h/d", "mosaic"),
        ("postgres://u:geheim@h:port/d", "mosaic"),
        ("postgres://u:geheim@h/d", "pg_x"),
        ("postgres://u:geheim@h/d", "a\"; DROP SCHEMA public; --"),
    ] {
        let opened = match PostgresOptions::from_url(url) {
            Ok(options) => PostgresStore::open(options.schema(schema)).await.map(drop),
            Err(error) => Err(error),
        };
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Address { .. }), "{error}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
    let options = PostgresOptions::from_url("postgres://u:geheim@h/d").unwrap();
    assert!(!format!("{options:?}").contains("geheim"));
    let nobody = PostgresOptions::from_url("postgres://u:geheim@127.0.0.1:1/d").unwrap();
    let error = PostgresStore::open(nobody.patience(Duration::from_millis(200))).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }) && error.is_retryable(), "{error}");
    assert!(!error.to_string().contains("geheim"), "{error}");
}
