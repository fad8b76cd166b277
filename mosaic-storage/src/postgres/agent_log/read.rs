//! Reading.

use std::collections::BTreeMap;
use std::sync::Arc;

use mosaic_core::agent_log::{
    AgentLogError, Day, HotDay, LogFilter, LogGroup, LogKey, LogKind, LogOrder, LogQuery, LogRow, LogRowId,
    LogStatus, LogTable, LogTotals, Registered,
};
use mosaic_core::{Cost, StoreError, Usage};
use sqlx::postgres::PgRow;
use sqlx::{FromRow as _, Postgres, QueryBuilder, Row as _};

use super::super::fault::told;
use super::super::row_security::Sight;
use super::ops::{from_json, push_scope, registered};
use super::rows::{self, COLUMNS};
use super::store::Shared;

/// Only rows that fit.
fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &LogFilter) {
    push_scope(query, &filter.scope);
    if let Some(run) = filter.run {
        query.push(" AND run = ").push_bind(run.0);
    }
    if let Some(name) = &filter.name {
        query.push(" AND name = ").push_bind(name.to_string());
    }
    push_any(query, "kind", filter.kinds.iter().map(|kind| kind.as_str()));
    push_any(query, "status", filter.statuses.iter().map(|status| status.as_str()));
    // Ids are in the order of times.
    for (compare, at) in [(">=", filter.from), ("<", filter.until)] {
        if let Some(at) = at {
            query.push(format!(" AND id {compare} ")).push_bind(LogRowId::first_at(at).0);
        }
    }
}

fn push_any(query: &mut QueryBuilder<Postgres>, column: &str, names: impl Iterator<Item = &'static str>) {
    // Names of ours, without quotes in them.
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    if !names.is_empty() {
        query.push(format!(" AND {column} IN ({})", names.join(",")));
    }
}

/// Whose rows a filter is about.
fn of(filter: &LogFilter) -> Sight<'_> {
    Sight::Named(&filter.scope.tenant)
}

/// The days that a filter's time meets.
fn days(filter: &LogFilter) -> (u32, u32) {
    let last = filter.until.map_or(u32::MAX, |until| Day::of(until).0);
    (filter.from.map_or(0, |from| Day::of(from).0), last)
}

impl Shared {
    fn told(&self, action: &'static str, error: sqlx::Error) -> AgentLogError {
        told(&self.store, action, error).into()
    }

    /// What a query finds, in a transaction of its own.
    async fn all(
        &self,
        sight: Sight<'_>,
        mut query: QueryBuilder<Postgres>,
        action: &'static str,
    ) -> Result<Vec<PgRow>, AgentLogError> {
        let said = |error| self.told(action, error);
        let mut transaction = self.begin("BEGIN READ ONLY", sight).await.map_err(said)?;
        let found = query.build().fetch_all(&mut *transaction).await.map_err(said)?;
        transaction.commit().await.map_err(said)?;
        Ok(found)
    }

    pub(super) async fn rows(&self, wanted: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM agent_log"));
        push_filter(&mut query, &wanted.filter);
        let (compare, order) = match wanted.order {
            LogOrder::Newest => ("<", "DESC"),
            LogOrder::Oldest => (">", "ASC"),
        };
        if let Some(after) = wanted.after {
            query.push(format!(" AND id {compare} ")).push_bind(after.0);
        }
        query.push(format!(" ORDER BY id {order} LIMIT ")).push_bind(i64::from(wanted.limit));
        let found = self.all(of(&wanted.filter), query, "reading agent logs").await?;
        Ok(found.iter().map(|row| rows::row(row, &self.store)).collect::<Result<_, StoreError>>()?)
    }

    pub(super) async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        let keys = [
            ("(at / 86400000)::text", LogKey::Day),
            ("user_name", LogKey::User),
            ("agent", LogKey::Agent),
            ("session", LogKey::Session),
            ("provider", LogKey::Name),
            ("name", LogKey::Name),
            ("status", LogKey::Status),
        ];
        let told: Vec<&str> =
            keys.iter().map(|(column, key)| if by.contains(key) { *column } else { "NULL::text" }).collect();
        let failed: Vec<String> = LogStatus::ALL
            .iter()
            .filter(|status| status.is_error())
            .map(|status| format!("'{}'", status.as_str()))
            .collect();
        let mut query = QueryBuilder::new(format!(
            "SELECT {}, kind, count(*), count(*) FILTER (WHERE status IN ({})), sum(input)::bigint, sum(output)::bigint, sum(cached_input)::bigint,
                    sum(cache_write)::bigint, sum(cache_write_1h)::bigint, sum(reasoning)::bigint, coalesce(sum(cost), 0)::bigint, count(cost), sum(duration)::bigint
             FROM agent_log",
            told.join(", "),
            failed.join(", ")
        ));
        push_filter(&mut query, filter);
        query.push(" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8");
        let mut table = LogTable::default();
        for row in self.all(of(filter), query, "adding agent logs up").await? {
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
             SELECT tenant FROM (SELECT tenant FROM a UNION SELECT tenant FROM b UNION SELECT tenant FROM c) AS each
             WHERE tenant IS NOT NULL ORDER BY tenant",
            distinct("agent_log", "a"),
            distinct("agent_log_summaries", "b"),
            distinct("agent_log_segments", "c")
        ));
        let rows = self.all(Sight::Listing, query, "listing tenants").await?;
        let names = rows.iter().map(|row| row.try_get::<&str, _>(0).map(Arc::from));
        names.collect::<Result<_, _>>().map_err(|error| self.told("listing tenants", error))
    }

    pub(super) async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        const ACTION: &str = "counting agent logs";
        let mut query = QueryBuilder::new(
            "SELECT at / 86400000, count(*), sum(weight)::bigint FROM agent_log WHERE tenant = ",
        );
        query.push_bind(tenant.to_owned()).push(" GROUP BY 1 ORDER BY 1");
        let mut days = Vec::new();
        for row in self.all(Sight::Named(tenant), query, ACTION).await? {
            let number = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
            let hot = || {
                let day = Day(u32::try_from(number(0)?).unwrap_or(u32::MAX));
                Ok(HotDay { day, rows: number(1)?, bytes: number(2)? })
            };
            days.push(hot().map_err(|error| self.told(ACTION, error))?);
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
        query.push(" AND day BETWEEN ").push_bind(i64::from(first)).push(" AND ").push_bind(i64::from(last));
        let mut sums: BTreeMap<LogGroup, LogTotals> = BTreeMap::new();
        for row in self.all(of(filter), query, ACTION).await? {
            let text =
                |column: usize| row.try_get::<&str, _>(column).map_err(|error| self.told(ACTION, error));
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
        let mut query = QueryBuilder::new("SELECT name, state, since, body, day FROM agent_log_segments");
        query.push(" WHERE tenant = ").push_bind(filter.scope.tenant.to_string());
        query.push(" AND day BETWEEN ").push_bind(i64::from(first)).push(" AND ").push_bind(i64::from(last));
        query.push(" ORDER BY day, name");
        let mut meet = Vec::new();
        for row in self.all(of(filter), query, ACTION).await? {
            let row = <(String, i64, Option<i64>, Option<String>, i64)>::from_row(&row);
            let (name, state, since, body, day) = row.map_err(|error| self.told(ACTION, error))?;
            if filter.meets_day(Day(u32::try_from(day).unwrap_or(u32::MAX))) {
                meet.push(registered((name, state, since, body), &self.store)?);
            }
        }
        Ok(meet)
    }
}

/// A group and its sums.
fn sum(row: &PgRow) -> Result<(LogGroup, LogTotals), String> {
    let told = |error: sqlx::Error| error.to_string();
    let text =
        |column: usize| row.try_get::<Option<&str>, _>(column).map_err(told).map(|text| text.map(Arc::from));
    let number = |column: usize| row.try_get::<i64, _>(column).map_err(told).map(i64::cast_unsigned);
    let kind: &str = row.try_get(7).map_err(told)?;
    let kind = LogKind::named(kind).ok_or_else(|| format!("there is no kind of row `{kind}`"))?;
    let mut group = LogGroup::of(kind);
    let day = row.try_get::<Option<&str>, _>(0).map_err(told)?;
    group.day = day.and_then(|day| day.parse().ok()).map(Day);
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
