//! A process that is killed loses no memory that was acknowledged, and leaves no half of a change.

#![cfg(all(feature = "sqlite", unix))]
#![allow(clippy::unwrap_used, clippy::panic)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::open;
use mosaic_core::memory::conformance::id;
use mosaic_core::memory::{
    AsOf, Change, Filter, Memory, MemoryBody, MemoryPage, MemoryStore, Scope, SearchQuery, Vector,
};
use mosaic_core::{SessionStore, Timestamp};

const DATABASE: &str = "MOSAIC_STORAGE_TEST_DATABASE";

fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

fn memory(n: u64) -> Change {
    let body = MemoryBody::Insight { text: format!("memory{n} of many").into() };
    let memory = Memory::new(id(n), ann(), body, Timestamp(n));
    Change::add(memory, vec![Vector::new("m", vec![1.0, n as f32])])
}

/// Each change adds two memories and closes one of those before.
fn step(n: u64) -> Vec<Change> {
    let mut changes = vec![memory(2 * n), memory(2 * n + 1)];
    if n > 1 {
        changes.push(Change::Close { id: id(2 * n - 2), at: Timestamp(9_999), kept: None });
    }
    changes
}

/// Not a test by itself: what the killed processes do. They are this program, started again.
#[tokio::test]
async fn child() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    let memories = open(path.as_ref()).await.memories();
    let mut n = memories.counts(&ann()).await.unwrap().memories / 2;
    loop {
        n += 1;
        memories.apply(&ann(), step(n)).await.unwrap();
        println!("\nacknowledged {n}");
    }
}

#[tokio::test]
async fn memories_survive_the_death_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let mut before = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(DATABASE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let awaited = format!("acknowledged {}", before + 2 + round % 5);
        assert!(lines.any(|line| line.unwrap() == awaited), "the child ended without saying `{awaited}`");
        child.kill().unwrap();
        child.wait().unwrap();
        let said =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
        let acknowledged: u64 = said.last().unwrap_or(before + 2 + round % 5);

        let store = open(&path).await;
        let memories = store.memories();
        let counts = memories.counts(&ann()).await.unwrap();
        let last = counts.memories / 2;
        assert!(last >= acknowledged, "{acknowledged} was acknowledged, {last} is there");
        assert_eq!(
            (counts.memories, counts.open, counts.vectors.get("m").copied()),
            (2 * last, last + 1, Some(2 * last)),
            "a change was torn"
        );
        // What is in the tables is found.
        let query = SearchQuery::new(ann())
            .text(format!("memory{}", 2 * last + 1))
            .vector(Vector::new("m", vec![1.0, 0.0]));
        let found = memories.search(query).await.unwrap();
        assert!(
            found.candidates.iter().any(|one| one.memory.id == id(2 * last + 1) && one.lexical.is_some())
        );
        let filter = Filter { as_of: AsOf::then(Timestamp(9_998)), ..Filter::default() };
        let all = memories.list(&ann(), MemoryPage { filter, after: None, limit: 10_000 }).await.unwrap();
        assert_eq!(all.len() as u64, 2 * last);
        store.close().await.unwrap();
        before = last;
    }
}
