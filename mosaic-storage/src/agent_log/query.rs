//! The questions.

use mosaic_core::Scope;
use mosaic_core::agent_log::{Day, LogFilter, LogKey, LogOrder, LogQuery, LogRowId, LogStatus};
use sqlx::QueryBuilder;

use super::rows::columns;
use super::{Dialect, Value};

/// Only what is of a scope.
pub(crate) fn push_scope<D: Dialect>(query: &mut QueryBuilder<D>, scope: &Scope) {
    query.push(" WHERE tenant = ");
    D::push(query, (&*scope.tenant).into());
    for (column, part) in [(D::USER, &scope.user), ("agent", &scope.agent), ("session", &scope.session)] {
        if let Some(part) = part {
            query.push(format!(" AND {column} = "));
            D::push(query, (&**part).into());
        }
    }
}

/// Only rows that fit.
fn push_filter<D: Dialect>(query: &mut QueryBuilder<D>, filter: &LogFilter) {
    push_scope(query, &filter.scope);
    if let Some(run) = filter.run {
        query.push(" AND run = ");
        D::push(query, Value::Uuid(run.0));
    }
    if let Some(name) = &filter.name {
        query.push(" AND name = ");
        D::push(query, (&**name).into());
    }
    push_any(query, "kind", filter.kinds.iter().map(|kind| kind.as_str()));
    push_any(query, "status", filter.statuses.iter().map(|status| status.as_str()));
    // Ids are in the order of times.
    for (compare, at) in [(">=", filter.from), ("<", filter.until)] {
        if let Some(at) = at {
            query.push(format!(" AND id {compare} "));
            D::push(query, Value::Uuid(LogRowId::first_at(at).0));
        }
    }
}

fn push_any<D: Dialect>(
    query: &mut QueryBuilder<D>,
    column: &str,
    names: impl Iterator<Item = &'static str>,
) {
    let names = quoted(names);
    if !names.is_empty() {
        query.push(format!(" AND {column} IN ({names})"));
    }
}

/// Names of ours, without quotes in them.
fn quoted(names: impl Iterator<Item = &'static str>) -> String {
    names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(",")
}

/// Only the days that a filter's time meets.
fn push_days<D: Dialect>(query: &mut QueryBuilder<D>, filter: &LogFilter) {
    query.push(" AND day BETWEEN ");
    D::push(query, filter.from.map_or(0, |from| Day::of(from).0).into());
    query.push(" AND ");
    D::push(query, filter.until.map_or(u32::MAX, |until| Day::of(until).0).into());
}

/// A page of rows; the table as the database should read it.
pub(crate) fn rows<D: Dialect>(wanted: &LogQuery, table: &str) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new(format!("SELECT {} FROM {table}", columns(D::USER)));
    push_filter(&mut query, &wanted.filter);
    let (compare, order) = match wanted.order {
        LogOrder::Newest => ("<", "DESC"),
        LogOrder::Oldest => (">", "ASC"),
    };
    if let Some(after) = wanted.after {
        query.push(format!(" AND id {compare} "));
        D::push(&mut query, Value::Uuid(after.0));
    }
    query.push(format!(" ORDER BY id {order} LIMIT "));
    D::push(&mut query, wanted.limit.into());
    query
}

/// What rows come to.
pub(crate) fn totals<D: Dialect>(filter: &LogFilter, by: &[LogKey], table: &str) -> QueryBuilder<D> {
    let keys = [
        ("at / 86400000", LogKey::Day),
        (D::USER, LogKey::User),
        ("agent", LogKey::Agent),
        ("session", LogKey::Session),
        ("provider", LogKey::Name),
        ("name", LogKey::Name),
        ("status", LogKey::Status),
    ];
    let told = keys.map(|(column, key)| {
        let column = if by.contains(&key) { column } else { "NULL" };
        format!("CAST({column} AS text)")
    });
    let figures = ["input", "output", "cached_input", "cache_write", "cache_write_1h", "reasoning"];
    let mut query = QueryBuilder::new(format!(
        "SELECT {}, kind, count(*), count(*) FILTER (WHERE status IN ({})), {}, CAST(coalesce(sum(cost), 0) AS bigint), count(cost),
                CAST(sum(duration) AS bigint) FROM {table}",
        told.join(", "),
        quoted(LogStatus::ALL.iter().filter(|status| status.is_error()).map(|status| status.as_str())),
        figures.map(|figure| format!("CAST(sum({figure}) AS bigint)")).join(", "),
    ));
    push_filter(&mut query, filter);
    query.push(" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8");
    query
}

/// Everybody. Each is found by a look into an index: rows are many, tenants are not.
pub(crate) fn tenants<D: Dialect>() -> QueryBuilder<D> {
    let distinct = |table: &str, name: &str| {
        format!(
            "{name}(tenant) AS (SELECT min(tenant) FROM {table} UNION ALL
             SELECT (SELECT min(tenant) FROM {table} WHERE tenant > {name}.tenant) FROM {name} WHERE {name}.tenant IS NOT NULL)"
        )
    };
    QueryBuilder::new(format!(
        "WITH RECURSIVE {}, {}, {}
         SELECT tenant FROM (SELECT tenant FROM a UNION SELECT tenant FROM b UNION SELECT tenant FROM c) AS found
         WHERE tenant IS NOT NULL ORDER BY tenant",
        distinct("agent_log", "a"),
        distinct("agent_log_summaries", "b"),
        distinct("agent_log_segments", "c")
    ))
}

/// How much there is of each day.
pub(crate) fn hot<D: Dialect>(tenant: &str) -> QueryBuilder<D> {
    let text = "SELECT at / 86400000, count(*), CAST(sum(weight) AS bigint) FROM agent_log WHERE tenant = ";
    let mut query = QueryBuilder::new(text);
    D::push(&mut query, tenant.into());
    query.push(" GROUP BY 1 ORDER BY 1");
    query
}

/// Summaries that may fit.
pub(crate) fn summaries<D: Dialect>(filter: &LogFilter) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("SELECT grouped, totals FROM agent_log_summaries");
    push_scope(&mut query, &filter.scope);
    push_days(&mut query, filter);
    query
}

/// The register, of the days that a filter's time meets.
pub(crate) fn segments<D: Dialect>(filter: &LogFilter) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new("SELECT name, state, since, body, day FROM agent_log_segments");
    push_scope(&mut query, &Scope::of(filter.scope.tenant.clone()));
    push_days(&mut query, filter);
    query.push(" ORDER BY day, name");
    query
}
