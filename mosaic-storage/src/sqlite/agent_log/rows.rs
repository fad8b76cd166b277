//! Rows as the tables have them, and back.

use std::sync::Arc;

use mosaic_core::agent_log::{LogError, LogKind, LogRow, LogRowId, LogStatus};
use mosaic_core::{CallId, Cost, ErrorKind, RunId, Scope, Seq, StoreError, Timestamp, Usage};
use sqlx::Row as _;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use uuid::Uuid;

/// The columns of `agent_log`.
pub(super) const COLUMNS: &str = "tenant, id, user, agent, session, run, seq, kind, at, duration, provider, name, status,
    error, message, input, output, cached_input, cache_write, cache_write_1h, reasoning, cost, call, attempt, weight";

/// As many places.
pub(super) const PLACES: &str = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// Figures are checked before they come here, and small.
pub(super) fn to_sql(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

fn text(text: Option<&Arc<str>>) -> Option<String> {
    text.map(ToString::to_string)
}

/// Binds a row to [`PLACES`].
pub(super) fn bind(
    query: Query<'_, Sqlite, SqliteArguments>,
    row: LogRow,
) -> Query<'_, Sqlite, SqliteArguments> {
    let weight = row.weight();
    let error = row.error.as_ref();
    query
        .bind(row.scope.tenant.to_string())
        .bind(row.id.0.as_bytes().to_vec())
        .bind(text(row.scope.user.as_ref()))
        .bind(text(row.scope.agent.as_ref()))
        .bind(text(row.scope.session.as_ref()))
        .bind(row.run.0.as_bytes().to_vec())
        .bind(row.seq.0.cast_signed())
        .bind(row.kind.as_str())
        .bind(to_sql(row.at.0))
        .bind(to_sql(row.duration_ms))
        .bind(text(row.provider.as_ref()))
        .bind(text(row.name.as_ref()))
        .bind(row.status.as_str())
        .bind(error.map(|error| error.kind.as_str()))
        .bind(error.map(|error| error.message.to_string()).filter(|message| !message.is_empty()))
        .bind(to_sql(row.usage.input))
        .bind(to_sql(row.usage.output))
        .bind(to_sql(row.usage.cached_input))
        .bind(to_sql(row.usage.cache_write))
        .bind(to_sql(row.usage.cache_write_1h))
        .bind(to_sql(row.usage.reasoning))
        .bind(row.cost.map(|cost| to_sql(cost.0)))
        .bind(row.call.map(|call| call.0.to_string()))
        .bind(i64::from(row.attempt))
        .bind(to_sql(weight))
}

/// The row of [`COLUMNS`].
pub(super) fn row(row: &SqliteRow, store: &str) -> Result<LogRow, StoreError> {
    read(row).map_err(|reason| corrupt(store, &reason))
}

pub(super) fn corrupt(store: &str, reason: &str) -> StoreError {
    let reason = format!("a row of the agent logs is no such thing: {reason}");
    StoreError::Corrupt { store: store.into(), at: None, reason }
}

fn read(row: &SqliteRow) -> Result<LogRow, String> {
    let told = |error: sqlx::Error| error.to_string();
    let text =
        |column: usize| row.try_get::<Option<&str>, _>(column).map_err(told).map(|text| text.map(Arc::from));
    let number = |column: usize| row.try_get::<i64, _>(column).map_err(told).map(i64::cast_unsigned);
    let uuid = |column: usize| -> Result<Uuid, String> {
        Uuid::from_slice(row.try_get(column).map_err(told)?).map_err(|error| error.to_string())
    };
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
