//! Reading, on the readers' connections.

use std::sync::Arc;

use mosaic_core::agent_log::{
    AgentLogError, HotDay, LogFilter, LogKey, LogQuery, LogRow, LogTable, Registered,
};
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use super::super::fault::Doing;
use crate::agent_log::{self, Answer};

/// Reads agent logs.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) store: Arc<str>,
    pub(super) pool: SqlitePool,
}

/// The table, by the index that tells most: SQLite guesses otherwise, for it keeps no statistics here.
fn from(filter: &LogFilter) -> &'static str {
    let scope = &filter.scope;
    match (filter.run, &scope.session, &scope.user) {
        (Some(_), ..) => "agent_log INDEXED BY agent_log_by_run",
        (_, Some(_), _) => "agent_log INDEXED BY agent_log_by_session",
        (.., Some(_)) => "agent_log INDEXED BY agent_log_by_user",
        _ => "agent_log",
    }
}

impl Reading {
    /// What a question finds.
    async fn ask(
        &self,
        mut query: QueryBuilder<Sqlite>,
        action: &'static str,
    ) -> Result<Answer<'_, Sqlite>, AgentLogError> {
        let found = query.build().fetch_all(&self.pool).await.doing(action);
        let found = found.map_err(|fault| AgentLogError::from(fault.told(&self.store, None)))?;
        Ok(Answer { store: &self.store, found })
    }

    pub(super) async fn rows(&self, wanted: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        let query = agent_log::rows(wanted, from(&wanted.filter));
        Ok(self.ask(query, "reading agent logs").await?.rows()?)
    }

    pub(super) async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        let query = agent_log::totals(filter, by, from(filter));
        Ok(self.ask(query, "adding agent logs up").await?.totals()?)
    }

    pub(super) async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        Ok(self.ask(agent_log::tenants(), "listing tenants").await?.tenants()?)
    }

    pub(super) async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        Ok(self.ask(agent_log::hot(tenant), "counting agent logs").await?.hot()?)
    }

    pub(super) async fn summaries(
        &self,
        filter: &LogFilter,
        by: &[LogKey],
    ) -> Result<LogTable, AgentLogError> {
        if filter.scope.session.is_some() {
            return Ok(LogTable::default());
        }
        let answer = self.ask(agent_log::summaries(filter), "reading summaries").await?;
        Ok(answer.summaries(filter, by)?)
    }

    pub(super) async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        let answer = self.ask(agent_log::segments(filter), "reading the register of segments").await?;
        Ok(answer.segments(filter)?)
    }
}

#[cfg(test)]
mod tests {
    use mosaic_core::{RunId, Scope};
    use sqlx::{Connection, Execute as _, Row as _, SqliteConnection};

    use super::*;

    /// The questions of every day look where an index tells, whoever else has rows.
    #[tokio::test]
    async fn questions_use_an_index() {
        let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(super::super::TABLES).execute(&mut db).await.unwrap();
        let acme = Scope::of("acme");
        let all = LogFilter::of(acme.clone());
        for (filter, index) in [
            (all.clone(), "PRIMARY KEY (tenant=? AND id>? AND id<?)"),
            (
                LogFilter::of(acme.clone().user("ann")),
                "agent_log_by_user (tenant=? AND user=? AND id>? AND id<?)",
            ),
            (
                LogFilter::of(acme.user("ann").session("s")),
                "agent_log_by_session (tenant=? AND session=? AND id>? AND id<?)",
            ),
            (all.run(RunId(uuid::Uuid::nil())), "agent_log_by_run (tenant=? AND run=? AND id>? AND id<?)"),
        ] {
            let filter = filter.from(mosaic_core::Timestamp(1)).until(mosaic_core::Timestamp(9));
            let mut query = agent_log::rows::<Sqlite>(&LogQuery::new(filter.clone()), from(&filter));
            let explain = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
            let bound = query.build().take_arguments().unwrap().unwrap();
            let plan =
                sqlx::query_with(sqlx::AssertSqlSafe(explain), bound).fetch_all(&mut db).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.get(3)).collect();
            assert!(plan[0].contains(index) && plan.len() == 1, "{filter:?}: {plan:?}");
        }
    }
}
