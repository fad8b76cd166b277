//! Rows, added up.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Day, LogKey, LogKind, LogRow, LogStatus};
use crate::message::{Cost, Usage};

/// What rows come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogTotals {
    /// How many.
    pub rows: u64,
    /// Of them, where something went wrong: see [`LogStatus::is_error`].
    pub errors: u64,
    /// Tokens.
    pub usage: Usage,
    /// What they cost, as far as prices are known.
    pub cost: Cost,
    /// How many have a cost.
    pub priced: u64,
    /// How long they took together, in milliseconds.
    pub duration_ms: u64,
}

impl LogTotals {
    /// What one row comes to.
    #[must_use]
    pub fn of(row: &LogRow) -> Self {
        Self {
            rows: 1,
            errors: u64::from(row.status.is_error()),
            usage: row.usage,
            cost: row.cost.unwrap_or_default(),
            priced: u64::from(row.cost.is_some()),
            duration_ms: row.duration_ms,
        }
    }

    /// How long one took, in milliseconds; 0 where there is none.
    #[must_use]
    pub fn mean_duration_ms(&self) -> u64 {
        self.duration_ms.checked_div(self.rows).unwrap_or_default()
    }
}

impl std::ops::AddAssign for LogTotals {
    fn add_assign(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.errors = self.errors.saturating_add(other.errors);
        self.usage += other.usage;
        self.cost += other.cost;
        self.priced = self.priced.saturating_add(other.priced);
        self.duration_ms = self.duration_ms.saturating_add(other.duration_ms);
    }
}

impl std::ops::SubAssign for LogTotals {
    fn sub_assign(&mut self, other: Self) {
        let less = |from: &mut u64, by: u64| *from = from.saturating_sub(by);
        less(&mut self.rows, other.rows);
        less(&mut self.errors, other.errors);
        less(&mut self.usage.input, other.usage.input);
        less(&mut self.usage.output, other.usage.output);
        less(&mut self.usage.cached_input, other.usage.cached_input);
        less(&mut self.usage.cache_write, other.usage.cache_write);
        less(&mut self.usage.cache_write_1h, other.usage.cache_write_1h);
        less(&mut self.usage.reasoning, other.usage.reasoning);
        less(&mut self.cost.0, other.cost.0);
        less(&mut self.priced, other.priced);
        less(&mut self.duration_ms, other.duration_ms);
    }
}

/// What rows are told apart by. A part that is not asked for is `None`, as is one that a row does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LogGroup {
    /// The day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Arc<str>>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Arc<str>>,
    /// The kind.
    pub kind: LogKind,
    /// The provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Arc<str>>,
    /// The model, the tool, the candidate, the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// The end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<LogStatus>,
}

impl LogGroup {
    /// All of a kind.
    #[must_use]
    pub fn of(kind: LogKind) -> Self {
        Self {
            day: None,
            user: None,
            agent: None,
            session: None,
            kind,
            provider: None,
            name: None,
            status: None,
        }
    }

    /// The group that a row belongs to.
    #[must_use]
    pub fn holding(row: &LogRow, by: &[LogKey]) -> Self {
        let whole = Self {
            day: Some(Day::of(row.at)),
            user: row.scope.user.clone(),
            agent: row.scope.agent.clone(),
            session: row.scope.session.clone(),
            kind: row.kind,
            provider: row.provider.clone(),
            name: row.name.clone(),
            status: Some(row.status),
        };
        whole.only(by)
    }

    /// The wider group, told apart by these alone.
    #[must_use]
    pub fn only(mut self, by: &[LogKey]) -> Self {
        let told = |key| by.contains(&key);
        self.day = self.day.filter(|_| told(LogKey::Day));
        self.user = self.user.filter(|_| told(LogKey::User));
        self.agent = self.agent.filter(|_| told(LogKey::Agent));
        self.session = self.session.filter(|_| told(LogKey::Session));
        self.provider = self.provider.filter(|_| told(LogKey::Name));
        self.name = self.name.filter(|_| told(LogKey::Name));
        self.status = self.status.filter(|_| told(LogKey::Status));
        self
    }
}

/// Groups with what they come to, in the order of the groups. As text: see [`to_text`](Self::to_text).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogTable(pub BTreeMap<LogGroup, LogTotals>);

impl LogTable {
    /// Adds rows up.
    pub fn of<'r>(rows: impl IntoIterator<Item = &'r LogRow>, by: &[LogKey]) -> Self {
        let mut table = Self::default();
        rows.into_iter().for_each(|row| table.add(LogGroup::holding(row, by), LogTotals::of(row)));
        table
    }

    /// Adds to a group.
    pub fn add(&mut self, group: LogGroup, totals: LogTotals) {
        *self.0.entry(group).or_default() += totals;
    }

    /// Adds another table.
    pub fn extend(&mut self, other: LogTable) {
        other.0.into_iter().for_each(|(group, totals)| self.add(group, totals));
    }

    /// The table told apart by these alone.
    #[must_use]
    pub fn only(&self, by: &[LogKey]) -> Self {
        let mut table = Self::default();
        self.0.iter().for_each(|(group, totals)| table.add(group.clone().only(by), *totals));
        table
    }

    /// All of a kind.
    #[must_use]
    pub fn kind(&self, kind: LogKind) -> LogTotals {
        let mut all = LogTotals::default();
        self.0.iter().filter(|(group, _)| group.kind == kind).for_each(|(_, totals)| all += *totals);
        all
    }
}
