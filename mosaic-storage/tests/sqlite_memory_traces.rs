//! What is erased leaves no trace in the files: not in tables, indexes, freed pages, pages that were rebuilt, or the WAL.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::fs;
use std::path::Path;

use common::{execute, open, raw};
use mosaic_core::memory::conformance::id;
use mosaic_core::memory::{
    Change, Filter, Memory, MemoryBlock, MemoryBody, MemoryPage, MemoryStore, Place, Scope, SearchQuery,
    SourceRef, Vector,
};
use mosaic_core::{Seq, Timestamp};
use mosaic_storage::SqliteMemories;

/// What is looked for: each in another part of a memory. Vectors are planted as bytes.
const PLANTED: &[&str] = &[
    "planted-user",
    "planted-agent",
    "planted-session",
    "planted-text",
    "planted-key",
    "planted-speaker",
    "planted-caption",
    "planted-tag",
    "planted-source",
    "planted-block",
    "planted-name",
];

/// As bytes, what no other vector has.
const NUMBER: f32 = 0.123_456_79;

fn secret() -> Scope {
    Scope::of("acme").user("planted-user")
}

fn planted(n: u64) -> Vec<Change> {
    let scope = match n % 3 {
        0 => secret(),
        1 => secret().agent("planted-agent"),
        _ => secret().session("planted-session"),
    };
    let filler = "lorem ipsum ".repeat((n * 7 % 90) as usize);
    let body = if n.is_multiple_of(2) {
        MemoryBody::Insight { text: format!("planted-text {n} {filler}").into() }
    } else {
        MemoryBody::Preference {
            key: "planted-key".into(),
            value: format!("{n} {filler}").into(),
            confidence: 0.5,
        }
    };
    let mut memory = Memory::new(id(n), scope.clone(), body, Timestamp(n));
    memory.place = Some(Place {
        speaker: Some("planted-speaker".into()),
        caption: Some("planted-caption".into()),
        ..Place::new("c", n)
    });
    memory.metadata.insert("tag".into(), "planted-tag".into());
    memory.source = vec![SourceRef { session: "planted-source".into(), seq: Seq(n) }];
    let block = MemoryBlock {
        scope,
        name: "planted-name".into(),
        purpose: String::new(),
        text: format!("planted-block {filler}"),
        limit: 9_000,
        version: 0,
        updated_at: Timestamp(n),
    };
    vec![
        Change::add(memory, vec![Vector::new("m", vec![NUMBER; 200])]),
        Change::PutBlock { block, expected: None },
    ]
}

fn other(n: u64) -> Change {
    let scope = Scope::of("acme").user(format!("somebody {}", n % 5));
    let body = MemoryBody::Insight {
        text: format!("harmless {n} {}", "words ".repeat((n * 13 % 200) as usize)).into(),
    };
    Change::add(
        Memory::new(id(100_000 + n), scope, body, Timestamp(n)),
        vec![Vector::new("m", vec![0.5; 200])],
    )
}

/// What is found in which file.
fn traces(folder: &Path) -> Vec<String> {
    let mut wanted: Vec<(String, Vec<u8>)> =
        PLANTED.iter().map(|text| ((*text).to_owned(), text.as_bytes().to_vec())).collect();
    wanted.push(("the vector".into(), [NUMBER.to_le_bytes(), NUMBER.to_le_bytes()].concat()));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap_or_default();
        for (what, wanted) in &wanted {
            let count = bytes.windows(wanted.len()).filter(|window| *window == &**wanted).count();
            if count > 0 {
                found.push(format!("{count} x {what} in {}", path.file_name().unwrap().display()));
            }
        }
    }
    found
}

/// Rows of both kinds come and change in turns, so that pages are split, joined and rebuilt.
async fn fill(memories: &SqliteMemories) {
    let all = Scope::of("acme");
    for n in 1..=240_u64 {
        let mut changes = planted(n);
        changes.push(other(n));
        if n > 20 && n.is_multiple_of(2) {
            changes.push(Change::Remove { id: id(100_000 + n - 11) });
            changes.push(Change::Close { id: id(n - 13), at: Timestamp(n), kept: None });
        }
        if n.is_multiple_of(3) {
            changes.push(Change::PutVectors {
                id: id(n - 1),
                vectors: vec![Vector::new("m", vec![NUMBER; 200])],
            });
        }
        if n > 30 && n.is_multiple_of(5) {
            changes.push(Change::Remove { id: id(n - 29) });
        }
        memories.apply(&all, changes).await.unwrap();
    }
    let query = SearchQuery::new(secret()).text("planted-text").vector(Vector::new("m", vec![1.0; 200]));
    assert!(!memories.search(query).await.unwrap().candidates.is_empty());
}

#[tokio::test]
async fn an_erased_user_is_in_no_file_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("app.db")).await;
    let memories = store.memories();
    fill(&memories).await;
    assert!(traces(folder.path()).len() >= PLANTED.len(), "the check sees: {:?}", traces(folder.path()));
    let erased = memories.erase(&secret()).await.unwrap();
    assert!(erased.memories > 150 && erased.blocks == 3, "{erased:?}");
    // `erase` has returned, and has emptied the WAL before.
    memories
        .apply(&Scope::of("acme"), vec![Change::Touch { ids: vec![id(100_001)], at: Timestamp(1) }])
        .await
        .unwrap();
    assert_eq!(traces(folder.path()), [""; 0]);
    let left = memories
        .list(&Scope::of("acme"), MemoryPage { filter: Filter::default(), after: None, limit: 1_000 })
        .await;
    assert!(left.unwrap().len() > 100, "the others stay");
}

#[tokio::test]
async fn a_removed_memory_is_in_no_file_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let memories = open(&folder.path().join("app.db")).await.memories();
    let all = Scope::of("acme");
    for n in 1..=50 {
        memories.apply(&all, vec![other(n)]).await.unwrap();
    }
    let mut one = planted(3);
    one.truncate(1);
    memories.apply(&all, one).await.unwrap();
    for n in 51..=99 {
        memories.apply(&all, vec![other(n)]).await.unwrap();
    }
    memories.apply(&all, vec![Change::Remove { id: id(3) }]).await.unwrap();
    memories.apply(&all, vec![Change::Touch { ids: vec![id(100_001)], at: Timestamp(1) }]).await.unwrap();
    let left: Vec<_> =
        traces(folder.path()).into_iter().filter(|trace| !trace.contains("planted-user")).collect();
    assert_eq!(left, [""; 0], "only the name of the user is there: the user may have more");
}

#[tokio::test]
async fn what_a_reader_still_sees_is_gone_after_the_next_change_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let memories = open(&path).await.memories();
    fill(&memories).await;
    let mut reader = raw(&path).await;
    execute(&mut reader, "BEGIN; SELECT count(*) FROM memories").await;
    memories.erase(&secret()).await.unwrap();
    assert!(!traces(folder.path()).is_empty(), "the reader's view is kept");
    execute(&mut reader, "COMMIT").await;
    for _ in 0..2 {
        let touch = Change::Touch { ids: vec![id(100_001)], at: Timestamp(1) };
        memories.apply(&Scope::of("acme"), vec![touch]).await.unwrap();
    }
    assert_eq!(traces(folder.path()), [""; 0]);
}
