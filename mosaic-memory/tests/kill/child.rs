//! What the killed processes do. They are this program, started again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{
    Candidates, Change, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage, MemoryStore,
    Reach, RecordStream, Scope, SearchQuery,
};
use mosaic_core::queue::Queue;
use mosaic_core::{
    EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, ErrorKind, Runtime, TokioRuntime,
};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::upkeep::{Consolidate, Reembed};
use mosaic_storage::{SqliteMemories, SqliteStore};

pub(crate) const FILE: &str = "MOSAIC_MEMORY_TEST_FILE";

pub(crate) async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open_url(&format!("sqlite://{}?durability=process", path.display())).await.unwrap()
}

pub(crate) fn runtime() -> Arc<dyn Runtime> {
    Arc::new(TokioRuntime::current().unwrap())
}

/// A queue with both handlers, over a store that says when it changes something.
pub(crate) async fn queue(path: &Path) -> Queue {
    let store = open(path).await;
    let memories: Arc<dyn MemoryStore> = Arc::new(Telling(store.memories()));
    let queue = Queue::new(Arc::new(store), runtime())
        .handler(Reembed::new(memories.clone(), Arc::new(Picky::new())).page(3))
        .handler(Consolidate::new(memories));
    queue.options(|options| options.poll = Duration::from_millis(20))
}

#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let _worker = queue(path.as_ref()).await.start();
    std::future::pending::<()>().await;
}

/// Refuses some texts.
#[derive(Debug)]
struct Picky {
    inner: HashingEmbedder,
    info: EmbedderInfo,
}

impl Picky {
    fn new() -> Self {
        Self { inner: HashingEmbedder::new(96), info: EmbedderInfo::new("test", "picky") }
    }
}

#[async_trait::async_trait]
impl Embedder for Picky {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        if request.inputs.iter().any(|text| text.contains("forbidden")) {
            return Err(EmbedError::new(ErrorKind::ContentFiltered, "not this"));
        }
        Ok(Embeddings { model: "picky".into(), ..self.inner.embed(request).await? })
    }
}

/// Says before and after each change that there is one.
#[derive(Debug)]
struct Telling(SqliteMemories);

#[async_trait::async_trait]
impl MemoryStore for Telling {
    async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        println!("\nchange");
        let applied = self.0.apply(scope, changes).await;
        println!("\nchanged");
        applied
    }

    async fn search(&self, query: SearchQuery) -> Result<Candidates, MemoryError> {
        self.0.search(query).await
    }

    async fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
        self.0.get(scope, ids).await
    }

    async fn list(&self, scope: &Scope, page: MemoryPage) -> Result<Vec<Arc<Memory>>, MemoryError> {
        self.0.list(scope, page).await
    }

    async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        self.0.missing_vectors(scope, model, after, limit).await
    }

    async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError> {
        self.0.blocks(scope, reach).await
    }

    async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        self.0.counts(scope).await
    }

    async fn export(&self, scope: &Scope) -> Result<RecordStream, MemoryError> {
        self.0.export(scope).await
    }

    async fn erase(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        self.0.erase(scope).await
    }
}
