//! A handle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream;
use mosaic_core::agent_log::RamAgentLog;
use mosaic_core::queue::{JobStore, RamQueue};
use mosaic_core::{
    Flush, Lease, ListOptions, Row, RowStream, Seq, SessionInfo, SessionKey, SessionStore, StoreError,
};

use super::data::{Data, Owner, STORE};
use super::memory::{RamMemories, Tenants};

/// Sessions in RAM. See [the module](super).
#[derive(Debug)]
pub struct RamStore {
    data: Arc<Mutex<Data>>,
    memories: Arc<Mutex<Tenants>>,
    pub(super) jobs: RamQueue,
    agent_log: RamAgentLog,
    /// `None` once closed.
    owner: Arc<Mutex<Option<Arc<Owner>>>>,
}

impl Default for RamStore {
    fn default() -> Self {
        Self::new()
    }
}

impl RamStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Arc::default(), Arc::default(), RamQueue::new(), RamAgentLog::new())
    }

    /// Another handle on the same data, as another process would have it: what one leases, the other cannot.
    #[must_use]
    pub fn sibling(&self) -> Self {
        let (jobs, agent_log) = (self.jobs.sibling(), self.agent_log.sibling());
        Self::over(self.data.clone(), self.memories.clone(), jobs, agent_log)
    }

    /// The memories of this store. They are there until the store is closed.
    #[must_use]
    pub fn memories(&self) -> RamMemories {
        RamMemories::new(self.memories.clone(), self.owner.clone())
    }

    /// The agent logs of this store. They are there until the store is closed.
    #[must_use]
    pub fn agent_log(&self) -> RamAgentLog {
        self.agent_log.clone()
    }

    fn over(
        data: Arc<Mutex<Data>>,
        memories: Arc<Mutex<Tenants>>,
        jobs: RamQueue,
        agent_log: RamAgentLog,
    ) -> Self {
        let owner = Owner(format!("another run in process {}", std::process::id()));
        Self { data, memories, jobs, agent_log, owner: Arc::new(Mutex::new(Some(Arc::new(owner)))) }
    }

    /// The data, unless the handle is closed.
    fn data(&self) -> Result<(MutexGuard<'_, Data>, Arc<Owner>), StoreError> {
        let owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let owner = owner.ok_or_else(|| StoreError::Closed { store: STORE.into() })?;
        // No call leaves the data half changed, whatever panics.
        Ok((self.data.lock().unwrap_or_else(PoisonError::into_inner), owner))
    }
}

#[async_trait::async_trait]
impl SessionStore for RamStore {
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError> {
        self.data()?.0.create(key, rows)
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        Ok(self.data()?.0.find(key))
    }

    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError> {
        Ok(self.data()?.0.list(tenant, &options))
    }

    async fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        Ok(self.data()?.0.tenants())
    }

    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError> {
        let (mut data, owner) = self.data()?;
        data.lease(key, &owner)
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.data()?.0.release(lease);
        Ok(())
    }

    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        _flush: Flush,
    ) -> Result<Seq, StoreError> {
        let (mut data, owner) = self.data()?;
        data.append(lease, expected, rows, &owner)
    }

    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError> {
        let rows = self.data()?.0.read(key, from)?;
        Ok(Box::pin(stream::iter(rows.into_iter().map(Ok))))
    }

    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError> {
        self.data()?.0.fork(from, upto, to)
    }

    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.data()?.0.erase(key)
    }

    async fn erase_leased(&self, lease: &Lease, expected: Seq) -> Result<(), StoreError> {
        let (mut data, owner) = self.data()?;
        data.erase_leased(lease, expected, &owner)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Of the queue in RAM nothing fails.
        let _ = JobStore::close(&self.jobs).await;
        self.agent_log.close();
        Ok(())
    }
}
