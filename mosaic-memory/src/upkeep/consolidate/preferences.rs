//! Preferences: one value a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use mosaic_core::memory::{Filter, Memory, MemoryBody, MemoryKind, MemoryPage, Scope};
use mosaic_core::queue::JobError;

use super::handler::{Applied, Run};
use super::pair::{Verdict, is_open, order, settle};
use crate::upkeep::step::{go_on, stored};
use crate::write::normalise;

impl Run<'_> {
    /// Settles each key that has more than one value. Says how many keys were not as they should be.
    pub(super) async fn join_preferences(&mut self) -> Result<u64, JobError> {
        let mut changed = 0;
        for ((_, _), memories) in self.keys().await? {
            go_on(self.ctx)?;
            let mut standing: Vec<Arc<Memory>> = Vec::new();
            let mut all = Vec::new();
            'each: for second in memories {
                let mut first = 0;
                while let Some(before) = standing.get(first) {
                    match settle(&self.handler.options, before, &second, None) {
                        Verdict::Both => first += 1,
                        Verdict::Second(reason) => {
                            all.push(self.yielding(&second, before, reason));
                            continue 'each;
                        }
                        Verdict::First(reason) => {
                            all.push(self.yielding(before, &second, reason));
                            standing.remove(first);
                        }
                    }
                }
                standing.push(second);
            }
            if !all.is_empty() {
                changed += 1;
                // Overtaken, it is looked at again in the next pass.
                let (Applied::Done | Applied::Overtaken) = self.join(all).await?;
            }
        }
        Ok(changed)
    }

    /// The preferences of each key of each scope that has several, in the order in which they became so.
    async fn keys(&self) -> Result<BTreeMap<(Scope, String), Vec<Arc<Memory>>>, JobError> {
        let filter = Filter { kinds: vec![MemoryKind::Preference], ..Filter::default() };
        let mut page = MemoryPage { filter, after: None, limit: 500 };
        let mut keys: BTreeMap<(Scope, String), Vec<Arc<Memory>>> = BTreeMap::new();
        loop {
            go_on(self.ctx)?;
            let found = self.handler.store.list(&self.report.scope, page.clone()).await;
            let found = found.map_err(|error| stored(&error))?;
            let Some(last) = found.last() else { break };
            page.after = Some(last.id);
            for memory in found.into_iter().filter(|memory| is_open(memory)) {
                if let MemoryBody::Preference { key, .. } = &memory.body {
                    keys.entry((memory.scope.clone(), normalise(key))).or_default().push(memory);
                }
            }
        }
        keys.retain(|_, memories| memories.len() > 1);
        keys.values_mut().for_each(|memories| memories.sort_by(|a, b| order(a, b)));
        Ok(keys)
    }
}
