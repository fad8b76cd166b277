//! The answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use mosaic_core::agent_log::{
    Day, HotDay, LogFilter, LogGroup, LogKey, LogRow, LogTable, LogTotals, Registered,
};
use mosaic_core::{Cost, StoreError, Timestamp, Usage};
use serde::de::DeserializeOwned;

use super::rows::{self, kind, status};
use super::{ANNOUNCED, CONDEMNED, Dialect, SEALED};

/// What is not what was written.
fn corrupt(store: &str, reason: &str) -> StoreError {
    let reason = format!("a row of the agent logs is no such thing: {reason}");
    StoreError::Corrupt { store: store.into(), at: None, reason }
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str, store: &str) -> Result<T, StoreError> {
    parse(text).map_err(|reason| corrupt(store, &reason))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

pub(super) fn text<D: Dialect>(row: &D::Row, column: usize) -> Result<Option<Arc<str>>, String> {
    D::text(row, column).map(|text| text.map(Arc::from)).map_err(|error| error.to_string())
}

/// A number that is never missing.
pub(super) fn figure<D: Dialect>(row: &D::Row, column: usize) -> Result<u64, String> {
    let number = D::number(row, column).map_err(|error| error.to_string())?;
    number.map(i64::cast_unsigned).ok_or_else(|| format!("column {column} has no number"))
}

/// Figures that stand one after the other.
pub(super) fn usage<D: Dialect>(row: &D::Row, first: usize) -> Result<Usage, String> {
    let figure = |at: usize| figure::<D>(row, first.saturating_add(at));
    Ok(Usage {
        input: figure(0)?,
        output: figure(1)?,
        cached_input: figure(2)?,
        cache_write: figure(3)?,
        cache_write_1h: figure(4)?,
        reasoning: figure(5)?,
    })
}

/// What a question found.
pub(crate) struct Answer<'a, D: Dialect> {
    pub(crate) store: &'a str,
    pub(crate) found: Vec<D::Row>,
}

impl<D: Dialect> Answer<'_, D> {
    fn each<T>(&self, read: impl Fn(&D::Row) -> Result<T, String>) -> Result<Vec<T>, StoreError> {
        let read = self.found.iter().map(read);
        read.collect::<Result<_, _>>().map_err(|reason| corrupt(self.store, &reason))
    }

    pub(crate) fn rows(&self) -> Result<Vec<LogRow>, StoreError> {
        self.each(rows::row::<D>)
    }

    pub(crate) fn totals(&self) -> Result<LogTable, StoreError> {
        let mut table = LogTable::default();
        for (group, totals) in self.each(sum::<D>)? {
            table.add(group, totals);
        }
        Ok(table)
    }

    pub(crate) fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        self.each(|row| Ok(text::<D>(row, 0)?.unwrap_or_default()))
    }

    pub(crate) fn hot(&self) -> Result<Vec<HotDay>, StoreError> {
        self.each(|row| {
            let day = Day(u32::try_from(figure::<D>(row, 0)?).unwrap_or(u32::MAX));
            Ok(HotDay { day, rows: figure::<D>(row, 1)?, bytes: figure::<D>(row, 2)? })
        })
    }

    pub(crate) fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, StoreError> {
        let pair = |row: &D::Row| -> Result<(LogGroup, LogTotals), String> {
            let text = |column| Ok::<_, String>(text::<D>(row, column)?.unwrap_or_default());
            Ok((parse(&text(0)?)?, parse(&text(1)?)?))
        };
        let mut sums: BTreeMap<LogGroup, LogTotals> = BTreeMap::new();
        for (group, totals) in self.each(pair)? {
            if filter.fits_summary(&group) {
                *sums.entry(group.only(by)).or_default() += totals;
            }
        }
        Ok(LogTable(sums))
    }

    pub(crate) fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, StoreError> {
        let of_days = self.each(|row| {
            let day = Day(u32::try_from(figure::<D>(row, 4)?).unwrap_or(u32::MAX));
            filter.meets_day(day).then(|| registered::<D>(row)).transpose()
        })?;
        Ok(of_days.into_iter().flatten().collect())
    }
}

/// A group and its sums.
fn sum<D: Dialect>(row: &D::Row) -> Result<(LogGroup, LogTotals), String> {
    let text = |column| text::<D>(row, column);
    let figure = |column| figure::<D>(row, column);
    let mut group = LogGroup::of(kind(&text(7)?.unwrap_or_default())?);
    group.day = text(0)?.and_then(|day| day.parse().ok()).map(Day);
    (group.user, group.agent, group.session) = (text(1)?, text(2)?, text(3)?);
    (group.provider, group.name) = (text(4)?, text(5)?);
    group.status = text(6)?.map(|name| status(&name)).transpose()?;
    let totals = LogTotals {
        rows: figure(8)?,
        errors: figure(9)?,
        usage: usage::<D>(row, 10)?,
        cost: Cost(figure(16)?),
        priced: figure(17)?,
        duration_ms: figure(18)?,
    };
    Ok((group, totals))
}

/// The state of a name in the register.
fn registered<D: Dialect>(row: &D::Row) -> Result<Registered, String> {
    let (name, state, body) =
        (text::<D>(row, 0)?.unwrap_or_default(), figure::<D>(row, 1)?, text::<D>(row, 3)?);
    Ok(match (state.cast_signed(), body) {
        (ANNOUNCED, _) => Registered::Announced { name },
        (SEALED, Some(body)) => Registered::Sealed { segment: parse(&body)? },
        (CONDEMNED, _) => {
            let since = D::number(row, 2).map_err(|error| error.to_string())?;
            Registered::Condemned { name, since: Timestamp(since.unwrap_or_default().cast_unsigned()) }
        }
        (other, _) => return Err(format!("segment `{name}` has state {other}")),
    })
}
