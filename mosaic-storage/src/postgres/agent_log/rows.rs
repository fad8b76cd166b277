//! Rows as the tables have them, and back.

use std::sync::Arc;

use mosaic_core::agent_log::{LogError, LogKind, LogRow, LogRowId, LogStatus};
use mosaic_core::{CallId, Cost, ErrorKind, RunId, Scope, Seq, StoreError, Timestamp, Usage};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

/// The columns of `agent_log`.
pub(super) const COLUMNS: &str = "tenant, id, user_name, agent, session, run, seq, kind, at, duration, provider, name, status,
    error, message, input, output, cached_input, cache_write, cache_write_1h, reasoning, cost, call, attempt, weight";

/// Figures are checked before they come here, and small.
pub(super) fn to_sql(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

fn text(text: Option<&Arc<str>>) -> Option<String> {
    text.map(ToString::to_string)
}

/// Rows as the values of an insert.
pub(super) fn push(query: &mut QueryBuilder<Postgres>, rows: Vec<LogRow>) {
    query.push_values(rows, |mut values, row| {
        let weight = row.weight();
        let error = row.error.as_ref();
        values
            .push_bind(row.scope.tenant.to_string())
            .push_bind(row.id.0)
            .push_bind(text(row.scope.user.as_ref()))
            .push_bind(text(row.scope.agent.as_ref()))
            .push_bind(text(row.scope.session.as_ref()))
            .push_bind(row.run.0)
            .push_bind(row.seq.0.cast_signed())
            .push_bind(row.kind.as_str())
            .push_bind(to_sql(row.at.0))
            .push_bind(to_sql(row.duration_ms))
            .push_bind(text(row.provider.as_ref()))
            .push_bind(text(row.name.as_ref()))
            .push_bind(row.status.as_str())
            .push_bind(error.map(|error| error.kind.as_str()))
            .push_bind(error.map(|error| error.message.to_string()).filter(|message| !message.is_empty()))
            .push_bind(to_sql(row.usage.input))
            .push_bind(to_sql(row.usage.output))
            .push_bind(to_sql(row.usage.cached_input))
            .push_bind(to_sql(row.usage.cache_write))
            .push_bind(to_sql(row.usage.cache_write_1h))
            .push_bind(to_sql(row.usage.reasoning))
            .push_bind(row.cost.map(|cost| to_sql(cost.0)))
            .push_bind(row.call.map(|call| call.0.to_string()))
            .push_bind(i64::from(row.attempt))
            .push_bind(to_sql(weight));
    });
}

/// The row of [`COLUMNS`].
pub(super) fn row(row: &PgRow, store: &str) -> Result<LogRow, StoreError> {
    read(row).map_err(|reason| corrupt(store, &reason))
}

pub(super) fn corrupt(store: &str, reason: &str) -> StoreError {
    let reason = format!("a row of the agent logs is no such thing: {reason}");
    StoreError::Corrupt { store: store.into(), at: None, reason }
}

fn read(row: &PgRow) -> Result<LogRow, String> {
    let told = |error: sqlx::Error| error.to_string();
    let text =
        |column: usize| row.try_get::<Option<&str>, _>(column).map_err(told).map(|text| text.map(Arc::from));
    let number = |column: usize| row.try_get::<i64, _>(column).map_err(told).map(i64::cast_unsigned);
    let uuid = |column: usize| row.try_get::<Uuid, _>(column).map_err(told);
    let kind: &str = row.try_get(7).map_err(told)?;
    let status: &str = row.try_get(12).map_err(told)?;
    let error = match row.try_get::<Option<&str>, _>(13).map_err(told)? {
        None => None,
        Some(name) => Some(LogError {
            kind: error_kind(name).ok_or_else(|| format!("there is no kind of error `{name}`"))?,
            message: text(14)?.unwrap_or_else(|| "".into()),
        }),
    };
    Ok(LogRow {
        scope: Scope {
            tenant: text(0)?.unwrap_or_else(|| "".into()),
            user: text(2)?,
            agent: text(3)?,
            session: text(4)?,
        },
        id: LogRowId(uuid(1)?),
        run: RunId(uuid(5)?),
        seq: Seq(number(6)?),
        kind: LogKind::named(kind).ok_or_else(|| format!("there is no kind of row `{kind}`"))?,
        at: Timestamp(number(8)?),
        duration_ms: number(9)?,
        provider: text(10)?,
        name: text(11)?,
        status: LogStatus::named(status).ok_or_else(|| format!("there is no status `{status}`"))?,
        error,
        usage: Usage {
            input: number(15)?,
            output: number(16)?,
            cached_input: number(17)?,
            cache_write: number(18)?,
            cache_write_1h: number(19)?,
            reasoning: number(20)?,
        },
        cost: row.try_get::<Option<i64>, _>(21).map_err(told)?.map(|cost| Cost(cost.cast_unsigned())),
        call: text(22)?.map(CallId),
        attempt: u32::try_from(number(23)?).unwrap_or(u32::MAX),
    })
}

fn error_kind(name: &str) -> Option<ErrorKind> {
    ErrorKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
}
