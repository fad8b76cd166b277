//! A process that is killed while it erases has erased nothing or everything, and what is erased again is in no file.
//!
//! The process may write files of so many bytes only, and is killed by the byte that is one too many: in the log of a transaction, at its
//! commit, or while the log is brought into the database. Every store of a file is tried, with limits from few bytes to enough.

#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{read, row};
use futures_util::TryStreamExt as _;
use mosaic_core::agent_log::conformance::row as log_row;
use mosaic_core::agent_log::{
    AgentLogStore, AgentLogStoreExt as _, LogError, LogFilter, LogTable, SUMMARY, TierChange,
};
use mosaic_core::memory::conformance::id;
use mosaic_core::memory::{
    CacheKey, CachedVector, Change, Memory, MemoryBody, MemoryStore, SearchQuery, Vector, VectorCache,
};
use mosaic_core::{ErrorKind, ListOptions, Row, Scope, SessionKey, SessionStore, Timestamp};
use mosaic_storage::{Durability, SqliteOptions, SqliteStore, SqliteVectorCache};

const DATABASE: &str = "MOSAIC_STORAGE_TEST_DATABASE";
const WHAT: &str = "MOSAIC_STORAGE_TEST_WHAT";

/// So many of each kind are planted, and as many of somebody else lie between them.
const MANY: u64 = 60;

/// What of each kind is planted, in the order of the tests below.
const PLANTED: [&str; 4] = ["planted-session", "planted-memory", "planted-row", "planted-vector"];

fn filler(n: u64) -> String {
    "x".repeat((n * 7_919 % 2_900) as usize)
}

fn owner(n: u64, planted: &str) -> Scope {
    Scope::of("acme").user(if n.is_multiple_of(2) { planted } else { "bob" })
}

fn text(n: u64, planted: &str) -> String {
    format!("{} {n} {}", if n.is_multiple_of(2) { planted } else { "harmless" }, filler(n))
}

fn session(n: u64) -> SessionKey {
    SessionKey::of("acme", if n.is_multiple_of(2) { PLANTED[0] } else { "harmless" })
}

fn memory(n: u64) -> Change {
    let body = MemoryBody::Insight { text: text(n, PLANTED[1]).into() };
    let memory = Memory::new(id(n), owner(n, PLANTED[1]), body, Timestamp(n));
    Change::add(memory, vec![Vector::new("m", vec![n as f32 + 0.5; 60])])
}

fn key(n: u64) -> CacheKey {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    CacheKey(key)
}

/// It is the process that dies, not the machine.
async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(path).durability(Durability::Process)).await.unwrap()
}

async fn cache(path: &Path) -> SqliteVectorCache {
    SqliteVectorCache::open(SqliteOptions::new(path)).await.unwrap()
}

async fn fill(path: &Path) {
    let store = open(path).await;
    let (memories, log, cache) = (store.memories(), store.agent_log(), cache(path).await);
    let mut entries = [Vec::<Row>::new(), Vec::new()];
    for n in 1..=2 * MANY {
        let rows = &mut entries[(n % 2) as usize];
        rows.push(Row { bytes: text(n, PLANTED[0]).into(), ..row(rows.len() as u64 + 1) });
        memories.apply(&Scope::of("acme"), vec![memory(n)]).await.unwrap();
        let mut row = log_row(n);
        row.scope = owner(n, PLANTED[2]);
        row.error = Some(LogError { kind: ErrorKind::Tool, message: text(n, PLANTED[2]).into() });
        let count = TierChange::Count { table: LogTable::of([&row], SUMMARY) };
        log.put(vec![row]).await.unwrap();
        log.apply("acme", vec![count]).await.unwrap();
        let (model, values) = (text(n, PLANTED[3]).into(), vec![n as f32; 90].into());
        let vector = CachedVector { model, values };
        cache.put(Some(&owner(n, PLANTED[3])), vec![(key(n), vector)]).await.unwrap();
    }
    for (n, rows) in (0..).zip(entries) {
        store.create(&session(n), rows).await.unwrap();
    }
    cache.close().await;
    store.close().await.unwrap();
}

/// Erases what is planted of a kind. When that has returned it is in no file, before anything is closed.
async fn erase(path: &Path, planted: &str) {
    let scope = Scope::of("acme").user(planted);
    if planted == PLANTED[3] {
        let cache = cache(path).await;
        cache.forget(&scope).await.unwrap();
        assert_eq!(traces(path, planted), [""; 0]);
        return cache.close().await;
    }
    let store = open(path).await;
    match PLANTED.iter().position(|one| *one == planted) {
        Some(0) => store.erase(&session(0)).await.unwrap(),
        Some(1) => drop(MemoryStore::erase(&store.memories(), &scope).await.unwrap()),
        _ => drop(store.agent_log().erase(&scope).await.unwrap()),
    }
    assert_eq!(traces(path, planted), [""; 0]);
    store.close().await.unwrap();
}

/// All that can be seen of all kinds.
async fn seen(path: &Path) -> String {
    let (store, acme) = (open(path).await, Scope::of("acme"));
    let mut seen = Vec::new();
    for info in store.list("acme", ListOptions::default()).await.unwrap() {
        seen.push(format!("{:?} {:?}", info.key, read(&store, &info.key).await.unwrap()));
    }
    for n in 0..2 {
        // One that is gone can be made again, also where half of one would not be listed.
        let made = store.create(&session(n), vec![row(1)]).await.is_ok();
        seen.push(format!("session {n} is made: {made}"));
    }
    let (memories, log) = (store.memories(), store.agent_log());
    let records: Vec<_> = memories.export(&acme).await.unwrap().try_collect().await.unwrap();
    seen.push(format!("{records:?} {:?}", memories.counts(&acme).await.unwrap()));
    let query =
        SearchQuery::new(acme.clone()).text("planted harmless").vector(Vector::new("m", vec![1.0; 60]));
    seen.push(format!("{:?}", memories.search(query).await.unwrap()));
    let all = LogFilter::of(acme);
    seen.push(format!("{:?} {:?}", log.all_rows(&all).await, log.summaries(&all, SUMMARY).await));
    let cache = cache(path).await;
    let keys: Vec<_> = (1..=2 * MANY).map(key).collect();
    seen.push(format!("{:?} {:?}", cache.get(&keys).await.unwrap(), cache.bytes().await.unwrap()));
    cache.close().await;
    store.close().await.unwrap();
    seen.join("\n")
}

/// The files beside a database, and itself, that hold something planted.
fn traces(path: &Path, planted: &str) -> Vec<String> {
    let holds = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).contains(planted);
    let paths = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| holds(path)).map(|path| path.display().to_string()).collect()
}

/// A copy of a database and of the files beside it.
fn copy(path: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // All but the locks of the owner.
    for from in fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()) {
        if from.is_file() {
            fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
        }
    }
    let copy = folder.path().join(path.file_name().unwrap());
    (folder, copy)
}

/// Not a test by itself: what the killed processes do. They are this program, started again.
#[tokio::test]
async fn child() {
    let (Some(path), Ok(what)) = (std::env::var_os(DATABASE), std::env::var(WHAT)) else { return };
    erase(path.as_ref(), &what).await;
}

/// Erases in another process, which may not write beyond so many bytes of a file; whether it came to its end.
fn erase_within(path: &Path, planted: &str, kilobytes: u64) -> bool {
    const SIGXFSZ: i32 = 25;
    // Counted in blocks of 512 bytes.
    let limits = format!("ulimit -c 0; ulimit -f {}; exec \"$0\" --exact child", 2 * kilobytes);
    let mut child = Command::new("sh");
    child.args(["-c", &limits]).arg(std::env::current_exe().unwrap());
    child.env(DATABASE, path).env(WHAT, planted).stdout(Stdio::null());
    let ended = child.status().unwrap();
    assert!(ended.success() || ended.signal() == Some(SIGXFSZ), "{planted} within {kilobytes} KiB: {ended}");
    ended.success()
}

async fn a_killed_erase_is_all_or_nothing(planted: &str) {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("app.db");
    fill(&whole).await;
    assert!(!traces(&whole, planted).is_empty(), "the check sees nothing");
    let before = seen(&copy(&whole).1).await;
    let (_folder, path) = copy(&whole);
    erase(&path, planted).await;
    let after = seen(&path).await;
    assert!(before.contains(planted) && !after.contains(planted) && after.contains("harmless"));

    let (mut undone, mut done, mut limit) = (0, 0, 64);
    loop {
        let (_folder, path) = copy(&whole);
        if erase_within(&path, planted, limit) {
            break;
        }
        // Looked at in a copy: whoever opens and closes the database tidies up.
        let (_copied, left) = copy(&path);
        let now = seen(&left).await;
        assert!(now == before || now == after, "within {limit} KiB {planted} is half there");
        *if now == before { &mut undone } else { &mut done } += 1;
        erase(&path, planted).await;
        assert!(seen(&path).await == after, "erased again after {limit} KiB");
        limit += limit.div_ceil(5);
    }
    assert!(undone > 2 && done > 0, "of the killed {undone} had erased nothing, {done} everything");
}

#[tokio::test]
async fn a_killed_erase_of_a_session_is_all_or_nothing() {
    a_killed_erase_is_all_or_nothing(PLANTED[0]).await;
}

#[tokio::test]
async fn a_killed_erase_of_memories_is_all_or_nothing() {
    a_killed_erase_is_all_or_nothing(PLANTED[1]).await;
}

#[tokio::test]
async fn a_killed_erase_of_agent_logs_is_all_or_nothing() {
    a_killed_erase_is_all_or_nothing(PLANTED[2]).await;
}

#[tokio::test]
async fn a_killed_forgetting_of_vectors_is_all_or_nothing() {
    a_killed_erase_is_all_or_nothing(PLANTED[3]).await;
}
