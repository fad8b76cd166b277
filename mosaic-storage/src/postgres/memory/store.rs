//! The handle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use mosaic_core::StoreError;
use mosaic_core::memory::{
    Candidates, Change, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage, MemoryStore,
    Reach, Record, RecordStream, Scope, SearchQuery, check,
};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::hnsw::Indexing;
use super::{erase, open, read, search, write};
use crate::memory::Stored;
use crate::postgres::fault::told;
use crate::postgres::options::PostgresOptions;

/// What all parts of the store need.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) name: Arc<str>,
    pub(super) pool: PgPool,
    /// The schema of our tables. It was checked, and needs quotes only.
    pub(super) schema: String,
    /// The schema of pgvector, quoted.
    pub(super) vector: Arc<str>,
    pub(super) indexing: Indexing,
    /// How long to wait for somebody's lock.
    pub(super) patience: Duration,
}

/// Memories in Postgres. See [the module](super).
///
/// Clones share their connections. Those of a [`PostgresStore`](crate::PostgresStore) are closed with it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use mosaic_core::memory::*;
/// use mosaic_storage::postgres::{PostgresMemories, PostgresOptions};
///
/// let memories = PostgresMemories::open(PostgresOptions::from_url("postgres://app@localhost/app")?).await?;
/// let query = SearchQuery::new(Scope::of("acme").user("ann")).text("What are the cats called?");
/// for candidate in memories.search(query).await?.candidates {
///     println!("{}", candidate.memory.text());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresMemories {
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for PostgresMemories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresMemories").field("store", &self.shared.name).finish_non_exhaustive()
    }
}

impl PostgresMemories {
    /// Connects, makes the tables or brings them to the newest format. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Address`], [`StoreError::Unreachable`], [`StoreError::NewerFormat`], [`StoreError::ReadOnly`];
    /// [`StoreError::Other`] where the server has no pgvector, or too old a one.
    pub async fn open(options: PostgresOptions) -> Result<Self, StoreError> {
        let (name, connect): (Arc<str>, _) = (options.name().into(), options.connection()?);
        let pool =
            PgPoolOptions::new().max_connections(options.connections).acquire_timeout(options.patience);
        let pool = pool.connect_with(connect).await.map_err(|error| told(&name, "connecting", error))?;
        Self::of(pool, name, &options).await
    }

    /// Opens the memories at an address: see [`PostgresOptions::from_url`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_url(url: &str) -> Result<Self, StoreError> {
        Self::open(PostgresOptions::from_url(url)?).await
    }

    /// On connections that there are.
    pub(in crate::postgres) async fn of(
        pool: PgPool,
        name: Arc<str>,
        options: &PostgresOptions,
    ) -> Result<Self, StoreError> {
        let vector = open::prepare(&pool, options, &name).await?;
        let (schema, indexing) = (options.schema.clone(), Indexing::from(options.index_vectors_from));
        let patience = options.patience;
        Ok(Self { shared: Arc::new(Shared { name, pool, schema, vector, indexing, patience }) })
    }

    /// Closes the connections, those of all clones and of the [`PostgresStore`](crate::PostgresStore) that they came from.
    pub async fn close(&self) {
        self.shared.pool.close().await;
    }
}

#[async_trait::async_trait]
impl MemoryStore for PostgresMemories {
    async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        check::changes(scope, &changes)?;
        let grown = write::apply(&self.shared, scope, changes).await?;
        self.index_in_background(&scope.tenant, grown);
        Ok(())
    }

    async fn search(&self, query: SearchQuery) -> Result<Candidates, MemoryError> {
        check::query(&query)?;
        search::search(&self.shared, &query).await
    }

    async fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
        read::get(&self.shared, scope, ids).await
    }

    async fn list(&self, scope: &Scope, page: MemoryPage) -> Result<Vec<Arc<Memory>>, MemoryError> {
        read::list(&self.shared, scope, &page).await
    }

    async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        read::missing_vectors(&self.shared, scope, model, after, limit).await
    }

    async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError> {
        read::blocks(&self.shared, scope, reach).await
    }

    async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        read::counts(&self.shared, scope).await
    }

    async fn export(&self, scope: &Scope) -> Result<RecordStream, MemoryError> {
        let (shared, of) = (self.shared.clone(), scope.clone());
        // What is wrong with the store is said at once.
        let first = read::page(&shared, scope, None).await?;
        let pages =
            stream::try_unfold((Some(first), shared.clone(), of.clone()), async |(page, shared, of)| {
                let Some(page) = page.filter(|page| !page.is_empty()) else { return Ok(None) };
                let after = page.last().map(|stored| stored.memory.id);
                let next = read::page(&shared, &of, after).await?;
                Ok::<_, MemoryError>(Some((page, (Some(next), shared, of))))
            });
        let memories = pages.map_ok(|page| {
            let record = |stored: Stored| Record::Memory {
                memory: Box::new(Arc::unwrap_or_clone(stored.memory)),
                vectors: stored.vectors,
            };
            stream::iter(page.into_iter().map(move |stored| Ok(record(stored))))
        });
        let blocks = stream::once(async move { read::blocks(&shared, &of, Reach::Within).await })
            .map_ok(|blocks| stream::iter(blocks.into_iter().map(|block| Ok(Record::Block { block }))));
        Ok(Box::pin(memories.try_flatten().chain(blocks.try_flatten())))
    }

    async fn erase(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        erase::erase(&self.shared, scope).await
    }
}
