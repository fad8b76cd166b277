//! The handle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::Scope;
use mosaic_core::agent_log::{
    AgentLogError, AgentLogStore, HotDay, LogFilter, LogKey, LogQuery, LogRow, LogTable, Registered,
    TierChange, check,
};

use sqlx::{PgPool, Postgres, Transaction};

use super::super::fault::told;
use super::super::row_security::{Sight, begin_seeing};
use super::super::scrub::scrub;
use super::super::store::PostgresStore;
use super::{TENANTS_OWN, ops};

/// What all parts of the store need.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) store: Arc<str>,
    pool: PgPool,
    /// The schema of our tables. It was checked, and needs quotes only.
    schema: Arc<str>,
    /// How long to wait for somebody's lock.
    patience: Duration,
}

impl Shared {
    /// Begins a transaction.
    pub(super) async fn begin(
        &self,
        statement: &str,
        sight: Sight<'_>,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        begin_seeing(&self.pool, statement, sight, self.patience, "").await
    }
}

/// Agent logs in Postgres: those of a [`PostgresStore`], until that is closed.
#[derive(Clone)]
pub struct PostgresAgentLog(Shared);

impl fmt::Debug for PostgresAgentLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresAgentLog").field("store", &self.0.store).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// The agent logs in this schema. They are there until the store is closed.
    #[must_use]
    pub fn agent_log(&self) -> PostgresAgentLog {
        let (store, pool) = (self.name.clone(), self.pool.clone());
        let (schema, patience) = (self.options.schema.as_str().into(), self.options.patience);
        PostgresAgentLog(Shared { store, pool, schema, patience })
    }
}

impl PostgresAgentLog {
    /// Takes what was erased out of the database's files. As
    /// [`PostgresMemories::scrub`](crate::PostgresMemories::scrub) does for memories: see there what it does not reach.
    ///
    /// # Errors
    /// As there.
    pub async fn scrub(&self) -> Result<(), AgentLogError> {
        let Shared { store, pool, schema, patience } = &self.0;
        Ok(scrub(pool, schema, store, *patience, TENANTS_OWN).await?)
    }

    fn told(&self, action: &'static str) -> impl Fn(sqlx::Error) -> AgentLogError {
        move |error| told(&self.0.store, action, error).into()
    }
}

#[async_trait::async_trait]
impl AgentLogStore for PostgresAgentLog {
    async fn put(&self, rows: Vec<LogRow>) -> Result<u64, AgentLogError> {
        check::rows(&rows)?;
        ops::put(&self.0, rows).await.map_err(self.told("writing agent logs"))
    }

    async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        self.0.rows(query).await
    }

    async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        self.0.totals(filter, by).await
    }

    async fn erase(&self, scope: &Scope) -> Result<u64, AgentLogError> {
        ops::erase(&self.0, scope).await.map_err(self.told("erasing agent logs"))
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
        ops::apply(&self.0, tenant, changes).await
    }
}
