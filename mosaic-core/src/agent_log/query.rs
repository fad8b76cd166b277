//! Which rows, and what they are added up by.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Day, LogKind, LogRow, LogRowId, LogStatus};
use crate::id::RunId;
use crate::memory::Scope;
use crate::runtime::Timestamp;

/// Which rows: those that fit all that is given. A tenant is always given.
///
/// ```
/// use mosaic_core::agent_log::{LogFilter, LogKind};
/// use mosaic_core::memory::Scope;
/// use mosaic_core::Timestamp;
///
/// // What failed of Ann's tool calls since a time.
/// let filter = LogFilter::of(Scope::of("acme").user("ann")).kind(LogKind::Tool).failed().from(Timestamp(1_767_225_600_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LogFilter {
    /// The tenant, and perhaps the user, the agent, the session.
    pub scope: Scope,
    /// Of one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Of one of these kinds; empty: of any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<LogKind>,
    /// With one of these ends; empty: with any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<LogStatus>,
    /// Of this model, tool, candidate or question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Begun at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Begun before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl LogFilter {
    /// Everything in a scope.
    #[must_use]
    pub fn of(scope: Scope) -> Self {
        Self {
            scope,
            run: None,
            kinds: Vec::new(),
            statuses: Vec::new(),
            name: None,
            from: None,
            until: None,
        }
    }

    /// Only those of a run.
    #[must_use]
    pub fn run(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
    }

    /// Only those of a kind; of one of several, when called again.
    #[must_use]
    pub fn kind(mut self, kind: LogKind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Only those with an end; with one of several, when called again.
    #[must_use]
    pub fn status(mut self, status: LogStatus) -> Self {
        self.statuses.push(status);
        self
    }

    /// Only those where something went wrong: see [`LogStatus::is_error`].
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.statuses.extend(LogStatus::ALL.iter().filter(|status| status.is_error()));
        self
    }

    /// Only those of a model, a tool, a candidate or a question.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only those that began at a time or later.
    #[must_use]
    pub fn from(mut self, from: Timestamp) -> Self {
        self.from = Some(from);
        self
    }

    /// Only those that began before a time.
    #[must_use]
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// Only those of a day.
    #[must_use]
    pub fn day(self, day: Day) -> Self {
        self.from(day.start()).until(day.end())
    }

    /// Whether a row fits.
    #[must_use]
    pub fn fits(&self, row: &LogRow) -> bool {
        self.scope.contains(&row.scope)
            && self.run.is_none_or(|run| run == row.run)
            && (self.kinds.is_empty() || self.kinds.contains(&row.kind))
            && (self.statuses.is_empty() || self.statuses.contains(&row.status))
            && self.name.as_ref().is_none_or(|name| Some(name) == row.name.as_ref())
            && self.from.is_none_or(|from| row.at >= from)
            && self.until.is_none_or(|until| row.at < until)
    }

    /// Whether a summary fits: its whole day lies in the time, and the rest that it tells is what is asked for. None fits a filter that
    /// names a session or a run.
    #[must_use]
    pub fn fits_summary(&self, group: &super::LogGroup) -> bool {
        let same = |wanted: &Option<Arc<str>>, found: &Option<Arc<str>>| wanted.is_none() || wanted == found;
        self.scope.session.is_none()
            && self.run.is_none()
            && same(&self.scope.user, &group.user)
            && same(&self.scope.agent, &group.agent)
            && same(&self.name, &group.name)
            && (self.kinds.is_empty() || self.kinds.contains(&group.kind))
            && (self.statuses.is_empty()
                || group.status.is_some_and(|status| self.statuses.contains(&status)))
            && group.day.is_some_and(|day| self.holds_day(day))
    }

    /// Whether a whole day lies in the time.
    #[must_use]
    pub fn holds_day(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day.start()) && self.until.is_none_or(|until| until >= day.end())
    }

    /// Whether some of a day lies in the time.
    #[must_use]
    pub fn meets_day(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from < day.end()) && self.until.is_none_or(|until| until > day.start())
    }
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogOrder {
    /// What began last.
    #[default]
    Newest,
    /// What began first.
    Oldest,
}

/// A page of rows, in the order of their ids, which is that of their times.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogQuery {
    /// Which rows.
    pub filter: LogFilter,
    /// Which end comes first.
    pub order: LogOrder,
    /// Only what comes after this one, in that order: the last of the page before.
    pub after: Option<LogRowId>,
    /// At most so many.
    pub limit: u32,
}

impl LogQuery {
    /// The newest hundred.
    #[must_use]
    pub fn new(filter: LogFilter) -> Self {
        Self { filter, order: LogOrder::default(), after: None, limit: 100 }
    }

    /// The oldest come first.
    #[must_use]
    pub fn oldest(mut self) -> Self {
        self.order = LogOrder::Oldest;
        self
    }

    /// Only what comes after this one.
    #[must_use]
    pub fn after(mut self, after: LogRowId) -> Self {
        self.after = Some(after);
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Whether a row belongs to this page or to one that follows.
    #[must_use]
    pub fn fits(&self, row: &LogRow) -> bool {
        let behind = |after: LogRowId| match self.order {
            LogOrder::Newest => row.id < after,
            LogOrder::Oldest => row.id > after,
        };
        self.after.is_none_or(behind) && self.filter.fits(row)
    }

    /// The page, of rows in any order; one that stands there twice counts once.
    #[must_use]
    pub fn page(&self, rows: impl IntoIterator<Item = LogRow>) -> Vec<LogRow> {
        let mut page: Vec<LogRow> = rows.into_iter().filter(|row| self.fits(row)).collect();
        page.sort_unstable_by_key(|row| row.id);
        page.dedup_by_key(|row| row.id);
        if self.order == LogOrder::Newest {
            page.reverse();
        }
        page.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        page
    }
}

/// What rows are added up by. The kind always counts: the tokens of a run are those of its model calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogKey {
    /// The day on which it began, in UTC.
    Day,
    /// The user.
    User,
    /// The agent.
    Agent,
    /// The session.
    Session,
    /// The provider, and the model or tool.
    Name,
    /// The end.
    Status,
}
