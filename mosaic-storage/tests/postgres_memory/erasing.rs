//! A process that is killed while it erases has erased nothing, or, in its `COMMIT`, everything.

use futures_util::TryStreamExt as _;
use mosaic_core::memory::{MemoryStore as _, Scope, SearchQuery};
use mosaic_storage::PostgresMemories;

use crate::killed::{DATABASE, Stop, commits_wait, kill};
use crate::server::{Database, database};
use crate::traces::{other, planted, rows_with_traces, secret, traces};

/// Not a test by itself: what the killed process does.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    mosaic_storage::open_memories(&url).await.unwrap().erase(&secret()).await.unwrap();
}

/// All that can be seen.
async fn seen(database: &Database, memories: &PostgresMemories) -> String {
    let acme = Scope::of("acme");
    let records: Vec<_> = memories.export(&acme).await.unwrap().try_collect().await.unwrap();
    let counts = memories.counts(&acme).await.unwrap();
    let query = SearchQuery::new(acme).text("plantedstem harmless");
    let found = memories.search(query).await.unwrap();
    format!("{records:?} {counts:?} {found:?} {}", rows_with_traces(database).await)
}

#[tokio::test]
async fn a_killed_erase_is_all_or_nothing() {
    let Some(database) = database().await else { return };
    let memories = database.open().await;
    let all = Scope::of("acme");
    memories.apply(&all, (1..9).map(other).collect()).await.unwrap();
    let nothing = seen(&database, &memories).await;
    memories.close().await;
    commits_wait(&database, "memories").await;
    for stop in [
        Stop::AtRowsOf("memory_blocks"),
        Stop::AtRowsOf("memories"),
        Stop::AtRowsOf("memory_words"),
        Stop::AtRowsOf("memory_vectors"),
        Stop::AtRowsOf("memory_parts"),
        Stop::AtRowsOf("memory_models"),
        Stop::InCommit,
    ] {
        let memories = database.open().await;
        memories.apply(&all, (1..9).flat_map(planted).collect()).await.unwrap();
        let everything = seen(&database, &memories).await;
        memories.close().await;
        kill(&database, "erasing::child", stop).await;
        let memories = database.open().await;
        let expected = if matches!(stop, Stop::InCommit) { &nothing } else { &everything };
        assert!(seen(&database, &memories).await == *expected, "half of it is there: {stop:?}");
        memories.erase(&secret()).await.unwrap();
        assert!(seen(&database, &memories).await == nothing, "erased again after {stop:?}");
        memories.close().await;
    }
    assert!(!traces(&database).await.is_empty(), "the check sees nothing");
    database.open().await.scrub().await.unwrap();
    assert_eq!(traces(&database).await, [""; 0]);
}
