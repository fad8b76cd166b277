//! A cache of vectors in the file of the memories: it survives the process, and goes with the user.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mosaic_core::memory::{MemoryStore, Scope};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, SessionStore};
use mosaic_memory::embed::{CachedEmbedder, HashingEmbedder};
use mosaic_memory::recall::{Recall, RecallOptions, RecallRequest};
use mosaic_memory::write::{Draft, Writer, WriterOptions};
use mosaic_storage::{SqliteOptions, SqliteStore, SqliteVectorCache};

/// Counts the texts that it is asked to embed.
#[derive(Debug)]
struct Counting(HashingEmbedder, AtomicUsize);

#[async_trait::async_trait]
impl Embedder for Counting {
    fn info(&self) -> &EmbedderInfo {
        self.0.info()
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        self.1.fetch_add(request.inputs.len(), Ordering::Relaxed);
        self.0.embed(request).await
    }
}

/// One process: somebody writes and recalls. Says how many texts were embedded.
async fn process(path: &Path, user: &str) -> usize {
    let store = SqliteStore::open(SqliteOptions::new(path)).await.unwrap();
    let cache = Arc::new(SqliteVectorCache::open(SqliteOptions::new(path)).await.unwrap());
    let counting = Arc::new(Counting(HashingEmbedder::new(64), AtomicUsize::new(0)));
    let embedder = Arc::new(CachedEmbedder::new(counting.clone(), cache.clone()));
    let memories: Arc<dyn MemoryStore> = Arc::new(store.memories());
    let scope = Scope::of("acme").user(user).agent("cook");
    let runtime = Arc::new(TestRuntime::new(2));
    let writer = Writer::new(memories.clone(), embedder.clone(), runtime, WriterOptions::default());
    writer.write_drafts(&scope, vec![Draft::insight("The cat is called Miso")]).await.unwrap();
    let recall = Recall::new(memories, embedder, RecallOptions::default());
    let found = recall.recall(&RecallRequest::new(scope, "What is the cat called?")).await.unwrap();
    assert_eq!(found.hits.len(), 1);
    cache.close().await;
    SessionStore::close(&store).await.unwrap();
    counting.1.load(Ordering::Relaxed)
}

#[tokio::test]
async fn nothing_is_embedded_twice_until_the_user_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    assert_eq!(process(&path, "ann").await, 2, "what is written, and the question");
    assert_eq!(process(&path, "ann").await, 0, "another process has it");
    assert_eq!(process(&path, "bob").await, 2, "nobody has what others said");

    let store = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
    store.memories().erase(&Scope::of("acme").user("ann")).await.unwrap();
    SessionStore::close(&store).await.unwrap();
    assert_eq!(process(&path, "ann").await, 2, "vectors of an erased user were there");
    assert_eq!(process(&path, "bob").await, 0);
}
