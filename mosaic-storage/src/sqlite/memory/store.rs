//! The handle.

use std::fmt;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use mosaic_core::StoreError;
use mosaic_core::memory::{
    Candidates, Change, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage, MemoryStore,
    Reach, Record, RecordStream, Scope, SearchQuery, check,
};
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use super::index::Index;
use super::read::Reading;
use super::write::{Request, Task};
use crate::memory::part::Part;
use crate::memory::search::Search;
use crate::sqlite::queue;

/// Memories in a SQLite file: those of a [`SqliteStore`](crate::SqliteStore), until that is closed.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.db");
/// use mosaic_core::memory::*;
/// use mosaic_core::{SessionStore, Timestamp};
/// use mosaic_storage::{SqliteOptions, SqliteStore};
///
/// let store = SqliteStore::open(SqliteOptions::new(&path)).await?;
/// let memories = store.memories();
/// let ann = Scope::of("acme").user("ann");
/// let text = MemoryBody::Insight { text: "Ann's cat is called Miso.".into() };
/// let memory = Memory::new(MemoryId(uuid::Uuid::now_v7()), ann.clone(), text, Timestamp(0));
/// memories.apply(&ann, vec![Change::add(memory, vec![Vector::new("m", vec![0.6, 0.8])])]).await?;
///
/// let query = SearchQuery::new(ann).text("What are the cats called?").vector(Vector::new("m", vec![0.0, 1.0]));
/// let found = memories.search(query).await?;
/// assert!(found.candidates[0].lexical.is_some() && found.candidates[0].dense.is_some());
/// store.close().await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct SqliteMemories {
    reading: Reading,
    queue: mpsc::UnboundedSender<queue::Request>,
    index: Arc<Index>,
}

impl fmt::Debug for SqliteMemories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteMemories").field("store", &self.reading.store).finish_non_exhaustive()
    }
}

impl SqliteMemories {
    pub(in crate::sqlite) fn new(
        store: Arc<str>,
        pool: SqlitePool,
        queue: mpsc::UnboundedSender<queue::Request>,
        index: Arc<Index>,
    ) -> Self {
        Self { reading: Reading { store, pool }, queue, index }
    }

    /// About how many bytes of RAM the index takes now.
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        self.index.bytes()
    }

    fn closed(&self) -> MemoryError {
        StoreError::Closed { store: self.reading.store.to_string() }.into()
    }

    /// Asks the writer and waits for the answer.
    async fn ask(&self, task: Task) -> Result<MemoryCounts, MemoryError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(queue::Request::Memory(Request { task, reply })).map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }
}

#[async_trait::async_trait]
impl MemoryStore for SqliteMemories {
    async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        check::changes(scope, &changes)?;
        let removes = changes.iter().any(|change| matches!(change, Change::Remove { .. }));
        let used: Vec<MemoryId> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Touch { ids, .. } => Some(ids),
                _ => None,
            })
            .flatten()
            .copied()
            .collect();
        let applied = self.ask(Task::Apply { scope: scope.clone(), changes }).await;
        self.index.used(&scope.tenant, &used);
        if removes {
            self.index.forget();
        }
        applied.map(|_| ())
    }

    async fn search(&self, query: SearchQuery) -> Result<Candidates, MemoryError> {
        check::query(&query)?;
        let heads = self.reading.begin(&query).await?;
        let guards = self.index.parts(&heads, &self.reading).await?;
        let parts: Vec<&Part> = guards.iter().map(|loaded| &loaded.part).collect();
        let mut search = Search::begin(&parts, &query);
        let vectors =
            self.index.vectors(&query.scope.tenant, &search.wanted_vectors(&parts), &self.reading).await?;
        search.choose(&parts, &vectors);
        let rows = self.index.rows(&query.scope.tenant, &search.wanted(&parts), &self.reading).await?;
        Ok(search.finish(&parts, &rows))
    }

    async fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
        self.reading.get(scope, ids).await
    }

    async fn list(&self, scope: &Scope, page: MemoryPage) -> Result<Vec<Arc<Memory>>, MemoryError> {
        self.reading.list(scope, &page.filter, page.after, page.limit).await
    }

    async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        self.reading.missing_vectors(scope, model, after, limit).await
    }

    async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError> {
        self.reading.blocks(scope, reach).await
    }

    async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        self.reading.counts(scope).await
    }

    async fn export(&self, scope: &Scope) -> Result<RecordStream, MemoryError> {
        let (reading, of) = (self.reading.clone(), scope.clone());
        // What is wrong with the store is said at once.
        let first = reading.page(scope, None).await?;
        let pages =
            stream::try_unfold((Some(first), reading.clone(), of.clone()), async |(page, reading, of)| {
                let Some(page) = page.filter(|page| !page.is_empty()) else { return Ok(None) };
                let after = page.last().map(|stored| stored.memory.id);
                let next = reading.page(&of, after).await?;
                Ok::<_, MemoryError>(Some((page, (Some(next), reading, of))))
            });
        let memories = pages.map_ok(|page| {
            let record = |stored: Arc<crate::memory::Stored>| {
                let stored = Arc::unwrap_or_clone(stored);
                Record::Memory {
                    memory: Box::new(Arc::unwrap_or_clone(stored.memory)),
                    vectors: stored.vectors,
                }
            };
            stream::iter(page.into_iter().map(move |stored| Ok(record(stored))))
        });
        let blocks = stream::once(async move { reading.blocks(&of, Reach::Within).await })
            .map_ok(|blocks| stream::iter(blocks.into_iter().map(|block| Ok(Record::Block { block }))));
        Ok(Box::pin(memories.try_flatten().chain(blocks.try_flatten())))
    }

    async fn erase(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        let erased = self.ask(Task::Erase { scope: scope.clone() }).await;
        self.index.forget();
        erased
    }
}
