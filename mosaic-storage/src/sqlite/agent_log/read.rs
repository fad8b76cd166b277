//! Reading, on the readers' connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use mosaic_core::agent_log::{
    AgentLogError, Day, HotDay, LogFilter, LogGroup, LogKey, LogKind, LogOrder, LogQuery, LogRow, LogRowId,
    LogStatus, LogTable, LogTotals, Registered,
};
use mosaic_core::{Cost, StoreError, Usage};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use super::super::fault::{Doing, Fault};
use super::ops::{from_json, push_scope, registered};
use super::rows::{self, COLUMNS};

/// Reads agent logs.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) store: Arc<str>,
    pub(super) pool: SqlitePool,
}

/// The table, by the index that tells most: SQLite guesses otherwise, for it keeps no statistics here.
pub(super) fn from(filter: &LogFilter) -> &'static str {
    let scope = &filter.scope;
    match (filter.run, &scope.session, &scope.user) {
        (Some(_), ..) => "agent_log INDEXED BY agent_log_by_run",
        (_, Some(_), _) => "agent_log INDEXED BY agent_log_by_session",
        (.., Some(_)) => "agent_log INDEXED BY agent_log_by_user",
        _ => "agent_log",
    }
}

/// Only rows that fit.
fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &LogFilter) {
    push_scope(query, &filter.scope);
    if let Some(run) = filter.run {
        query.push(" AND run = ").push_bind(run.0.as_bytes().to_vec());
    }
    if let Some(name) = &filter.name {
        query.push(" AND name = ").push_bind(name.to_string());
    }
    push_any(query, "kind", filter.kinds.iter().map(|kind| kind.as_str()));
    push_any(query, "status", filter.statuses.iter().map(|status| status.as_str()));
    // Ids are in the order of times.
    for (compare, at) in [(">=", filter.from), ("<", filter.until)] {
        if let Some(at) = at {
            let id = LogRowId::first_at(at).0.as_bytes().to_vec();
            query.push(format!(" AND id {compare} ")).push_bind(id);
        }
    }
}

fn push_any(query: &mut QueryBuilder<Sqlite>, column: &str, names: impl Iterator<Item = &'static str>) {
    // Names of ours, without quotes in them.
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    if !names.is_empty() {
        query.push(format!(" AND {column} IN ({})", names.join(",")));
    }
}

/// The days that a filter's time meets.
fn days(filter: &LogFilter) -> (u32, u32) {
    let last = filter.until.map_or(u32::MAX, |until| Day::of(until).0);
    (filter.from.map_or(0, |from| Day::of(from).0), last)
}

impl Reading {
    fn told(&self, fault: &Fault) -> AgentLogError {
        fault.told(&self.store, None).into()
    }

    async fn all(
        &self,
        mut query: QueryBuilder<Sqlite>,
        action: &'static str,
    ) -> Result<Vec<SqliteRow>, AgentLogError> {
        query.build().fetch_all(&self.pool).await.doing(action).map_err(|fault| self.told(&fault))
    }

    pub(super) async fn rows(&self, wanted: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM {}", from(&wanted.filter)));
        push_filter(&mut query, &wanted.filter);
        let (compare, order) = match wanted.order {
            LogOrder::Newest => ("<", "DESC"),
            LogOrder::Oldest => (">", "ASC"),
        };
        if let Some(after) = wanted.after {
            query.push(format!(" AND id {compare} ")).push_bind(after.0.as_bytes().to_vec());
        }
        query.push(format!(" ORDER BY id {order} LIMIT ")).push_bind(i64::from(wanted.limit));
        let found = self.all(query, "reading agent logs").await?;
        Ok(found.iter().map(|row| rows::row(row, &self.store)).collect::<Result<_, StoreError>>()?)
    }

    pub(super) async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        let keys = [
            ("at / 86400000", LogKey::Day),
            ("user", LogKey::User),
            ("agent", LogKey::Agent),
            ("session", LogKey::Session),
            ("provider", LogKey::Name),
            ("name", LogKey::Name),
            ("status", LogKey::Status),
        ];
        let told: Vec<&str> =
            keys.iter().map(|(column, key)| if by.contains(key) { *column } else { "NULL" }).collect();
        let failed: Vec<String> = LogStatus::ALL
            .iter()
            .filter(|status| status.is_error())
            .map(|status| format!("'{}'", status.as_str()))
            .collect();
        let mut query = QueryBuilder::new(format!(
            "SELECT {}, kind, count(*), count(*) FILTER (WHERE status IN ({})), sum(input), sum(output), sum(cached_input),
                    sum(cache_write), sum(cache_write_1h), sum(reasoning), coalesce(sum(cost), 0), count(cost), sum(duration)
             FROM {}",
            told.join(", "),
            failed.join(", "),
            from(filter)
        ));
        push_filter(&mut query, filter);
        query.push(" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8");
        let mut table = LogTable::default();
        for row in self.all(query, "adding agent logs up").await? {
            let (group, totals) = sum(&row).map_err(|reason| rows::corrupt(&self.store, &reason))?;
            table.add(group, totals);
        }
        Ok(table)
    }

    pub(super) async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        // Each is found by a look into an index: rows are many, tenants are not.
        let distinct = |table: &str, name: &str| {
            format!(
                "{name}(tenant) AS (SELECT min(tenant) FROM {table} UNION ALL
                 SELECT (SELECT min(tenant) FROM {table} WHERE tenant > {name}.tenant) FROM {name} WHERE {name}.tenant IS NOT NULL)"
            )
        };
        let query = QueryBuilder::new(format!(
            "WITH RECURSIVE {}, {}, {}
             SELECT tenant FROM a WHERE tenant IS NOT NULL UNION SELECT tenant FROM b WHERE tenant IS NOT NULL
             UNION SELECT tenant FROM c WHERE tenant IS NOT NULL ORDER BY tenant",
            distinct("agent_log", "a"),
            distinct("agent_log_summaries", "b"),
            distinct("agent_log_segments", "c")
        ));
        let rows = self.all(query, "listing tenants").await?;
        let names = rows.iter().map(|row| row.try_get::<&str, _>(0).doing("listing tenants").map(Arc::from));
        names.collect::<Result<_, Fault>>().map_err(|fault| self.told(&fault))
    }

    pub(super) async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        const ACTION: &str = "counting agent logs";
        let mut query =
            QueryBuilder::new("SELECT at / 86400000, count(*), sum(weight) FROM agent_log WHERE tenant = ");
        query.push_bind(tenant.to_owned()).push(" GROUP BY 1 ORDER BY 1");
        let mut days = Vec::new();
        for row in self.all(query, ACTION).await? {
            let number = |column: usize| row.try_get::<i64, _>(column).doing(ACTION).map(i64::cast_unsigned);
            let hot = || {
                let day = Day(u32::try_from(number(0)?).unwrap_or(u32::MAX));
                Ok(HotDay { day, rows: number(1)?, bytes: number(2)? })
            };
            days.push(hot().map_err(|fault| self.told(&fault))?);
        }
        Ok(days)
    }

    pub(super) async fn summaries(
        &self,
        filter: &LogFilter,
        by: &[LogKey],
    ) -> Result<LogTable, AgentLogError> {
        const ACTION: &str = "reading summaries";
        if filter.scope.session.is_some() {
            return Ok(LogTable::default());
        }
        let mut query = QueryBuilder::new("SELECT grouped, totals FROM agent_log_summaries");
        push_scope(&mut query, &filter.scope);
        let (first, last) = days(filter);
        query.push(" AND day BETWEEN ").push_bind(first).push(" AND ").push_bind(last);
        let mut sums: BTreeMap<LogGroup, LogTotals> = BTreeMap::new();
        for row in self.all(query, ACTION).await? {
            let text = |column: usize| {
                row.try_get::<&str, _>(column).doing(ACTION).map_err(|fault| self.told(&fault))
            };
            let group: LogGroup = from_json(text(0)?, &self.store)?;
            if filter.fits_summary(&group) {
                *sums.entry(group.only(by)).or_default() += from_json(text(1)?, &self.store)?;
            }
        }
        Ok(LogTable(sums))
    }

    pub(super) async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        const ACTION: &str = "reading the register of segments";
        let (first, last) = days(filter);
        let text = "SELECT name, state, since, body, day FROM agent_log_segments
                    WHERE tenant = ? AND day BETWEEN ? AND ? ORDER BY day, name";
        let query = sqlx::query_as::<_, (String, i64, Option<i64>, Option<String>, u32)>(text);
        let query = query.bind(&*filter.scope.tenant).bind(first).bind(last);
        let found = query.fetch_all(&self.pool).await.doing(ACTION).map_err(|fault| self.told(&fault))?;
        let meet = found.into_iter().filter(|(.., day)| filter.meets_day(Day(*day)));
        let registered =
            meet.map(|(name, state, since, body, _)| registered((name, state, since, body), &self.store));
        Ok(registered.collect::<Result<_, StoreError>>()?)
    }
}

/// A group and its sums.
fn sum(row: &SqliteRow) -> Result<(LogGroup, LogTotals), String> {
    let told = |error: sqlx::Error| error.to_string();
    let text =
        |column: usize| row.try_get::<Option<&str>, _>(column).map_err(told).map(|text| text.map(Arc::from));
    let number = |column: usize| row.try_get::<i64, _>(column).map_err(told).map(i64::cast_unsigned);
    let kind: &str = row.try_get(7).map_err(told)?;
    let kind = LogKind::named(kind).ok_or_else(|| format!("there is no kind of row `{kind}`"))?;
    let mut group = LogGroup::of(kind);
    let day = row.try_get::<Option<i64>, _>(0).map_err(told)?;
    group.day = day.and_then(|day| u32::try_from(day).ok()).map(Day);
    (group.user, group.agent, group.session) = (text(1)?, text(2)?, text(3)?);
    (group.provider, group.name) = (text(4)?, text(5)?);
    let status: Option<&str> = row.try_get(6).map_err(told)?;
    group.status = match status {
        Some(name) => Some(LogStatus::named(name).ok_or_else(|| format!("there is no status `{name}`"))?),
        None => None,
    };
    let totals = LogTotals {
        rows: number(8)?,
        errors: number(9)?,
        usage: Usage {
            input: number(10)?,
            output: number(11)?,
            cached_input: number(12)?,
            cache_write: number(13)?,
            cache_write_1h: number(14)?,
            reasoning: number(15)?,
        },
        cost: Cost(number(16)?),
        priced: number(17)?,
        duration_ms: number(18)?,
    };
    Ok((group, totals))
}

#[cfg(test)]
mod tests {
    use mosaic_core::{RunId, Scope};
    use sqlx::{Connection, SqliteConnection};

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
            let mut query = QueryBuilder::new(format!("EXPLAIN QUERY PLAN SELECT * FROM {}", from(&filter)));
            push_filter(&mut query, &filter);
            query.push(" ORDER BY id DESC LIMIT 9");
            let plan = query.build().fetch_all(&mut db).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.get(3)).collect();
            assert!(plan[0].contains(index) && plan.len() == 1, "{filter:?}: {plan:?}");
        }
    }
}
