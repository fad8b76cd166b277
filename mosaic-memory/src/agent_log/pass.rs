//! One pass over the tiers of a tenant, in steps. Each is whole or not at all, so a pass that was cut short goes on with the next.

use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::agent_log::{
    AgentLogError, Day, LogFilter, LogQuery, LogTable, Registered, SUMMARY, Segment, TierChange,
};
use mosaic_core::{RuntimeExt as _, Scope, Timestamp};

use super::log::{AgentLog, TRIES, sealed};
use super::pack::{Pack, hex, pack};
use super::policy::{Due, TierPolicy};

/// What a step, or all steps of a pass together, did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TierReport {
    /// Rows that left the store for the archive.
    pub moved: u64,
    /// Bytes that they have there.
    pub bytes: u64,
    /// Rows that left the store because the archive had them already.
    pub repeated: u64,
    /// Segments that were made.
    pub sealed: u64,
    /// Segments that were too old, or that a crash had left, and were removed.
    pub removed: u64,
    /// Days before this one have no summaries any more.
    pub summaries_before: Option<Day>,
}

impl TierReport {
    fn add(&mut self, other: Self) {
        self.moved += other.moved;
        self.bytes += other.bytes;
        self.repeated += other.repeated;
        self.sealed += other.sealed;
        self.removed += other.removed;
        self.summaries_before = self.summaries_before.max(other.summaries_before);
    }
}

impl AgentLog {
    /// Moves what has grown old, of one tenant, until nothing is left to move.
    ///
    /// # Errors
    /// What the store and the archive say. What was done stays done; the next pass goes on.
    pub async fn tier(&self, tenant: &str) -> Result<TierReport, AgentLogError> {
        let mut report = self.tidy(tenant).await?;
        while let Some(step) = self.step(tenant).await? {
            report.add(step);
        }
        Ok(report)
    }

    /// The next step of a pass: one segment made, or old summaries or segments dropped. `None`: nothing is left to do. For those who want to
    /// look in between whether they still may; they begin with [`tidy`](Self::tidy).
    ///
    /// # Errors
    /// As [`tier`](Self::tier).
    pub async fn step(&self, tenant: &str) -> Result<Option<TierReport>, AgentLogError> {
        let now = self.runtime.now();
        let mut last = None;
        for _ in 0..TRIES {
            let Some(due) = self.policy.due(&self.store.hot(tenant).await?, now) else {
                return self.drop_old(tenant, now).await;
            };
            match self.move_rows(tenant, due).await {
                Err(error @ AgentLogError::Conflict { .. }) => last = Some(error),
                moved => return moved.map(Some),
            }
        }
        // There was one, or there would have been an answer.
        last.map_or(Ok(None), Err)
    }

    /// Removes the files that crashes have left. What another process is just writing counts as left: it is told of a conflict, and begins
    /// again.
    ///
    /// # Errors
    /// As [`tier`](Self::tier).
    pub async fn tidy(&self, tenant: &str) -> Result<TierReport, AgentLogError> {
        let now = self.runtime.now();
        let mut report = TierReport::default();
        for registered in self.store.segments(&LogFilter::of(Scope::of(tenant))).await? {
            match registered {
                Registered::Announced { name } => {
                    report.removed += u64::from(self.discard(tenant, &name).await?)
                }
                Registered::Condemned { name, since } => {
                    // Again: who was thought dead may have written it after all.
                    self.archive.remove(&name).await?;
                    if since.until(now) >= self.policy.forget_after {
                        self.store.apply(tenant, vec![TierChange::Forget { name }]).await?;
                    }
                }
                _ => {}
            }
        }
        Ok(report)
    }

    /// Condemns a segment and removes its file; says whether it was there to be condemned.
    pub(super) async fn discard(&self, tenant: &str, name: &Arc<str>) -> Result<bool, AgentLogError> {
        let condemn = TierChange::Condemn { name: name.clone(), at: self.runtime.now() };
        match self.store.apply(tenant, vec![condemn]).await {
            Ok(()) => {
                self.archive.remove(name).await?;
                Ok(true)
            }
            Err(AgentLogError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Moves the oldest rows of a day: file, look, and only then the one change that takes them out of the store.
    async fn move_rows(&self, tenant: &str, due: Due) -> Result<TierReport, AgentLogError> {
        let filter = LogFilter::of(Scope::of(tenant)).day(due.day);
        let mut rows = self.store.rows(&LogQuery::new(filter.clone()).oldest().limit(due.rows)).await?;
        let take = TierChange::Take { ids: rows.iter().map(|row| row.id).collect() };
        // Recorded again after they had been moved.
        let archived = self.archived(&filter, &rows).await?;
        let taken = rows.len() as u64;
        rows.retain(|row| !archived.contains(&row.id));
        let repeated = taken - rows.len() as u64;
        let Some((first, last)) = rows.first().zip(rows.last()).map(|(first, last)| (first.at, last.at))
        else {
            self.store.apply(tenant, vec![take]).await?;
            return Ok(TierReport { repeated, ..TierReport::default() });
        };
        let pack = pack(&rows)?;
        let segment = pack.segment(self.new_name(tenant, due.day), due.day, first, last);
        let count = TierChange::Count { table: LogTable::of(&rows, SUMMARY) };
        let report = TierReport {
            moved: segment.rows,
            bytes: segment.bytes,
            repeated,
            sealed: 1,
            ..TierReport::default()
        };
        self.write(tenant, pack, segment, vec![take, count]).await?;
        Ok(report)
    }

    /// A name never used before, which tells nothing of whose it is.
    pub(super) fn new_name(&self, tenant: &str, day: Day) -> Arc<str> {
        let digest = hex(tenant.as_bytes());
        let folder = digest.get(..16).unwrap_or(&digest);
        format!("agent-log/{folder}/{day}-{}.jsonl.gz", self.runtime.uuid().simple()).into()
    }

    /// Writes the file of a segment, reads it back, and seals it together with other changes. A conflict leaves nothing behind.
    pub(super) async fn write(
        &self,
        tenant: &str,
        pack: Pack,
        segment: Segment,
        mut changes: Vec<TierChange>,
    ) -> Result<(), AgentLogError> {
        let name = segment.name.clone();
        let announce = TierChange::Announce { name: name.clone(), day: segment.day };
        self.store.apply(tenant, vec![announce]).await?;
        let bytes = Bytes::from(pack.bytes);
        self.archive.put(&name, bytes.clone()).await?;
        if self.archive.get(&name).await? != bytes {
            let why = "what was written is not what is read back".into();
            return Err(AgentLogError::Damaged { name: name.to_string(), why });
        }
        changes.push(TierChange::Seal { segment });
        let sealed = self.store.apply(tenant, changes).await;
        if matches!(sealed, Err(AgentLogError::Conflict { .. })) && !self.discard(tenant, &name).await? {
            // Somebody else condemned it, perhaps before it was written.
            self.archive.remove(&name).await?;
        }
        sealed
    }

    /// Drops summaries and segments that are too old.
    async fn drop_old(&self, tenant: &str, now: Timestamp) -> Result<Option<TierReport>, AgentLogError> {
        let mut report = TierReport::default();
        let before = TierPolicy::first_day(now, self.policy.warm_age);
        let old = LogFilter::of(Scope::of(tenant)).until(before.start());
        let segments: Vec<Segment> = sealed(self.store.segments(&old).await?).collect();
        if segments.iter().any(|segment| segment.counted)
            || !self.store.summaries(&old, &[]).await?.0.is_empty()
        {
            self.store.apply(tenant, vec![TierChange::DropSummaries { before }]).await?;
            report.summaries_before = Some(before);
        }
        if let Some(age) = self.policy.cold_age {
            let until = TierPolicy::first_day(now, age).start();
            let old = LogFilter::of(Scope::of(tenant)).until(until);
            for segment in sealed(self.store.segments(&old).await?) {
                report.removed += u64::from(self.discard(tenant, &segment.name).await?);
            }
        }
        Ok((report != TierReport::default()).then_some(report))
    }
}
