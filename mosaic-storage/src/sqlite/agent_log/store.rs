//! The handle.

use std::fmt;
use std::sync::Arc;

use mosaic_core::agent_log::{
    AgentLogError, AgentLogStore, HotDay, LogFilter, LogKey, LogQuery, LogRow, LogTable, Registered,
    TierChange, check,
};
use mosaic_core::{Scope, StoreError};
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use super::super::queue::Request;
use super::super::work::{Change, Work};
use super::erase::erase;
use super::ops;
use super::read::Reading;

/// Agent logs in a SQLite file: those of a [`SqliteStore`](crate::SqliteStore), until that is closed.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.db");
/// use mosaic_core::agent_log::{AgentLogStore, LogFilter, LogQuery};
/// use mosaic_core::{Scope, SessionStore};
/// use mosaic_storage::{SqliteOptions, SqliteStore};
///
/// let store = SqliteStore::open(SqliteOptions::new(&path)).await?;
/// let log = store.agent_log();
/// let failed = LogFilter::of(Scope::of("acme").user("ann")).failed();
/// assert!(log.rows(&LogQuery::new(failed)).await?.is_empty());
/// store.close().await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct SqliteAgentLog {
    reading: Reading,
    queue: mpsc::UnboundedSender<Request>,
}

impl fmt::Debug for SqliteAgentLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteAgentLog").field("store", &self.reading.store).finish_non_exhaustive()
    }
}

impl SqliteAgentLog {
    pub(in crate::sqlite) fn new(
        store: Arc<str>,
        pool: SqlitePool,
        queue: mpsc::UnboundedSender<Request>,
    ) -> Self {
        Self { reading: Reading { store, pool }, queue }
    }

    fn closed(&self) -> AgentLogError {
        StoreError::Closed { store: self.reading.store.to_string() }.into()
    }

    /// Has the writer make a change.
    async fn change<T: Send + 'static>(
        &self,
        change: Change<T, AgentLogError>,
        prepare: impl FnOnce(Work) -> Work,
    ) -> Result<T, AgentLogError> {
        let (reply, answer) = oneshot::channel();
        let work = prepare(Work::new(true, change, reply));
        self.queue.send(Request::Work(work)).map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }
}

#[async_trait::async_trait]
impl AgentLogStore for SqliteAgentLog {
    async fn put(&self, rows: Vec<LogRow>) -> Result<u64, AgentLogError> {
        check::rows(&rows)?;
        let change: Change<u64, AgentLogError> =
            Box::new(move |db, _| Box::pin(async move { Ok(ops::put(db, rows).await?) }));
        self.change(change, |work| work).await
    }

    async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        self.reading.rows(query).await
    }

    async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        self.reading.totals(filter, by).await
    }

    async fn erase(&self, scope: &Scope) -> Result<u64, AgentLogError> {
        let scope = scope.clone();
        let change: Change<u64, AgentLogError> =
            Box::new(move |db, _| Box::pin(async move { Ok(erase(db, &scope).await?) }));
        self.change(change, Work::scrubbing).await
    }

    async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        self.reading.tenants().await
    }

    async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        self.reading.hot(tenant).await
    }

    async fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        self.reading.summaries(filter, by).await
    }

    async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        self.reading.segments(filter).await
    }

    async fn apply(&self, tenant: &str, changes: Vec<TierChange>) -> Result<(), AgentLogError> {
        // What erasing condemns must not stay in the WAL either.
        let condemns = changes.iter().any(|change| matches!(change, TierChange::Condemn { .. }));
        let (store, tenant) = (self.reading.store.clone(), tenant.to_owned());
        let change: Change<(), AgentLogError> =
            Box::new(move |db, _| Box::pin(async move { ops::apply(db, &store, &tenant, changes).await }));
        self.change(change, |work| if condemns { work.scrubbing() } else { work }).await
    }
}
