//! A row as the table has it, and back.

use std::sync::Arc;

use mosaic_core::agent_log::{LogError, LogKind, LogRow, LogRowId, LogStatus};
use mosaic_core::{CallId, Cost, ErrorKind, RunId, Scope, Seq, Timestamp};
use sqlx::QueryBuilder;

use super::answer::{figure, text, usage};
use super::{Dialect, Value};

/// The columns of `agent_log`.
pub(super) fn columns(user: &str) -> String {
    format!(
        "tenant, id, {user}, agent, session, run, seq, kind, at, duration, provider, name, status, error, message,
         input, output, cached_input, cache_write, cache_write_1h, reasoning, cost, call, attempt, weight"
    )
}

/// An insert of rows, of those that are not there.
pub(crate) fn push_rows<D: Dialect>(rows: impl IntoIterator<Item = LogRow>) -> QueryBuilder<D> {
    let mut query = QueryBuilder::new(format!("INSERT INTO agent_log ({}) VALUES ", columns(D::USER)));
    for (place, row) in rows.into_iter().enumerate() {
        query.push(if place == 0 { "(" } else { "), (" });
        for (place, value) in values(&row).into_iter().enumerate() {
            query.push(if place == 0 { "" } else { ", " });
            D::push(&mut query, value);
        }
    }
    query.push(") ON CONFLICT (tenant, id) DO NOTHING");
    query
}

/// A row, in the order of [`columns`].
fn values(row: &LogRow) -> [Value; 25] {
    let LogRow { scope, usage, error, .. } = row;
    let name = |name: &Option<Arc<str>>| Value::Text(name.as_deref().map(str::to_owned));
    // Figures are checked before they come here, and small.
    let figure = |figure: u64| Value::Number(Some(i64::try_from(figure).unwrap_or(i64::MAX)));
    let message = error.as_ref().map(|error| &*error.message).filter(|message| !message.is_empty());
    [
        (&*scope.tenant).into(),
        Value::Uuid(row.id.0),
        name(&scope.user),
        name(&scope.agent),
        name(&scope.session),
        Value::Uuid(row.run.0),
        Value::Number(Some(row.seq.0.cast_signed())),
        row.kind.as_str().into(),
        figure(row.at.0),
        figure(row.duration_ms),
        name(&row.provider),
        name(&row.name),
        row.status.as_str().into(),
        Value::Text(error.as_ref().map(|error| error.kind.as_str().to_owned())),
        Value::Text(message.map(str::to_owned)),
        figure(usage.input),
        figure(usage.output),
        figure(usage.cached_input),
        figure(usage.cache_write),
        figure(usage.cache_write_1h),
        figure(usage.reasoning),
        row.cost.map_or(Value::Number(None), |cost| figure(cost.0)),
        Value::Text(row.call.as_ref().map(|call| call.0.to_string())),
        row.attempt.into(),
        figure(row.weight()),
    ]
}

/// The row of [`columns`].
pub(super) fn row<D: Dialect>(row: &D::Row) -> Result<LogRow, String> {
    let told = |error: sqlx::Error| error.to_string();
    let text = |column| text::<D>(row, column);
    let figure = |column| figure::<D>(row, column);
    let uuid = |column| D::uuid(row, column).map_err(told);
    let error = match D::text(row, 13).map_err(told)? {
        None => None,
        Some(name) => {
            let kind = ErrorKind::ALL.iter().copied().find(|kind| kind.as_str() == name);
            let kind = kind.ok_or_else(|| format!("there is no kind of error `{name}`"))?;
            Some(LogError { kind, message: text(14)?.unwrap_or_default() })
        }
    };
    Ok(LogRow {
        scope: Scope {
            tenant: text(0)?.unwrap_or_default(),
            user: text(2)?,
            agent: text(3)?,
            session: text(4)?,
        },
        id: LogRowId(uuid(1)?),
        run: RunId(uuid(5)?),
        seq: Seq(figure(6)?),
        kind: kind(&text(7)?.unwrap_or_default())?,
        at: Timestamp(figure(8)?),
        duration_ms: figure(9)?,
        provider: text(10)?,
        name: text(11)?,
        status: status(&text(12)?.unwrap_or_default())?,
        error,
        usage: usage::<D>(row, 15)?,
        cost: D::number(row, 21).map_err(told)?.map(|cost| Cost(cost.cast_unsigned())),
        call: text(22)?.map(CallId),
        attempt: u32::try_from(figure(23)?).unwrap_or(u32::MAX),
    })
}

pub(super) fn kind(name: &str) -> Result<LogKind, String> {
    LogKind::named(name).ok_or_else(|| format!("there is no kind of row `{name}`"))
}

pub(super) fn status(name: &str) -> Result<LogStatus, String> {
    LogStatus::named(name).ok_or_else(|| format!("there is no status `{name}`"))
}
