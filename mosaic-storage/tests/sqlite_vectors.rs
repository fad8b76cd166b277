//! Vectors of texts in a file: kept, bounded, and gone without a trace when their owner is erased.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{execute, open, raw};
use mosaic_core::SessionStore;
use mosaic_core::memory::{CacheKey, CachedVector, MemoryStore, Scope, VectorCache};
use mosaic_storage::{SqliteOptions, SqliteVectorCache};

/// As bytes, what no other vector has.
const NUMBER: f32 = 0.123_456_79;

async fn cache(path: &Path) -> SqliteVectorCache {
    SqliteVectorCache::open(SqliteOptions::new(path)).await.unwrap()
}

fn key(n: u8) -> CacheKey {
    CacheKey([n; 32])
}

fn vector(width: usize) -> CachedVector {
    CachedVector { model: "m".into(), values: vec![NUMBER; width].into() }
}

fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

async fn has(cache: &SqliteVectorCache, keys: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let keys: Vec<u8> = keys.into_iter().collect();
    let found = cache.get(&keys.iter().map(|n| key(*n)).collect::<Vec<_>>()).await.unwrap();
    keys.into_iter().zip(found).filter_map(|(n, found)| found.map(|_| n)).collect()
}

/// What the totals say, beside what there is.
async fn totals(path: &Path) -> (i64, i64) {
    let mut db = raw(path).await;
    let sum = "SELECT (SELECT bytes FROM embedding_totals), (SELECT ifnull(sum(length(vector) + 256), 0) FROM embeddings)";
    sqlx::query_as(sum).fetch_one(&mut db).await.unwrap()
}

#[tokio::test]
async fn what_was_put_is_there_after_opening_again_and_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = open(&path).await; // sessions and memories in the same file
    let (one, other) = (cache(&path).await, cache(&path).await);
    let exact = CachedVector { model: "m-2".into(), values: vec![f32::MIN_POSITIVE, -0.0, 1.5e30].into() };
    let many: Vec<_> = (0..200).map(|n| (key(n), vector(4))).collect();
    one.put(Some(&ann()), many).await.unwrap();
    one.put(Some(&ann()), vec![(key(7), exact.clone())]).await.unwrap();
    let got = other.get(&[key(250), key(7), key(8), key(7)]).await.unwrap();
    assert_eq!(got, [None, Some(exact.clone()), Some(vector(4)), Some(exact.clone())]);
    one.close().await;
    other.close().await;
    store.close().await.unwrap();
    assert_eq!(cache(&path).await.get(&[key(7)]).await.unwrap(), [Some(exact)]);
    let (told, is) = totals(&path).await;
    assert_eq!(told, is);
}

#[tokio::test]
async fn what_was_not_used_for_the_longest_time_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    // Room for ten vectors of a kilobyte and a quarter.
    let small = cache(&path).await.most_bytes(10 * 1_280);
    for n in 0..10 {
        small.put(Some(&ann()), vec![(key(n), vector(256))]).await.unwrap();
    }
    assert_eq!(has(&small, 0..10).await.len(), 10);
    // All were used; after this, three were used again, later.
    small.put(Some(&ann()), vec![(key(0), vector(256))]).await.unwrap();
    assert_eq!(has(&small, [3, 4]).await, [3, 4]);
    for n in 20..27 {
        small.put(Some(&ann()), vec![(key(n), vector(256))]).await.unwrap();
    }
    assert_eq!(has(&small, (0..10).chain(20..27)).await, [0, 3, 4, 20, 21, 22, 23, 24, 25, 26]);
    assert_eq!(small.bytes().await.unwrap(), 12_800);
    // Of many too, it is the oldest that go.
    let many = cache(&folder.path().join("many.db")).await.most_bytes(100 * 272);
    for n in 0..=120 {
        many.put(Some(&ann()), vec![(key(n), vector(4))]).await.unwrap();
    }
    assert_eq!(has(&many, 0..=120).await, (21..=120).collect::<Vec<u8>>());
    // One that is larger than others pushes out as many as it needs, and one that is too large pushes out itself.
    small.put(Some(&ann()), vec![(key(30), vector(256 * 3))]).await.unwrap();
    assert_eq!(has(&small, 0..31).await.len(), 8);
    small.put(Some(&ann()), vec![(key(31), vector(9_000))]).await.unwrap();
    assert!(has(&small, 0..32).await.is_empty());
    let (told, is) = totals(&path).await;
    assert_eq!((told, is), (0, 0));
}

#[tokio::test]
async fn vectors_go_with_their_owner_and_nobodys_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let (store, cache) = (open(&path).await, cache(&path).await);
    let fill = async || {
        let acme = Scope::of("acme");
        let owners =
            [(1, ann()), (2, acme.clone().user("bob")), (3, acme), (4, Scope::of("globex").user("ann"))];
        for (n, owner) in owners {
            cache.put(Some(&owner), vec![(key(n), vector(8))]).await.unwrap();
        }
        cache.put(None, vec![(key(9), vector(8))]).await.unwrap();
        assert_eq!(has(&cache, 0..10).await, [1, 2, 3, 4]);
    };
    fill().await;
    assert_eq!(cache.forget(&ann().agent("cook")).await.unwrap(), 1);
    assert_eq!(has(&cache, 0..10).await, [2, 3, 4]);
    assert_eq!(cache.forget(&Scope::of("acme")).await.unwrap(), 2);
    assert_eq!(has(&cache, 0..10).await, [4]);

    // Erasing memories in the same file is enough, though there is no memory.
    fill().await;
    store.memories().erase(&ann()).await.unwrap();
    assert_eq!(has(&cache, 0..10).await, [2, 3, 4]);
    store.memories().erase(&Scope::of("acme").agent("cook")).await.unwrap();
    assert_eq!(has(&cache, 0..10).await, [4]);
    let (told, is) = totals(&path).await;
    assert_eq!(told, is);
}

#[tokio::test]
async fn a_forgotten_vector_is_in_no_file_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let planted = Scope::of("acme").user("planted-user");
    let traces = || {
        let wanted = [[NUMBER.to_le_bytes(), NUMBER.to_le_bytes()].concat(), b"planted-user".to_vec()];
        std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap_or_default())
            .any(|bytes| wanted.iter().any(|wanted| bytes.windows(wanted.len()).any(|found| found == wanted)))
    };
    let harmless = CachedVector { model: "m".into(), values: vec![0.5; 300].into() };
    let kept = cache(&path).await;
    for n in 0..100 {
        let (scope, vector) = if n % 3 == 0 { (&planted, vector(300)) } else { (&ann(), harmless.clone()) };
        kept.put(Some(scope), vec![(key(n), vector)]).await.unwrap();
    }
    assert!(traces(), "nothing was planted");
    assert_eq!(kept.forget(&planted).await.unwrap(), 34);
    assert!(!traces());
    assert_eq!(has(&kept, 0..100).await.len(), 66);
}

#[tokio::test]
async fn a_file_of_an_older_format_gets_the_tables_and_one_that_is_locked_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    common::with_rows(&path, 3).await.close().await.unwrap();
    let mut db = raw(&path).await;
    common::back_to_the_first_format(&mut db).await;
    let options = SqliteOptions::new(&path).busy_timeout(std::time::Duration::from_millis(20));
    let cache = Arc::new(SqliteVectorCache::open(options).await.unwrap());
    cache.put(Some(&ann()), vec![(key(1), vector(4))]).await.unwrap();
    execute(&mut db, "BEGIN IMMEDIATE").await;
    assert!(cache.put(Some(&ann()), vec![(key(2), vector(4))]).await.is_err());
    assert_eq!(has(&cache, 0..4).await, [1], "readers are in nobody's way");
    execute(&mut db, "ROLLBACK").await;
    cache.put(Some(&ann()), vec![(key(2), vector(4))]).await.unwrap();
    assert_eq!(has(&cache, 0..4).await, [1, 2]);
    cache.close().await;
    assert!(cache.get(&[key(1)]).await.is_err());
}
