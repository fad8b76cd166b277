//! Processes that keep memories in order are killed at random moments, again and again; in the end all is as if nobody had been.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod child;
mod seed;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use futures_util::TryStreamExt;
use mosaic_core::SessionStore;
use mosaic_core::memory::{MemoryId, MemoryStore, Record, Scope};
use mosaic_core::queue::{Budget, JobFilter, JobPage, JobState, JobStore, NewJob, Queue};
use mosaic_memory::upkeep::{Consolidation, Reembedding, progress};
use mosaic_storage::SqliteStore;

use child::{FILE, open, queue};

const ROUNDS: usize = 10;

fn acme() -> Scope {
    Scope::of("acme")
}

async fn everything(store: &SqliteStore) -> Vec<Record> {
    store.memories().export(&acme()).await.unwrap().try_collect().await.unwrap()
}

fn start(path: &Path, heard: mpsc::Sender<()>) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::child", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    std::thread::spawn(move || {
        for _ in lines.map_while(Result::ok).filter(|line| line == "change" || line == "changed") {
            let _ = heard.send(());
        }
    });
    child
}

async fn is_done(store: &SqliteStore) -> bool {
    let jobs = JobStore::list(store, &JobFilter::default(), JobPage::default()).await.unwrap();
    assert!(jobs.iter().all(|job| job.state != JobState::Dead), "{jobs:?}");
    jobs.is_empty()
}

/// Runs a job in processes that are killed, after random numbers of changes, some before and some after they are committed. Says
/// how often the job was in the middle.
async fn with_kills(path: &Path, job: NewJob) -> usize {
    let store = open(path).await;
    // Handlers are the children's for now.
    let adding = Queue::new(std::sync::Arc::new(open(path).await), child::runtime());
    adding.add(job).await.unwrap();
    let mut random = uuid::Uuid::now_v7().as_u128() as u64 | 1;
    println!("random: {random}");
    let mut in_the_middle = 0;
    for _ in 0..ROUNDS {
        let (heard, changes) = mpsc::channel();
        let mut child = start(path, heard);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        for _ in 0..1 + random % 9 {
            // Nobody is heard any more when all is done.
            let _ = changes.recv_timeout(Duration::from_secs(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if is_done(&store).await {
            break;
        }
        in_the_middle += 1;
    }
    SessionStore::close(&store).await.unwrap();
    in_the_middle
}

/// Runs what there is to its end, here.
async fn to_the_end(path: &Path) {
    let store = open(path).await;
    let queue = queue(path).await;
    while !is_done(&store).await {
        queue.run_due_jobs(Budget::jobs(10)).await.unwrap();
    }
    queue.store().close().await.unwrap();
    SessionStore::close(&store).await.unwrap();
}

async fn without_kills(path: &Path, job: NewJob) {
    let queue = queue(path).await;
    queue.add(job).await.unwrap();
    queue.store().close().await.unwrap();
    to_the_end(path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn embedding_anew_that_is_killed_ends_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["killed.db", "not.db"].map(|name| folder.path().join(name));
    for path in &paths {
        seed::plenty(&open(path).await).await;
    }
    let job = || Reembedding::new(acme(), "picky").instead_of("hashing-64").job();
    let killed = with_kills(&paths[0], job()).await;
    assert!(killed >= 3, "it was killed in the middle only {killed} times");
    let store = open(&paths[0]).await;
    let before = progress(&store.memories(), &acme(), "picky").await.unwrap();
    println!("killed {killed} times, then {before:?}");
    SessionStore::close(&store).await.unwrap();
    to_the_end(&paths[0]).await;
    without_kills(&paths[1], job()).await;

    let [killed, not] = [open(&paths[0]).await, open(&paths[1]).await];
    let counts = not.memories().counts(&acme()).await.unwrap();
    let refused = seed::REFUSED as u64;
    assert_eq!(counts.vectors, [("picky".into(), counts.memories - refused)].into());
    assert!(everything(&killed).await == everything(&not).await, "a kill has left something behind");
}

/// What is there, without what the clock and chance made: when something was closed, and the ids of copies.
fn essence(records: &[Record]) -> Vec<String> {
    let known = |id: MemoryId| if id.0.as_u128() >> 64 == 0 { id.to_string() } else { "a copy".into() };
    let of = |record: &Record| match record {
        Record::Memory { memory, vectors } => format!(
            "{} `{}` {:?} to {:?}, closed: {}, by: {:?}, used {} at {:?}, {vectors:?}",
            known(memory.id),
            memory.text(),
            memory.valid_from,
            memory.valid_to,
            memory.closed_at.is_some(),
            memory.superseded_by.map(known),
            memory.accessed,
            memory.accessed_at,
        ),
        other => format!("{other:?}"),
    };
    let mut all: Vec<String> = records.iter().map(of).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn consolidation_that_is_killed_ends_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["killed.db", "not.db"].map(|name| folder.path().join(name));
    for path in &paths {
        seed::plenty(&open(path).await).await;
    }
    let job = || Consolidation::new(acme()).remove_after(Duration::from_secs(24 * 3600)).job();
    let killed = with_kills(&paths[0], job()).await;
    assert!(killed >= 3, "it was killed in the middle only {killed} times");
    println!("killed {killed} times");
    to_the_end(&paths[0]).await;
    without_kills(&paths[1], job()).await;

    let [killed, not] = [open(&paths[0]).await, open(&paths[1]).await];
    let [killed, ended] = [everything(&killed).await, everything(&not).await];
    assert_eq!(essence(&killed), essence(&ended), "a kill has left something behind");
    let open = |records: &[Record]| {
        records
            .iter()
            .filter(|record| matches!(record, Record::Memory { memory, .. } if memory.closed_at.is_none()))
            .count()
    };
    assert!(open(&ended) < seed::MEMORIES && ended.len() > open(&ended), "there was nothing to do");

    // Once more, by whoever was killed, changes nothing.
    without_kills(&paths[0], job()).await;
    assert!(everything(&self::open(&paths[0]).await).await == killed, "a second run changed something");
}
