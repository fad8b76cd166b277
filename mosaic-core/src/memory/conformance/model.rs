//! A store in thirty lines, to compare with.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::memory::{Change, Filter, Memory, MemoryId, Reach, Scope};

/// What a store of memories must come to, without vectors, blocks and an index. For tests of random changes.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// All memories of all tenants.
    pub memories: BTreeMap<(Arc<str>, MemoryId), Memory>,
}

impl Model {
    /// Makes changes, all or none, and tells whether they were made.
    pub fn apply(&mut self, scope: &Scope, changes: &[Change]) -> bool {
        let mut next = self.clone();
        let made = crate::memory::check::changes(scope, changes).is_ok()
            && changes.iter().all(|change| next.make(scope, change).is_some());
        if made {
            *self = next;
        }
        made
    }

    fn make(&mut self, scope: &Scope, change: &Change) -> Option<()> {
        match change {
            Change::Add { memory, .. } => self.add(memory),
            Change::Close { id, at, kept } => self.close(scope, *id, *at, None, *kept),
            Change::Yield { id, to, at, kept } => {
                self.of(scope, *to).filter(|to| to.closed_at.is_none())?;
                self.close(scope, *id, *at, Some(*to), *kept)
            }
            Change::Supersede { id, by, kept, .. } => {
                self.add(by)?;
                self.close(scope, *id, by.recorded_at, Some(by.id), *kept)
            }
            Change::Remove { id } => {
                if self.of(scope, *id).is_some() {
                    self.memories.remove(&(scope.tenant.clone(), *id));
                }
                Some(())
            }
            _ => Some(()),
        }
    }

    fn add(&mut self, memory: &Memory) -> Option<()> {
        let key = (memory.scope.tenant.clone(), memory.id);
        if self.memories.contains_key(&key) {
            return None;
        }
        self.memories.insert(key, memory.clone());
        Some(())
    }

    fn of(&mut self, scope: &Scope, id: MemoryId) -> Option<&mut Memory> {
        self.memories.get_mut(&(scope.tenant.clone(), id)).filter(|memory| scope.contains(&memory.scope))
    }

    fn close(
        &mut self,
        scope: &Scope,
        id: MemoryId,
        at: crate::Timestamp,
        by: Option<MemoryId>,
        kept: Option<crate::memory::Kept>,
    ) -> Option<()> {
        let memory = self.of(scope, id)?;
        if memory.closed_at.is_some() {
            return None;
        }
        let mut rest = memory.clone();
        let at = at.max(memory.recorded_at);
        (memory.closed_at, memory.superseded_by) = (Some(at), by);
        let Some(kept) = kept else { return Some(()) };
        crate::memory::check::kept(&rest, &kept).ok()?;
        (rest.id, rest.recorded_at, rest.valid_to) = (kept.id, at, Some(kept.until));
        self.add(&rest)
    }

    /// What a reader sees, in the order of the ids.
    #[must_use]
    pub fn seen(&self, scope: &Scope, reach: Reach, filter: &Filter) -> Vec<&Memory> {
        self.memories
            .values()
            .filter(|memory| scope.sees(reach, &memory.scope) && filter.admits(memory))
            .collect()
    }

    /// Removes all in a scope.
    pub fn erase(&mut self, scope: &Scope) {
        self.memories.retain(|_, memory| !scope.contains(&memory.scope));
    }
}
