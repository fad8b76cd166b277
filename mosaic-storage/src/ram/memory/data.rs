//! The data that the handles share.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use mosaic_core::memory::{
    Candidates, Change, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage, Reach, Record,
    Scope, SearchQuery, Vector,
};

use crate::memory::Stored;
use crate::memory::part::Part;
use crate::memory::plan::{self, Effect, Plan};
use crate::memory::search::{Rows, Search, Vectors, Wanted};

/// A memory and its number in the index.
#[derive(Debug)]
struct Row {
    n: i64,
    stored: Arc<Stored>,
}

/// The user that a part is of; `None`: what the tenant has of its own.
type User = Option<Arc<str>>;

#[derive(Debug, Default)]
struct Tenant {
    memories: BTreeMap<MemoryId, Row>,
    blocks: BTreeMap<(Scope, Arc<str>), MemoryBlock>,
    parts: BTreeMap<User, Part>,
    next: i64,
}

/// All memories.
#[derive(Debug, Default)]
pub(in crate::ram) struct Tenants(BTreeMap<Arc<str>, Tenant>);

impl Tenants {
    fn of(&self, scope: &Scope) -> Option<&Tenant> {
        self.0.get(&scope.tenant)
    }

    pub(super) fn index_bytes(&self) -> usize {
        self.0.values().flat_map(|tenant| tenant.parts.values()).map(Part::bytes).sum()
    }

    pub(super) fn apply(&mut self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        let needs = plan::needs(&changes);
        let mut plan = Plan::default();
        if let Some(tenant) = self.of(scope) {
            let known = |id: &MemoryId| Some((*id, tenant.memories.get(id)?.stored.clone()));
            plan.memories = needs.memories.iter().filter_map(known).collect();
            let known = |key: &(Scope, Arc<str>)| Some((key.clone(), tenant.blocks.get(key)?.version));
            plan.blocks = needs.blocks.iter().filter_map(known).collect();
            let known = |model: &Arc<str>| Some((model.clone(), tenant.width(model)?));
            plan.widths = needs.models.iter().filter_map(known).collect();
        }
        plan.apply(scope, changes)?;
        if !plan.effects.is_empty() {
            self.0.entry(scope.tenant.clone()).or_default().carry_out(scope, plan.effects);
        }
        Ok(())
    }

    pub(super) fn search(&self, query: &SearchQuery) -> Result<Candidates, MemoryError> {
        let Some(tenant) = self.of(&query.scope) else { return Ok(Candidates::default()) };
        for vector in &query.vectors {
            if let Some(expected) = tenant.width(&vector.model) {
                plan::width(&vector.model, expected, vector.values.len())?;
            }
        }
        let parts = tenant.seen(&query.scope, query.reach);
        let mut search = Search::begin(&parts, query);
        let vectors = tenant.vectors(&search.wanted_vectors(&parts));
        search.choose(&parts, &vectors);
        let rows = tenant.rows(&search.wanted(&parts));
        Ok(search.finish(&parts, &rows))
    }

    pub(super) fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Vec<Option<Arc<Memory>>> {
        let get = |id| {
            let memory = &self.of(scope)?.memories.get(id)?.stored.memory;
            scope.contains(&memory.scope).then(|| memory.clone())
        };
        ids.iter().map(get).collect()
    }

    fn after(&self, scope: &Scope, after: Option<MemoryId>) -> impl Iterator<Item = &Arc<Stored>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self
            .of(scope)
            .into_iter()
            .flat_map(move |tenant| tenant.memories.range((from, Bound::Unbounded)));
        rows.map(|(_, row)| &row.stored).filter(|stored| scope.contains(&stored.memory.scope))
    }

    pub(super) fn list(&self, scope: &Scope, page: &MemoryPage) -> Vec<Arc<Memory>> {
        self.after(scope, page.after)
            .filter(|stored| page.filter.admits(&stored.memory))
            .take(page.limit as usize)
            .map(|stored| stored.memory.clone())
            .collect()
    }

    pub(super) fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Vec<Arc<Memory>> {
        self.after(scope, after)
            .filter(|stored| !stored.vectors.iter().any(|vector| *vector.model == *model))
            .take(limit as usize)
            .map(|stored| stored.memory.clone())
            .collect()
    }

    pub(super) fn blocks(&self, scope: &Scope, reach: Reach) -> Vec<MemoryBlock> {
        let all = self.of(scope).into_iter().flat_map(|tenant| tenant.blocks.values());
        all.filter(|block| scope.sees(reach, &block.scope)).cloned().collect()
    }

    pub(super) fn counts(&self, scope: &Scope) -> MemoryCounts {
        let mut counts =
            MemoryCounts { blocks: self.blocks(scope, Reach::Within).len() as u64, ..Default::default() };
        for stored in self.after(scope, None) {
            counts.memories += 1;
            counts.open += u64::from(stored.memory.closed_at.is_none());
            for vector in &stored.vectors {
                *counts.vectors.entry(vector.model.clone()).or_default() += 1;
            }
        }
        counts
    }

    pub(super) fn export(&self, scope: &Scope) -> Vec<Record> {
        let memory = |stored: &Arc<Stored>| Record::Memory {
            memory: Box::new(Memory::clone(&stored.memory)),
            vectors: stored.vectors.clone(),
        };
        let blocks = self.blocks(scope, Reach::Within);
        self.after(scope, None)
            .map(memory)
            .chain(blocks.into_iter().map(|block| Record::Block { block }))
            .collect()
    }

    pub(super) fn erase(&mut self, scope: &Scope) -> MemoryCounts {
        let counts = self.counts(scope);
        if let Some(tenant) = self.0.get_mut(&scope.tenant) {
            tenant.memories.retain(|_, row| !scope.contains(&row.stored.memory.scope));
            tenant.blocks.retain(|(of, _), _| !scope.contains(of));
            let users: Vec<User> = tenant.parts.keys().cloned().collect();
            for user in users.into_iter().filter(|user| scope.user.is_none() || scope.user == *user) {
                tenant.build(&user);
            }
            if tenant.memories.is_empty() && tenant.blocks.is_empty() {
                self.0.remove(&scope.tenant);
            }
        }
        counts
    }
}

impl Tenant {
    /// How long the vectors of a model are.
    fn width(&self, model: &str) -> Option<usize> {
        self.parts
            .values()
            .find_map(|part| part.space(model).filter(|space| !space.is_empty()).map(|space| space.width()))
    }

    /// The parts that a reader may see something of.
    fn seen(&self, scope: &Scope, reach: Reach) -> Vec<&Part> {
        let sees = |user: &User| {
            scope.user.is_none() || scope.user == *user || (reach != Reach::Within && user.is_none())
        };
        self.parts.iter().filter(|(user, _)| sees(user)).map(|(_, part)| part).collect()
    }

    fn rows(&self, wanted: &[Wanted]) -> Rows {
        let row = |wanted: &Wanted| Some((wanted.n, self.memories.get(&wanted.id)?.stored.memory.clone()));
        wanted.iter().filter_map(row).collect()
    }

    fn vectors(&self, wanted: &[Wanted]) -> Vectors {
        let row = |wanted: &Wanted| {
            Some((wanted.n, self.memories.get(&wanted.id)?.stored.vectors.as_slice().into()))
        };
        wanted.iter().filter_map(row).collect()
    }

    fn carry_out(&mut self, scope: &Scope, effects: Vec<Effect>) {
        let mut rebuilt = BTreeSet::new();
        for effect in effects {
            match effect {
                Effect::Add(stored) => {
                    self.next += 1;
                    self.memories.insert(stored.memory.id, Row { n: self.next, stored: stored.clone() });
                    self.index(stored.memory.id);
                }
                Effect::Close { id, at, by } => {
                    self.edit(id, |memory, _| (memory.closed_at, memory.superseded_by) = (Some(at), by));
                    self.index(id);
                }
                Effect::Touch { id, at } => self.edit(id, |memory, _| {
                    memory.accessed = memory.accessed.saturating_add(1);
                    memory.accessed_at = memory.accessed_at.max(Some(at));
                }),
                Effect::PutVectors { id, vectors } => {
                    self.edit(id, |_, old| plan::merge(old, &vectors));
                    self.index(id);
                }
                Effect::DropVectors { model } => {
                    let ids: Vec<MemoryId> = self.memories.keys().copied().collect();
                    for id in ids {
                        let of = self.memories.get(&id).is_some_and(|row| {
                            scope.contains(&row.stored.memory.scope)
                                && row.stored.vectors.iter().any(|vector| vector.model == model)
                        });
                        if of {
                            self.edit(id, |_, vectors| vectors.retain(|vector| vector.model != model));
                            self.index(id);
                        }
                    }
                }
                Effect::Remove { id } => {
                    rebuilt.extend(self.memories.remove(&id).map(|row| row.stored.memory.scope.user.clone()));
                }
                Effect::PutBlock(block) => {
                    self.blocks.insert((block.scope.clone(), block.name.clone()), block);
                }
                Effect::RemoveBlock { scope, name } => {
                    self.blocks.remove(&(scope, name));
                }
            }
        }
        for user in rebuilt {
            self.build(&user);
        }
    }

    fn edit(&mut self, id: MemoryId, edit: impl FnOnce(&mut Memory, &mut Vec<Vector>)) {
        if let Some(row) = self.memories.get_mut(&id) {
            let stored = Arc::make_mut(&mut row.stored);
            edit(Arc::make_mut(&mut stored.memory), &mut stored.vectors);
        }
    }

    /// Brings the index up to date with a memory.
    fn index(&mut self, id: MemoryId) {
        if let Some(Row { n, stored }) = self.memories.get(&id) {
            let part = self.parts.entry(stored.memory.scope.user.clone()).or_default();
            part.put(*n, 0, &stored.memory, &stored.vectors);
        }
    }

    /// Makes the index of a part anew: words are not taken out one by one.
    fn build(&mut self, user: &User) {
        self.parts.remove(user);
        let rows = self.memories.values().filter(|row| row.stored.memory.scope.user == *user);
        let mut rows: Vec<&Row> = rows.collect();
        rows.sort_by_key(|row| row.n);
        let mut part = Part::default();
        for Row { n, stored } in rows {
            part.put(*n, 0, &stored.memory, &stored.vectors);
        }
        if part.len() > 0 {
            self.parts.insert(user.clone(), part);
        }
    }
}
