//! What is erased is also gone from the copies that pages keep of rows that were once moved: rows of two owners lie between one another,
//! come and go, so that pages are split and joined. See `sqlite/anew.rs`.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::fs;
use std::path::Path;

use common::{append, execute, open, raw, read, row};
use mosaic_core::memory::conformance::id;
use mosaic_core::memory::{
    CacheKey, CachedVector, Change, Filter, Memory, MemoryBody, MemoryPage, MemoryStore, Scope, Vector,
    VectorCache,
};
use mosaic_core::queue::{Claim, JobFilter, JobId, JobPage, JobStore, NewJob, Outcome, Schedule};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{Row, Seq, SessionKey, SessionStore, Timestamp};
use mosaic_storage::{SqliteOptions, SqliteStore, SqliteVectorCache};

/// In everything that is to go.
const PLANTED: &str = "planted";

/// As bytes, what no other vector has.
const NUMBER: f32 = 0.123_456_79;

/// What is found in which file, with the bytes before it.
fn traces(folder: &Path) -> Vec<String> {
    let wanted = [PLANTED.as_bytes().to_vec(), [NUMBER.to_le_bytes(), NUMBER.to_le_bytes()].concat()];
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap_or_default();
        for wanted in &wanted {
            let count = bytes.windows(wanted.len()).filter(|window| window == wanted).count();
            if count > 0 {
                found.push(format!("{count} x {:?} in {:?}", &wanted[..4], path.file_name().unwrap()));
            }
        }
    }
    found
}

const NOTHING: [&str; 0] = [];

/// Numbers below `n` in an order that is none: `step` shares no factor with `n`.
fn shuffled(n: u64, step: u64) -> impl Iterator<Item = u64> {
    (0..n).map(move |k| k * step % n)
}

fn filler(n: u64, most: u64) -> String {
    "x".repeat((n * 7_919 % most) as usize)
}

// --- sessions ---

const SESSIONS: u64 = 120;

/// Of every number there is something harmless; of every other, something secret beside it. Found by trying: with other sizes and shares no copy
/// happens to be left.
fn has(n: u64, secret: bool) -> bool {
    !secret || n % 2 == 1
}

fn session(n: u64, secret: bool) -> SessionKey {
    if secret {
        SessionKey::of("acme", format!("planted session {n} {}", filler(n, 120)))
    } else {
        SessionKey::of("acme", format!("a session {n} {}", filler(n, 120)))
    }
}

fn entry(seq: u64, n: u64, secret: bool) -> Row {
    let text = if secret { PLANTED } else { "harmless" };
    Row { bytes: format!("{seq} {text} {}", filler(seq * 31 + n, 900)).into(), ..row(seq) }
}

/// Some hundred sessions of two owners, each of some rows that lie between those of the others.
async fn fill_sessions(store: &SqliteStore, sessions: u64) {
    for n in shuffled(sessions, 7) {
        for secret in [true, false].into_iter().filter(|s| has(n, *s)) {
            store.create(&session(n, secret), vec![entry(1, n, secret)]).await.unwrap();
        }
    }
    for seq in 2..6 {
        for n in shuffled(sessions, 11) {
            for secret in [n % 2 == 0, n % 2 != 0].into_iter().filter(|s| has(n, *s)) {
                let lease = store.lease(&session(n, secret)).await.unwrap();
                append(store, &lease, entry(seq, n, secret)).await.unwrap();
                store.release(&lease).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn erased_sessions_between_others_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = SqliteStore::open(SqliteOptions::new(&path).durability(mosaic_storage::Durability::Process))
        .await
        .unwrap();
    fill_sessions(&store, SESSIONS).await;
    assert!(!traces(folder.path()).is_empty(), "nothing was planted");
    // Most of the others go first, so that pages are joined, and rows that stay are moved. Moving leaves copies (see `erase_leased`).
    for n in shuffled(SESSIONS, 13).filter(|n| n % 7 >= 3) {
        let lease = store.lease(&session(n, false)).await.unwrap();
        store.erase_leased(&lease, Seq(5)).await.unwrap();
    }
    for n in shuffled(SESSIONS, 13).filter(|n| has(*n, true)) {
        store.erase(&session(n, true)).await.unwrap();
    }
    assert_eq!(traces(folder.path()), NOTHING);
    for n in (0..SESSIONS).filter(|n| n % 7 < 3) {
        let rows: Vec<Row> = (1..6).map(|seq| entry(seq, n, false)).collect();
        assert_eq!(read(&store, &session(n, false)).await.unwrap(), rows, "the others stay");
    }
    SessionStore::close(&store).await.unwrap();
    let store = open(&path).await;
    store.create(&SessionKey::new("another"), vec![row(1)]).await.unwrap();
    assert_eq!(traces(folder.path()), NOTHING);
}

// --- memories ---

fn memory(n: u64, secret: bool) -> Change {
    let (user, text, number) =
        if secret { ("planted-user", PLANTED, NUMBER) } else { ("bob", "harmless", 0.5) };
    let body = MemoryBody::Insight { text: format!("{text} {n} {}", filler(n, 1_100)).into() };
    let number_of = n * 2 + u64::from(secret);
    let scope = Scope::of("acme").user(user);
    let vector = Vector::new("m", vec![number; 60]);
    Change::add(Memory::new(id(number_of), scope, body, Timestamp(n)), vec![vector])
}

#[tokio::test]
async fn erased_memories_between_others_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = open(&path).await;
    let memories = store.memories();
    let all = Scope::of("acme");
    for n in shuffled(300, 7) {
        memories.apply(&all, vec![memory(n, true), memory(n, false)]).await.unwrap();
        if n % 3 == 0 {
            let vectors = vec![Vector::new("another", vec![NUMBER; 90])];
            memories.apply(&all, vec![Change::PutVectors { id: id(n * 2 + 1), vectors }]).await.unwrap();
        }
    }
    // Some of the others go, so that pages are joined.
    let removed = |n: &u64| !n.is_multiple_of(5);
    for n in shuffled(300, 11).filter(removed) {
        memories.apply(&all, vec![Change::Remove { id: id(n * 2) }]).await.unwrap();
    }
    assert!(traces(folder.path()).len() >= 2, "nothing was planted");
    let erased = memories.erase(&Scope::of("acme").user("planted-user")).await.unwrap();
    assert_eq!(erased.memories, 300);
    assert_eq!(traces(folder.path()), NOTHING);
    let page = || MemoryPage { filter: Filter::default(), after: None, limit: 1_000 };
    assert_eq!(memories.list(&all, page()).await.unwrap().len(), 60, "the others stay");
    SessionStore::close(&store).await.unwrap();
    let store = open(&path).await;
    store.create(&SessionKey::new("another"), vec![row(1)]).await.unwrap();
    assert_eq!(traces(folder.path()), NOTHING);
    assert_eq!(store.memories().list(&all, page()).await.unwrap().len(), 60);
}

// --- cached vectors ---

fn key(n: u64) -> CacheKey {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes());
    CacheKey(key)
}

async fn fill_cache(cache: &SqliteVectorCache) {
    for n in shuffled(400, 7) {
        let secret = n % 5 != 0; // so few of the others that pages are joined
        let (user, number) = if secret { ("planted-user", NUMBER) } else { ("bob", 0.5) };
        let vector = |wide: u64| CachedVector {
            model: if secret { "planted-model" } else { "m" }.into(),
            values: vec![number; wide as usize].into(),
        };
        let owner = Scope::of("acme").user(user);
        cache.put(Some(&owner), vec![(key(n), vector(20 + n * 31 % 200))]).await.unwrap();
        if n % 3 == 0 {
            cache.put(Some(&owner), vec![(key(n), vector(20 + n * 17 % 200))]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn forgotten_vectors_between_others_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = SqliteVectorCache::open(SqliteOptions::new(&path)).await.unwrap();
    fill_cache(&cache).await;
    assert!(traces(folder.path()).len() >= 2, "nothing was planted");
    assert_eq!(cache.forget(&Scope::of("acme").user("planted-user")).await.unwrap(), 320);
    assert_eq!(traces(folder.path()), NOTHING);
    let keys: Vec<CacheKey> = (0..400).map(key).collect();
    let left = cache.get(&keys).await.unwrap();
    assert_eq!(left.iter().flatten().count(), 80, "the others stay");
    cache.close().await;
    let cache = SqliteVectorCache::open(SqliteOptions::new(&path)).await.unwrap();
    assert_eq!(cache.get(&keys).await.unwrap(), left);
    assert_eq!(traces(folder.path()), NOTHING);
}

#[tokio::test]
async fn vectors_that_go_with_erased_memories_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = open(&path).await;
    let cache = SqliteVectorCache::open(SqliteOptions::new(&path)).await.unwrap();
    fill_cache(&cache).await;
    store.memories().erase(&Scope::of("acme").user("planted-user")).await.unwrap();
    assert_eq!(traces(folder.path()), NOTHING);
    let left = cache.get(&(0..400).map(key).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(left.iter().flatten().count(), 80, "the others stay");
    assert_eq!(cache.forget(&Scope::of("acme")).await.unwrap(), 80);
    assert_eq!(cache.bytes().await.unwrap(), 0, "the triggers still count");
}

// --- jobs ---

fn job(n: u64, secret: bool) -> NewJob {
    let text = if secret { PLANTED } else { "harmless" };
    let payload = serde_json::json!({ "text": format!("{text} {n} {}", filler(n, 400)) });
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    NewJob::new("k", payload)
        .tenant(if secret { "planted-tenant" } else { "acme" })
        .dedup(format!("{mixed:x} {}", if secret { PLANTED } else { "key" }))
        .priority((n % 7) as i32)
}

/// Jobs of two tenants between one another, some of which were done.
async fn fill_jobs(store: &SqliteStore) {
    let runtime = TestRuntime::new(7);
    for n in shuffled(300, 7) {
        let jobs: Vec<_> = [true, false]
            .into_iter()
            .filter(|s| has(n, *s))
            .map(|secret| {
                let mut made = job(n, secret).job(&runtime).unwrap();
                // In no order, so that rows come between others.
                made.id = JobId(uuid::Uuid::from_u128(
                    u128::from(n * 2 + u64::from(secret))
                        .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
                ));
                made
            })
            .collect();
        store.enqueue(jobs).await.unwrap();
    }
    // Errors come and go, so rows grow and shrink, and are moved. Some are done.
    for round in 0..6_u64 {
        let claim =
            Claim { kinds: vec!["k".into()], limit: 150, visibility: std::time::Duration::from_secs(60) };
        for (n, job) in
            JobStore::claim(store, claim, TestRuntime::START).await.unwrap().into_iter().enumerate()
        {
            let secret = if &*job.tenant == "acme" { "harmless" } else { PLANTED };
            let error = mosaic_core::ErrorReport::new(
                mosaic_core::ErrorKind::Tool,
                format!("{secret} {}", filler(round + n as u64, 700)),
            );
            let outcome = match n % 5 {
                0 if secret == "harmless" => Outcome::Done,
                1 => Outcome::Dead { error },
                _ => Outcome::Retry { at: TestRuntime::START, error },
            };
            store.settle(job.lease(), outcome).await.unwrap();
        }
    }
    for n in 0..60 {
        for secret in [true, false] {
            let name = format!("{n} {}", if secret { PLANTED } else { "harmless" });
            let new = job(n, secret);
            let schedule = Schedule::every(&*name, std::time::Duration::from_secs(60), new);
            store.put_schedule(schedule, Timestamp(n)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn removed_jobs_between_others_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = open(&path).await;
    fill_jobs(&store).await;
    assert!(!traces(folder.path()).is_empty(), "nothing was planted");
    let others = JobFilter::of("acme");
    let page = || JobPage { after: None, limit: 1_000 };
    let before = JobStore::list(&store, &others, page()).await.unwrap();
    for job in before.iter().filter(|job| job.priority as u64 >= 3) {
        store.remove(&JobFilter::one(job.id)).await.unwrap();
    }
    let before = JobStore::list(&store, &others, page()).await.unwrap();
    store.remove(&JobFilter::of("planted-tenant")).await.unwrap();
    for n in 0..60 {
        assert!(store.remove_schedule("planted-tenant", &format!("{n} {PLANTED}")).await.unwrap());
    }
    store.scrub().await.unwrap();
    assert_eq!(traces(folder.path()), NOTHING);
    assert_eq!(JobStore::list(&store, &others, page()).await.unwrap(), before, "the others stay");
    assert_eq!(store.schedules(Some("acme"), None).await.unwrap().len(), 60);
    SessionStore::close(&store).await.unwrap();
    let store = open(&path).await;
    assert_eq!(JobStore::list(&store, &others, page()).await.unwrap(), before);
    assert_eq!(traces(folder.path()), NOTHING);
}

#[tokio::test]
async fn a_removed_job_and_a_removed_schedule_are_not_in_the_wal() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("app.db")).await;
    let runtime = TestRuntime::new(7);
    let made = job(3, true).job(&runtime).unwrap();
    let filter = JobFilter::one(made.id);
    store.enqueue(vec![made]).await.unwrap();
    assert!(!traces(folder.path()).is_empty());
    assert_eq!(store.remove(&filter).await.unwrap(), 1);
    assert_eq!(traces(folder.path()), NOTHING);
    let schedule = Schedule::every(PLANTED, std::time::Duration::from_secs(60), job(1, true));
    store.put_schedule(schedule, Timestamp(1)).await.unwrap();
    assert!(!traces(folder.path()).is_empty());
    assert!(store.remove_schedule("planted-tenant", PLANTED).await.unwrap());
    assert_eq!(traces(folder.path()), NOTHING);
}

// --- the tables themselves ---

/// The schema without quotes, and the numbers that were given.
async fn shape(path: &Path) -> (Vec<String>, Vec<(String, i64)>) {
    let mut db = raw(path).await;
    let schema = "SELECT replace(type || ' ' || name || ' ' || coalesce(sql, ''), '\"', '') FROM sqlite_schema ORDER BY 1";
    let schema = sqlx::query_scalar(schema).fetch_all(&mut db).await.unwrap();
    let numbers = "SELECT name, seq FROM sqlite_sequence WHERE name = 'memories'";
    (schema, sqlx::query_as(numbers).fetch_all(&mut db).await.unwrap())
}

#[tokio::test]
async fn tables_that_are_written_anew_are_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = open(&path).await;
    let (memories, all) = (store.memories(), Scope::of("acme"));
    memories.apply(&all, vec![memory(1, false), memory(2, true), memory(3, true)]).await.unwrap();
    let before = shape(&path).await;
    assert_eq!(before.1, [("memories".to_owned(), 3)]);
    for user in ["planted-user", "bob", "nobody"] {
        memories.erase(&Scope::of("acme").user(user)).await.unwrap();
        store.erase(&SessionKey::new(user)).await.unwrap();
        store.scrub().await.unwrap();
        assert_eq!(shape(&path).await, before, "after erasing {user}");
    }
    store.create(&SessionKey::new("s"), vec![row(1)]).await.unwrap();
    let mut db = raw(&path).await;
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM log").fetch_one(&mut db).await.unwrap();
    assert_eq!(seen, 1, "the view for people shows the new tables");
}

#[tokio::test]
async fn an_erasure_that_fails_erases_nothing_and_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = open(&path).await;
    let cache = SqliteVectorCache::open(SqliteOptions::new(&path)).await.unwrap();
    let (memories, all) = (store.memories(), Scope::of("acme"));
    memories.apply(&all, vec![memory(1, false), memory(2, true)]).await.unwrap();
    store.create(&session(1, true), vec![entry(1, 1, true)]).await.unwrap();
    let mine = Scope::of("acme").user("planted-user");
    let vector = CachedVector { model: "m".into(), values: vec![NUMBER; 8].into() };
    cache.put(Some(&mine), vec![(key(1), vector.clone())]).await.unwrap();
    // In the way of the last table that each writes.
    let mut other = raw(&path).await;
    execute(
        &mut other,
        "CREATE TABLE entries_kept (n); CREATE TABLE embeddings_kept (n); CREATE TABLE schedules_kept (n)",
    )
    .await;
    store.erase(&session(1, true)).await.unwrap_err();
    memories.erase(&mine).await.unwrap_err();
    cache.forget(&mine).await.unwrap_err();
    store.scrub().await.unwrap_err();
    assert_eq!(read(&store, &session(1, true)).await.unwrap(), [entry(1, 1, true)]);
    assert_eq!(memories.counts(&mine).await.unwrap().memories, 1);
    assert_eq!(cache.get(&[key(1)]).await.unwrap(), [Some(vector)]);
    execute(&mut other, "DROP TABLE entries_kept; DROP TABLE embeddings_kept; DROP TABLE schedules_kept")
        .await;
    store.erase(&session(1, true)).await.unwrap();
    assert_eq!(cache.forget(&mine).await.unwrap(), 1);
    assert_eq!(memories.erase(&mine).await.unwrap().memories, 1);
    store.scrub().await.unwrap();
    assert_eq!(traces(folder.path()), NOTHING);
    assert_eq!(memories.counts(&all).await.unwrap().memories, 1, "the others stay");
}
