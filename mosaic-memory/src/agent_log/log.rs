//! The handle: a store, an archive, a policy.

use std::collections::HashSet;
use std::sync::Arc;

use mosaic_core::agent_log::{
    AgentLogError, AgentLogStore, LogFilter, LogRow, LogRowId, Registered, Segment, from_lines, rows,
};
use mosaic_core::archive::Archive;
use mosaic_core::{EndedRun, Entry, Runtime, Scope};

use super::policy::TierPolicy;

/// Agent logs in three tiers. See [the module](super).
#[derive(Debug, Clone)]
pub struct AgentLog {
    pub(super) store: Arc<dyn AgentLogStore>,
    pub(super) archive: Arc<dyn Archive>,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) policy: TierPolicy,
}

/// What two tiers show may be of two moments: rows may move in between. Then it is read again, so often at most.
pub(super) const TRIES: usize = 8;

impl AgentLog {
    /// Agent logs of a store, whose old rows go to an archive.
    pub fn new(store: Arc<dyn AgentLogStore>, archive: Arc<dyn Archive>, runtime: Arc<dyn Runtime>) -> Self {
        Self { store, archive, runtime, policy: TierPolicy::default() }
    }

    /// Sets how long rows stay where.
    #[must_use]
    pub fn policy(mut self, policy: TierPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The store of the rows that are hot.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn AgentLogStore> {
        &self.store
    }

    /// Records a run by its entries: those of [`RunEntries::Ended`](mosaic_core::RunEntries::Ended). Says how many rows were new; a run
    /// is recorded as often as one likes.
    ///
    /// # Errors
    /// What the store and the archive say.
    pub async fn record(&self, run: &EndedRun, entries: &[Entry]) -> Result<u64, AgentLogError> {
        self.put(rows(run, entries)).await
    }

    /// Adds the rows of an export, and says how many were new. Rows that are old move on with the next pass.
    ///
    /// # Errors
    /// [`AgentLogError::Line`], [`AgentLogError::OutOfScope`]; nothing was added then. What the store and the archive say.
    pub async fn import_lines(&self, scope: &Scope, lines: &str) -> Result<u64, AgentLogError> {
        let rows: Vec<LogRow> = from_lines(lines).collect::<Result<_, _>>()?;
        if let Some(other) = rows.iter().find(|row| !scope.contains(&row.scope)) {
            return Err(AgentLogError::OutOfScope { scope: scope.to_string(), of: other.scope.to_string() });
        }
        let mut added = 0;
        for batch in rows.chunks(512) {
            added += self.put(batch.to_vec()).await?;
        }
        Ok(added)
    }

    /// Adds rows of one tenant, but for those that were moved already: a job that is done again after a month must not bring them back.
    async fn put(&self, mut rows: Vec<LogRow>) -> Result<u64, AgentLogError> {
        if let Some(filter) = spanning(&rows) {
            let archived = self.archived(&filter, &rows).await?;
            rows.retain(|row| !archived.contains(&row.id));
        }
        if rows.is_empty() { Ok(0) } else { self.store.put(rows).await }
    }

    /// Which of these rows stand in a segment.
    pub(super) async fn archived(
        &self,
        filter: &LogFilter,
        rows: &[LogRow],
    ) -> Result<HashSet<LogRowId>, AgentLogError> {
        let mut found = HashSet::new();
        for segment in sealed(self.store.segments(filter).await?) {
            // Only of whom, and when, there is something to look for.
            let near = rows.iter().any(|row| row.at >= segment.first && row.at <= segment.last);
            for frame in segment.frames.iter().filter(|_| near) {
                if rows.iter().any(|row| row.scope.user == frame.user) {
                    found.extend(self.read(&segment, frame).await?.iter().map(|row| row.id));
                }
            }
        }
        Ok(found)
    }
}

/// The tenant and the time of rows; `None` where there are none.
fn spanning(rows: &[LogRow]) -> Option<LogFilter> {
    let times = || rows.iter().map(|row| row.at);
    let tenant = Scope::of(rows.first()?.scope.tenant.clone());
    let last = times().max()?;
    Some(LogFilter::of(tenant).from(times().min()?).until(last.after(std::time::Duration::from_millis(1))))
}

/// The segments that count.
pub(super) fn sealed(register: Vec<Registered>) -> impl Iterator<Item = Segment> {
    register.into_iter().filter_map(|registered| match registered {
        Registered::Sealed { segment } => Some(segment),
        _ => None,
    })
}
