//! Reading.

use std::sync::Arc;

use mosaic_core::agent_log::{
    AgentLogError, HotDay, LogFilter, LogKey, LogQuery, LogRow, LogTable, Registered,
};
use sqlx::{Postgres, QueryBuilder};

use super::super::fault::told;
use super::super::row_security::Sight;
use super::store::Shared;
use crate::agent_log::{self, Answer};

const TABLE: &str = "agent_log";

/// Whose rows a filter is about.
fn of(filter: &LogFilter) -> Sight<'_> {
    Sight::Named(&filter.scope.tenant)
}

impl Shared {
    /// What a question finds, in a transaction of its own.
    async fn ask(
        &self,
        sight: Sight<'_>,
        mut query: QueryBuilder<Postgres>,
        action: &'static str,
    ) -> Result<Answer<'_, Postgres>, AgentLogError> {
        let said = |error| AgentLogError::from(told(&self.store, action, error));
        let mut transaction = self.begin("BEGIN READ ONLY", sight).await.map_err(said)?;
        let found = query.build().fetch_all(&mut *transaction).await.map_err(said)?;
        transaction.commit().await.map_err(said)?;
        Ok(Answer { store: &self.store, found })
    }

    pub(super) async fn rows(&self, wanted: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        let query = agent_log::rows(wanted, TABLE);
        Ok(self.ask(of(&wanted.filter), query, "reading agent logs").await?.rows()?)
    }

    pub(super) async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        let query = agent_log::totals(filter, by, TABLE);
        Ok(self.ask(of(filter), query, "adding agent logs up").await?.totals()?)
    }

    pub(super) async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        Ok(self.ask(Sight::Listing, agent_log::tenants(), "listing tenants").await?.tenants()?)
    }

    pub(super) async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        Ok(self.ask(Sight::Named(tenant), agent_log::hot(tenant), "counting agent logs").await?.hot()?)
    }

    pub(super) async fn summaries(
        &self,
        filter: &LogFilter,
        by: &[LogKey],
    ) -> Result<LogTable, AgentLogError> {
        if filter.scope.session.is_some() {
            return Ok(LogTable::default());
        }
        let answer = self.ask(of(filter), agent_log::summaries(filter), "reading summaries").await?;
        Ok(answer.summaries(filter, by)?)
    }

    pub(super) async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        let answer =
            self.ask(of(filter), agent_log::segments(filter), "reading the register of segments").await?;
        Ok(answer.segments(filter)?)
    }
}
