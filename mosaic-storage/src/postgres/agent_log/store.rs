//! The handle.

use std::fmt;
use std::sync::Arc;

use mosaic_core::Scope;
use mosaic_core::agent_log::{
    AgentLogError, AgentLogStore, HotDay, LogFilter, LogKey, LogQuery, LogRow, LogTable, Registered,
    TierChange, check,
};

use super::super::fault::told;
use super::super::store::PostgresStore;
use super::ops;
use super::read::Reading;

/// Agent logs in Postgres: those of a [`PostgresStore`], until that is closed.
#[derive(Clone)]
pub struct PostgresAgentLog(Reading);

impl fmt::Debug for PostgresAgentLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresAgentLog").field("store", &self.0.store).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// The agent logs in this schema. They are there until the store is closed.
    #[must_use]
    pub fn agent_log(&self) -> PostgresAgentLog {
        PostgresAgentLog(Reading { store: self.name.clone(), pool: self.pool.clone() })
    }
}

impl PostgresAgentLog {
    fn told(&self, action: &'static str) -> impl Fn(sqlx::Error) -> AgentLogError {
        move |error| told(&self.0.store, action, error).into()
    }
}

#[async_trait::async_trait]
impl AgentLogStore for PostgresAgentLog {
    async fn put(&self, rows: Vec<LogRow>) -> Result<u64, AgentLogError> {
        check::rows(&rows)?;
        ops::put(&self.0.pool, rows).await.map_err(self.told("writing agent logs"))
    }

    async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        self.0.rows(query).await
    }

    async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        self.0.totals(filter, by).await
    }

    async fn erase(&self, scope: &Scope) -> Result<u64, AgentLogError> {
        ops::erase(&self.0.pool, scope).await.map_err(self.told("erasing agent logs"))
    }

    async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        self.0.tenants().await
    }

    async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        self.0.hot(tenant).await
    }

    async fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        self.0.summaries(filter, by).await
    }

    async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        self.0.segments(filter).await
    }

    async fn apply(&self, tenant: &str, changes: Vec<TierChange>) -> Result<(), AgentLogError> {
        ops::apply(&self.0.pool, &self.0.store, tenant, changes).await
    }
}
