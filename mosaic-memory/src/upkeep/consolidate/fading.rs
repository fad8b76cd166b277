//! What has faded is closed; what was closed long ago is removed, if the host wants it.

use std::time::Duration;

use futures_util::TryStreamExt;
use mosaic_core::memory::{Change, Filter, MemoryId, MemoryPage, Record};
use mosaic_core::queue::JobError;

use super::handler::{Applied, Run};
use super::rules::ConsolidationRules;
use crate::upkeep::step::{go_on, stored};

/// So many are looked at, and closed or removed, at once.
const PAGE: u32 = 256;

impl Run<'_> {
    /// Closes what is weaker than the threshold.
    pub(super) async fn forget(&mut self, rules: &ConsolidationRules) -> Result<(), JobError> {
        let Some(least) = rules.forget_below.filter(|_| !rules.fading.is_empty()) else { return Ok(()) };
        let filter = Filter { kinds: rules.fading.clone(), ..Filter::default() };
        let mut page = MemoryPage { filter, after: None, limit: PAGE };
        loop {
            go_on(self.ctx)?;
            let found = self.handler.store.list(&self.report.scope, page.clone()).await;
            let found = found.map_err(|error| stored(&error))?;
            let Some(last) = found.last() else { return Ok(()) };
            let faded = found.iter().filter(|memory| rules.decay.strength(memory, self.now) < least);
            let at = self.ctx.runtime.now();
            let close = |id: MemoryId| Change::Close { id, at, kept: None };
            let changes: Vec<Change> = faded.map(|memory| close(memory.id)).collect();
            let count = changes.len() as u64;
            match self.apply(changes).await? {
                Applied::Done => {
                    self.report.forgotten += count;
                    page.after = Some(last.id);
                }
                // The same page again, as it is now.
                Applied::Overtaken => {}
            }
        }
    }

    /// Removes what was closed so long ago.
    pub(super) async fn remove(&mut self, rules: &ConsolidationRules) -> Result<(), JobError> {
        let Some(after) = rules.remove_after_ms.map(Duration::from_millis) else { return Ok(()) };
        let records = self.handler.store.export(&self.report.scope).await;
        let mut records = records.map_err(|error| stored(&error))?;
        let mut changes = Vec::new();
        while let Some(record) = records.try_next().await.map_err(|error| stored(&error))? {
            go_on(self.ctx)?;
            let Record::Memory { memory, .. } = record else { continue };
            if memory.closed_at.is_some_and(|closed| closed.after(after) <= self.now) {
                changes.push(Change::Remove { id: memory.id });
            }
            if changes.len() >= PAGE as usize {
                self.remove_some(std::mem::take(&mut changes)).await?;
            }
        }
        self.remove_some(changes).await
    }

    /// Removing what is gone does nothing, so nobody can be in the way.
    async fn remove_some(&mut self, changes: Vec<Change>) -> Result<(), JobError> {
        let count = changes.len() as u64;
        if self.apply(changes).await? == Applied::Done {
            self.report.removed += count;
        }
        Ok(())
    }
}
