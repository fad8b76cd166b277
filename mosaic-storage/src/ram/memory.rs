//! Memories in RAM.

mod data;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream;
use mosaic_core::StoreError;
use mosaic_core::memory::{
    Candidates, Change, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage, MemoryStore,
    Reach, RecordStream, Scope, SearchQuery, check,
};

pub(super) use data::Tenants;

use super::data::{Owner, STORE};

/// Memories in RAM: those of a [`RamStore`](super::RamStore).
///
/// ```
/// # use mosaic_core::memory::*;
/// # use mosaic_core::Timestamp;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let memories = mosaic_storage::RamStore::new().memories();
/// let ann = Scope::of("acme").user("ann");
/// let text = MemoryBody::Insight { text: "Ann's cat is called Miso.".into() };
/// let memory = Memory::new(MemoryId(uuid::Uuid::from_u128(1)), ann.clone(), text, Timestamp(0));
/// memories.apply(&ann, vec![Change::add(memory, vec![])]).await?;
///
/// let found = memories.search(SearchQuery::new(ann).text("What are the cats called?")).await?;
/// assert_eq!(found.candidates.len(), 1);
/// let bob = Scope::of("acme").user("bob");
/// assert!(memories.search(SearchQuery::new(bob).text("cat")).await?.candidates.is_empty());
/// # Ok::<(), MemoryError>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct RamMemories {
    tenants: Arc<Mutex<Tenants>>,
    owner: Arc<Mutex<Option<Arc<Owner>>>>,
}

impl fmt::Debug for RamMemories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RamMemories").finish_non_exhaustive()
    }
}

impl RamMemories {
    pub(super) fn new(tenants: Arc<Mutex<Tenants>>, owner: Arc<Mutex<Option<Arc<Owner>>>>) -> Self {
        Self { tenants, owner }
    }

    /// About how many bytes of RAM the index takes now, beside the memories themselves.
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).index_bytes()
    }

    /// The data, unless the store is closed.
    fn tenants(&self) -> Result<MutexGuard<'_, Tenants>, MemoryError> {
        if self.owner.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Err(StoreError::Closed { store: STORE.into() }.into());
        }
        // No call leaves the data half changed, whatever panics.
        Ok(self.tenants.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait::async_trait]
impl MemoryStore for RamMemories {
    async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        check::changes(scope, &changes)?;
        self.tenants()?.apply(scope, changes)
    }

    async fn search(&self, query: SearchQuery) -> Result<Candidates, MemoryError> {
        check::query(&query)?;
        self.tenants()?.search(&query)
    }

    async fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
        Ok(self.tenants()?.get(scope, ids))
    }

    async fn list(&self, scope: &Scope, page: MemoryPage) -> Result<Vec<Arc<Memory>>, MemoryError> {
        Ok(self.tenants()?.list(scope, &page))
    }

    async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        Ok(self.tenants()?.missing_vectors(scope, model, after, limit))
    }

    async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError> {
        Ok(self.tenants()?.blocks(scope, reach))
    }

    async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        Ok(self.tenants()?.counts(scope))
    }

    async fn export(&self, scope: &Scope) -> Result<RecordStream, MemoryError> {
        let records = self.tenants()?.export(scope);
        Ok(Box::pin(stream::iter(records.into_iter().map(Ok))))
    }

    async fn erase(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        Ok(self.tenants()?.erase(scope))
    }
}
