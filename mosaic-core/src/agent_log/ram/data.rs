//! The rows that the handles share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agent_log::{
    AgentLogError, Day, HotDay, LogFilter, LogGroup, LogKey, LogQuery, LogRow, LogRowId, LogTable,
    Registered, TierChange,
};
use crate::memory::Scope;

/// What is kept of a tenant.
#[derive(Debug, Clone, Default)]
struct Tenant {
    rows: BTreeMap<LogRowId, LogRow>,
    summaries: LogTable,
    /// By day and name.
    segments: BTreeMap<(Day, Arc<str>), Registered>,
}

impl Tenant {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.summaries.0.is_empty() && self.segments.is_empty()
    }
}

/// All that is kept.
#[derive(Debug, Default)]
pub(super) struct Tenants(BTreeMap<Arc<str>, Tenant>);

impl Tenants {
    pub(super) fn put(&mut self, rows: Vec<LogRow>) -> u64 {
        let mut added = 0;
        for row in rows {
            let tenant = self.0.entry(row.scope.tenant.clone()).or_default();
            tenant.rows.entry(row.id).or_insert_with(|| {
                added += 1;
                row
            });
        }
        added
    }

    fn of(&self, filter: &LogFilter) -> impl Iterator<Item = &LogRow> {
        self.0.get(&filter.scope.tenant).into_iter().flat_map(|tenant| tenant.rows.values())
    }

    pub(super) fn rows(&self, query: &LogQuery) -> Vec<LogRow> {
        query.page(self.of(&query.filter).cloned())
    }

    pub(super) fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> LogTable {
        LogTable::of(self.of(filter).filter(|row| filter.fits(row)), by)
    }

    pub(super) fn erase(&mut self, scope: &Scope) -> u64 {
        let Some(tenant) = self.0.get_mut(&scope.tenant) else { return 0 };
        let before = tenant.rows.len();
        tenant.rows.retain(|_, row| !scope.contains(&row.scope));
        let removed = before - tenant.rows.len();
        tenant.summaries.0.retain(|group, _| !summarised_in(scope, group));
        self.tidy(&scope.tenant);
        removed as u64
    }

    /// A name is a trace too.
    fn tidy(&mut self, tenant: &str) {
        if self.0.get(tenant).is_some_and(Tenant::is_empty) {
            self.0.remove(tenant);
        }
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.0.keys().cloned().collect()
    }

    pub(super) fn hot(&self, tenant: &str) -> Vec<HotDay> {
        let mut days: BTreeMap<Day, HotDay> = BTreeMap::new();
        for row in self.0.get(tenant).into_iter().flat_map(|tenant| tenant.rows.values()) {
            let day = Day::of(row.at);
            let hot = days.entry(day).or_insert(HotDay { day, rows: 0, bytes: 0 });
            hot.rows += 1;
            hot.bytes += row.weight();
        }
        days.into_values().collect()
    }

    pub(super) fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> LogTable {
        let mut table = LogTable::default();
        let of = self.0.get(&filter.scope.tenant).into_iter().flat_map(|tenant| &tenant.summaries.0);
        for (group, totals) in of.filter(|(group, _)| filter.fits_summary(group)) {
            table.add(group.clone().only(by), *totals);
        }
        table
    }

    pub(super) fn segments(&self, filter: &LogFilter) -> Vec<Registered> {
        let of = self.0.get(&filter.scope.tenant).into_iter().flat_map(|tenant| &tenant.segments);
        let meet = of.filter(|((day, _), _)| filter.meets_day(*day));
        meet.map(|(_, registered)| registered.clone()).collect()
    }

    pub(super) fn apply(&mut self, name: &str, changes: Vec<TierChange>) -> Result<(), AgentLogError> {
        // On a copy, so that all is done or nothing.
        let mut tenant = self.0.get(name).cloned().unwrap_or_default();
        for change in changes {
            tenant.change(change).map_err(|why| AgentLogError::Conflict { tenant: name.into(), why })?;
        }
        self.0.insert(name.into(), tenant);
        self.tidy(name);
        Ok(())
    }
}

/// Whether a summary is of a scope, as far as summaries tell.
fn summarised_in(scope: &Scope, group: &LogGroup) -> bool {
    scope.session.is_none()
        && (scope.user.is_none() || scope.user == group.user)
        && (scope.agent.is_none() || scope.agent == group.agent)
}

impl Tenant {
    fn key(&self, name: &str) -> Option<(Day, Arc<str>)> {
        self.segments.keys().find(|(_, other)| **other == *name).cloned()
    }

    fn change(&mut self, change: TierChange) -> Result<(), String> {
        match change {
            TierChange::Announce { name, day } => match self.key(&name) {
                Some(_) => return Err(format!("segment `{name}` exists")),
                None => drop(self.segments.insert((day, name.clone()), Registered::Announced { name })),
            },
            TierChange::Seal { segment } => {
                let key = self.key(&segment.name);
                match key.as_ref().and_then(|key| self.segments.get_mut(key)) {
                    Some(found @ Registered::Announced { .. }) => *found = Registered::Sealed { segment },
                    _ => return Err(format!("segment `{}` is not announced", segment.name)),
                }
            }
            TierChange::Condemn { name, at } => {
                let key = self.key(&name);
                match key.as_ref().and_then(|key| self.segments.get_mut(key)) {
                    Some(found @ (Registered::Announced { .. } | Registered::Sealed { .. })) => {
                        *found = Registered::Condemned { name, since: at };
                    }
                    _ => return Err(format!("segment `{name}` is gone")),
                }
            }
            TierChange::Forget { name } => {
                let Some(key) = self.key(&name) else { return Ok(()) };
                if !matches!(self.segments.get(&key), Some(Registered::Condemned { .. })) {
                    return Err(format!("segment `{name}` is not condemned"));
                }
                self.segments.remove(&key);
            }
            TierChange::Take { ids } => {
                for id in ids {
                    self.rows.remove(&id).ok_or_else(|| format!("row {id} is gone"))?;
                }
            }
            TierChange::Count { table } => self.summaries.extend(table),
            TierChange::Uncount { table } => {
                for (group, totals) in table.0 {
                    if let Some(found) = self.summaries.0.get_mut(&group) {
                        *found -= totals;
                    }
                }
                self.summaries.0.retain(|_, totals| totals.rows > 0);
            }
            TierChange::DropSummaries { before } => {
                self.summaries.0.retain(|group, _| group.day.is_none_or(|day| day >= before));
                for registered in self.segments.values_mut() {
                    if let Registered::Sealed { segment } = registered {
                        segment.counted &= segment.day >= before;
                    }
                }
            }
        }
        Ok(())
    }
}
