//! Small words that the rules are written in.

use std::sync::Arc;

use uuid::Uuid;

use super::Broken;
use crate::agent_log::{
    AgentLogStore, AgentLogStoreExt, Day, Frame, LogError, LogFilter, LogKind, LogRow, LogRowId, LogStatus,
    LogTable, Registered, SUMMARY, Segment, TierChange,
};
use crate::error::ErrorKind;
use crate::id::{CallId, RunId, Seq};
use crate::memory::Scope;
use crate::message::{Cost, Usage};
use crate::runtime::Timestamp;

pub(super) use crate::conformance::{Check, ensure, ensure_fails};

/// The day of the rules: the last of February in a leap year.
pub(super) const DAY: Day = Day(19_782);

/// A time: so many hours after that day began.
pub(super) fn hour(n: u64) -> Timestamp {
    Timestamp(DAY.start().0 + n * 3_600_000)
}

pub(super) fn acme() -> Scope {
    Scope::of("acme")
}

pub(super) fn ann() -> Scope {
    acme().user("ann")
}

pub(super) fn all() -> LogFilter {
    LogFilter::of(acme())
}

/// The row of a number, of the tenant `acme`, one an hour: rows of small numbers differ in all that a row can have.
#[must_use]
pub fn row(n: u64) -> LogRow {
    let pick = |of: &[&'static str], by: u64| -> Arc<str> {
        let index = usize::try_from(by).unwrap_or_default() % of.len();
        of.get(index).copied().unwrap_or_default().into()
    };
    let mut scope = acme().agent(pick(&["cook", "clerk"], n / 3)).session(format!("s{}", n % 4));
    if !n.is_multiple_of(5) {
        scope = scope.user(pick(&["ann", "bob"], n / 2));
    }
    let kinds = LogKind::ALL;
    let kind =
        kinds.get(usize::try_from(n).unwrap_or_default() % kinds.len()).copied().unwrap_or(LogKind::Run);
    let ends = LogStatus::ALL;
    let status = if n.is_multiple_of(2) {
        LogStatus::Ok
    } else {
        ends.get(usize::try_from(n / 2).unwrap_or_default() % ends.len()).copied().unwrap_or(LogStatus::Ok)
    };
    let run = RunId(Uuid::from_u128(u128::from(n / 6) + 1));
    let at = Timestamp(hour(n).0 + n);
    LogRow {
        id: LogRowId::derive(at, &scope, run, Seq(n), 0),
        scope,
        run,
        seq: Seq(n),
        kind,
        at,
        duration_ms: n * 10,
        provider: (kind == LogKind::Model).then(|| "some".into()),
        name: (kind != LogKind::Run).then(|| pick(&["one", "two", "three"], n / 4)),
        status,
        error: status.is_error().then(|| LogError {
            kind: if n.is_multiple_of(3) { ErrorKind::RateLimited } else { ErrorKind::Tool },
            message: if n.is_multiple_of(3) { "no capacity \u{1F40C} ' today".into() } else { "".into() },
        }),
        usage: Usage {
            input: n * 100,
            output: n,
            cached_input: n * 7,
            cache_write: n * 5,
            cache_write_1h: n * 3,
            reasoning: n / 2,
        },
        cost: (!n.is_multiple_of(3)).then_some(Cost(n * 11)),
        call: (kind == LogKind::Tool).then(|| CallId::derive(n, 1)),
        attempt: u32::from(kind == LogKind::Tool),
    }
}

pub(super) fn rows(from: u64, upto: u64) -> Vec<LogRow> {
    (from..=upto).map(row).collect()
}

/// The numbers of rows.
pub(super) fn numbers<'r>(rows: impl IntoIterator<Item = &'r LogRow>) -> Vec<u64> {
    rows.into_iter().map(|row| row.seq.0).collect()
}

/// The numbers of all rows that fit, oldest first.
pub(super) async fn found(store: &dyn AgentLogStore, filter: &LogFilter) -> Result<Vec<u64>, Broken> {
    Ok(numbers(&store.all_rows(filter).await?))
}

pub(super) fn table(rows: &[LogRow]) -> LogTable {
    LogTable::of(rows, SUMMARY)
}

/// A segment of rows of one day; its frames are made up.
pub(super) fn segment(name: &str, rows: &[LogRow]) -> Segment {
    let times = || rows.iter().map(|row| row.at);
    let first = times().min().unwrap_or_default();
    Segment {
        name: name.into(),
        day: Day::of(first),
        first,
        last: times().max().unwrap_or_default(),
        rows: rows.len() as u64,
        bytes: 300,
        counted: true,
        frames: vec![
            Frame { user: None, offset: 0, bytes: 100, raw: 900, rows: 1, digest: "ab".repeat(32) },
            Frame {
                user: Some("ann \u{1F40C}".into()),
                offset: 100,
                bytes: 200,
                raw: 1_900,
                rows: 2,
                digest: "cd".repeat(32),
            },
        ],
    }
}

pub(super) fn announce(name: &str, day: Day) -> TierChange {
    TierChange::Announce { name: name.into(), day }
}

/// The move of rows into a segment that was announced.
pub(super) fn moved(name: &str, rows: &[LogRow]) -> Vec<TierChange> {
    vec![
        TierChange::Take { ids: rows.iter().map(|row| row.id).collect() },
        TierChange::Seal { segment: segment(name, rows) },
        TierChange::Count { table: table(rows) },
    ]
}

pub(super) fn condemn(name: &str) -> TierChange {
    TierChange::Condemn { name: name.into(), at: hour(9) }
}

pub(super) fn forget(name: &str) -> TierChange {
    TierChange::Forget { name: name.into() }
}

/// All of the register.
pub(super) async fn register(store: &dyn AgentLogStore) -> Result<Vec<Registered>, Broken> {
    Ok(store.segments(&all()).await?)
}

/// All summaries, as they are.
pub(super) async fn summaries(store: &dyn AgentLogStore) -> Result<LogTable, Broken> {
    Ok(store.summaries(&all(), SUMMARY).await?)
}
