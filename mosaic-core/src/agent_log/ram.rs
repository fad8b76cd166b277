//! Agent logs in RAM.

mod data;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data::Tenants;

use super::{
    AgentLogError, AgentLogStore, HotDay, LogFilter, LogKey, LogQuery, LogRow, LogTable, Registered,
    TierChange, check,
};
use crate::memory::Scope;
use crate::store::StoreError;

/// The store's name for itself in errors.
const STORE: &str = "memory:";

/// Agent logs in RAM: for tests, for hosts that keep nothing, and the model that the other stores are compared with.
///
/// A handle on rows that several handles can share: clones are closed together, a [`sibling`](Self::sibling) by itself.
#[derive(Debug, Clone, Default)]
pub struct RamAgentLog {
    tenants: Arc<Mutex<Tenants>>,
    closed: Arc<AtomicBool>,
}

impl RamAgentLog {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another handle on the same rows, as another process would have it.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self { tenants: self.tenants.clone(), closed: Arc::default() }
    }

    /// Calls after this fail with [`StoreError::Closed`].
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn tenants_now(&self) -> Result<MutexGuard<'_, Tenants>, AgentLogError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed { store: STORE.into() }.into());
        }
        // No call leaves the rows half changed, whatever panics.
        Ok(self.tenants.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait::async_trait]
impl AgentLogStore for RamAgentLog {
    async fn put(&self, rows: Vec<LogRow>) -> Result<u64, AgentLogError> {
        check::rows(&rows)?;
        Ok(self.tenants_now()?.put(rows))
    }

    async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        Ok(self.tenants_now()?.rows(query))
    }

    async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        Ok(self.tenants_now()?.totals(filter, by))
    }

    async fn erase(&self, scope: &Scope) -> Result<u64, AgentLogError> {
        Ok(self.tenants_now()?.erase(scope))
    }

    async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        Ok(self.tenants_now()?.names())
    }

    async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        Ok(self.tenants_now()?.hot(tenant))
    }

    async fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        Ok(self.tenants_now()?.summaries(filter, by))
    }

    async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        Ok(self.tenants_now()?.segments(filter))
    }

    async fn apply(&self, tenant: &str, changes: Vec<TierChange>) -> Result<(), AgentLogError> {
        self.tenants_now()?.apply(tenant, changes)
    }
}
