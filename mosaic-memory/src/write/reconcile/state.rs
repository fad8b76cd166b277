//! What is there while drafts are gone through: what was there before, and what those before came to.

use std::collections::{BTreeMap, BTreeSet};

use mosaic_core::Timestamp;
use mosaic_core::memory::{
    Change, Kept, Memory, MemoryBody, MemoryId, MemoryKind, Scope, SourceRef, Vector, check, cosine,
};
use serde_json::json;

use super::{Draft, Existing};
use crate::write::{Action, Decision, Reason, normalise};

/// Where the text of a memory comes from.
#[derive(Debug, Clone)]
enum Origin {
    /// It was there.
    Stored(BTreeMap<usize, f64>),
    /// A draft says it; it can still be changed, for nobody has seen it yet.
    Draft(usize),
}

/// A memory that is believed.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) memory: Memory,
    /// Its text, or value, normalised.
    pub(super) words: String,
    origin: Origin,
}

impl Item {
    fn new(memory: Memory, origin: Origin) -> Self {
        let words = match &memory.body {
            MemoryBody::Preference { value, .. } => normalise(value),
            _ => normalise(&memory.text()),
        };
        Self { memory, words, origin }
    }

    pub(super) fn id(&self) -> MemoryId {
        self.memory.id
    }

    pub(super) fn from(&self) -> Timestamp {
        self.memory.valid_from
    }

    /// Whether it has not ended by then.
    pub(super) fn lasts(&self, at: Timestamp) -> bool {
        self.memory.valid_to.is_none_or(|to| at < to)
    }

    /// Whether it is so at a time.
    pub(super) fn covers(&self, at: Timestamp) -> bool {
        self.from() <= at && self.lasts(at)
    }

    pub(super) fn confidence(&self) -> f32 {
        match &self.memory.body {
            MemoryBody::Preference { confidence, .. } => *confidence,
            _ => 1.0,
        }
    }
}

/// What is to be done; of memories that are new, by their ids.
#[derive(Debug)]
enum Op {
    Add(MemoryId),
    Supersede {
        id: MemoryId,
        by: MemoryId,
        kept: Option<Kept>,
    },
    /// For another that is there, where there is one.
    Close {
        id: MemoryId,
        by: Option<MemoryId>,
        kept: Option<Kept>,
    },
}

/// What is there, and what is to be done.
pub(super) struct State<'a> {
    scope: &'a Scope,
    now: Timestamp,
    items: BTreeMap<MemoryId, Item>,
    vectors: Vec<Option<&'a Vector>>,
    ops: Vec<Op>,
    touched: BTreeSet<MemoryId>,
    new_id: &'a mut (dyn FnMut() -> MemoryId + Send),
}

pub(super) fn dropped(draft: &Draft, reason: Reason, memory: Option<MemoryId>) -> Decision {
    Decision { draft: draft.clone(), action: Action::Drop, reason, memory, closed: Vec::new() }
}

impl<'a> State<'a> {
    pub(super) fn new(
        scope: &'a Scope,
        now: Timestamp,
        existing: Vec<Existing>,
        vectors: Vec<Option<&'a Vector>>,
        new_id: &'a mut (dyn FnMut() -> MemoryId + Send),
    ) -> Self {
        let mut items = BTreeMap::<MemoryId, Item>::new();
        for Existing { memory, likeness } in existing {
            if memory.closed_at.is_some() || memory.scope != *scope {
                continue;
            }
            let item = || Item::new(Memory::clone(&memory), Origin::Stored(BTreeMap::new()));
            let item = items.entry(memory.id).or_insert_with(item);
            if let Origin::Stored(all) = &mut item.origin {
                all.extend(likeness);
            }
        }
        Self { scope, now, items, vectors, ops: Vec::new(), touched: BTreeSet::new(), new_id }
    }

    /// The memories of a kind, in a fixed order.
    pub(super) fn of(&self, kind: MemoryKind) -> Vec<&Item> {
        let mut items: Vec<&Item> =
            self.items.values().filter(|item| item.memory.body.kind() == kind).collect();
        // Ids that are made in one go are in no order that would be the same the next time: words come first.
        items.sort_by(|a, b| {
            let confidence = b.confidence().total_cmp(&a.confidence());
            confidence.then_with(|| a.words.cmp(&b.words)).then_with(|| a.id().cmp(&b.id()))
        });
        items
    }

    /// How alike a memory is to a draft.
    pub(super) fn likeness(&self, item: &Item, draft: usize) -> Option<f64> {
        match &item.origin {
            Origin::Stored(likeness) => likeness.get(&draft).copied(),
            Origin::Draft(other) => {
                let (one, other) = (*self.vectors.get(*other)?, *self.vectors.get(draft)?);
                let (one, other) = (one?, other?);
                (one.model == other.model).then(|| f64::from(cosine(&one.values, &other.values)))
            }
        }
    }

    /// Adds what a draft says.
    pub(super) fn add(
        &mut self,
        index: usize,
        draft: &Draft,
        from: Timestamp,
        to: Option<Timestamp>,
        reason: Reason,
    ) -> Decision {
        let id = self.insert(index, draft, from, to, Action::Add, &reason);
        self.ops.push(Op::Add(id));
        let mut closed = Vec::new();
        let (action, reason) = match self.replaced(draft, from, Some(id), &mut closed) {
            true => (Action::Supersede, Reason::Replaces),
            false => (Action::Add, reason),
        };
        self.explain(id, action, &reason);
        Decision { draft: draft.clone(), action, reason, memory: Some(id), closed }
    }

    /// Puts what a draft says in the place of others, which end when it begins.
    pub(super) fn supersede(
        &mut self,
        index: usize,
        draft: &Draft,
        old: &[MemoryId],
        (from, to): (Timestamp, Option<Timestamp>),
        reason: Reason,
    ) -> Decision {
        // What says more takes nothing back.
        let action = if reason == Reason::SaysMore { Action::Merge } else { Action::Supersede };
        let id = self.insert(index, draft, from, to, action, &reason);
        self.ops.push(Op::Add(id));
        let mut closed = Vec::new();
        for old in old {
            self.end(*old, from, Some(id), &mut closed);
        }
        self.replaced(draft, from, Some(id), &mut closed);
        Decision { draft: draft.clone(), action, reason, memory: Some(id), closed }
    }

    /// Says what is there as a draft says it: surer, earlier, or more.
    pub(super) fn merge(&mut self, index: usize, draft: &Draft, old: MemoryId, reason: Reason) -> Decision {
        let mut closed = Vec::new();
        let mut memory = Some(old);
        if let Some(item) = self.items.get(&old).cloned() {
            let at = draft.valid_from.unwrap_or(self.now).min(item.from());
            let mut merged = self.memory(draft, at, item.memory.valid_to);
            let there = &item.memory;
            merged.importance = merged.importance.max(there.importance);
            if let MemoryBody::Preference { confidence, .. } = &mut merged.body {
                *confidence = confidence.max(item.confidence());
            }
            merged.source = union(&there.source, &merged.source);
            merged.metadata.clone_from(&there.metadata);
            merged.place.clone_from(&there.place);
            // It is the same memory to whoever asks how often it was used, and this is once more.
            merged.accessed = there.accessed.saturating_add(1);
            merged.accessed_at = there.accessed_at.max(Some(self.now));
            if let Origin::Draft(_) = item.origin {
                merged.id = old;
                self.items.insert(old, Item::new(merged, Origin::Draft(index)));
            } else {
                let id = merged.id;
                self.items.remove(&old);
                self.items.insert(id, Item::new(merged, Origin::Draft(index)));
                self.ops.push(Op::Add(id));
                self.supersede_op(old, id, None);
                closed.push(old);
                memory = Some(id);
            }
        }
        if let Some(id) = memory {
            self.explain(id, Action::Merge, &reason);
        }
        self.replaced(draft, draft.valid_from.unwrap_or(self.now), memory, &mut closed);
        Decision { draft: draft.clone(), action: Action::Merge, reason, memory, closed }
    }

    /// Counts that what is there was said again.
    pub(super) fn strengthen(&mut self, draft: &Draft, id: MemoryId, reason: Reason) -> Decision {
        if let Some(item) = self.items.get_mut(&id) {
            match item.origin {
                Origin::Draft(_) => item.memory.source = union(&item.memory.source, &draft.source),
                Origin::Stored(_) => drop(self.touched.insert(id)),
            }
        }
        let mut closed = Vec::new();
        self.replaced(draft, draft.valid_from.unwrap_or(self.now), Some(id), &mut closed);
        Decision { draft: draft.clone(), action: Action::Strengthen, reason, memory: Some(id), closed }
    }

    /// Closes what a draft replaces in its extractor's words. Says whether there was any of it.
    fn replaced(
        &mut self,
        draft: &Draft,
        at: Timestamp,
        by: Option<MemoryId>,
        closed: &mut Vec<MemoryId>,
    ) -> bool {
        let before = closed.len();
        for old in &draft.replaces {
            let older = self.items.get(old).is_some_and(|item| item.from() <= at && item.lasts(at));
            if older && by != Some(*old) {
                self.end(*old, at, by, closed);
            }
        }
        closed.len() > before
    }

    /// Ends a memory. What has been so until then stays.
    pub(super) fn end(
        &mut self,
        old: MemoryId,
        at: Timestamp,
        by: Option<MemoryId>,
        closed: &mut Vec<MemoryId>,
    ) {
        let Some(item) = self.items.get_mut(&old) else { return };
        let from = item.from();
        match item.origin {
            // Nobody has seen it yet. Drafts come in the order of time, so it began before.
            Origin::Draft(_) => {
                if from < at {
                    item.memory.valid_to = Some(at);
                }
            }
            Origin::Stored(_) => {
                self.items.remove(&old);
                let kept = (from < at).then(|| Kept { id: (self.new_id)(), until: at });
                match by {
                    Some(by) => self.supersede_op(old, by, kept),
                    None => self.ops.push(Op::Close { id: old, by: None, kept }),
                }
                closed.push(old);
            }
        }
    }

    /// The first that a memory supersedes is superseded as it is added; a store adds a memory only once, so others yield to it.
    fn supersede_op(&mut self, id: MemoryId, by: MemoryId, kept: Option<Kept>) {
        let added = self.ops.iter_mut().find(|op| matches!(op, Op::Add(added) if *added == by));
        match added {
            Some(op) => *op = Op::Supersede { id, by, kept },
            None => self.ops.push(Op::Close { id, by: Some(by), kept }),
        }
    }

    fn insert(
        &mut self,
        index: usize,
        draft: &Draft,
        from: Timestamp,
        to: Option<Timestamp>,
        action: Action,
        reason: &Reason,
    ) -> MemoryId {
        let memory = self.memory(draft, from, to);
        let id = memory.id;
        self.items.insert(id, Item::new(memory, Origin::Draft(index)));
        self.explain(id, action, reason);
        id
    }

    fn memory(&mut self, draft: &Draft, from: Timestamp, to: Option<Timestamp>) -> Memory {
        let mut memory = Memory::new((self.new_id)(), self.scope.clone(), draft.memory_body(), self.now);
        (memory.valid_from, memory.valid_to) = (from, to);
        memory.importance = draft.importance;
        memory.source = union(&draft.source, &[]);
        memory
    }

    /// Keeps the reason with the memory.
    fn explain(&mut self, id: MemoryId, action: Action, reason: &Reason) {
        if let Some(item) = self.items.get_mut(&id) {
            let written = json!({"action": action.as_str(), "reason": reason.to_string()});
            item.memory.metadata.insert(crate::write::WRITTEN.to_owned(), written);
        }
    }

    /// All that is to be done.
    pub(super) fn changes(self) -> Vec<Change> {
        let new = |id: MemoryId| -> Option<(Memory, Vec<Vector>)> {
            let item = self.items.get(&id)?;
            let Origin::Draft(index) = item.origin else { return None };
            let vector = self.vectors.get(index).copied().flatten().cloned();
            Some((item.memory.clone(), vector.into_iter().collect()))
        };
        let mut changes: Vec<Change> = Vec::new();
        for op in &self.ops {
            changes.extend(match op {
                Op::Add(id) => new(*id).map(|(memory, vectors)| Change::add(memory, vectors)),
                Op::Supersede { id, by, kept } => {
                    new(*by).map(|(memory, vectors)| Change::supersede(*id, memory, vectors, *kept))
                }
                Op::Close { id, by, kept } => Some(match *by {
                    Some(to) => Change::Yield { id: *id, to, at: self.now, kept: *kept },
                    None => Change::Close { id: *id, at: self.now, kept: *kept },
                }),
            });
        }
        let ids: Vec<MemoryId> = self.touched.into_iter().filter(|id| self.items.contains_key(id)).collect();
        if !ids.is_empty() {
            changes.push(Change::Touch { ids, at: self.now });
        }
        changes
    }
}

/// Sources of both, each once, in the order of their entries; no more than a memory may have.
fn union(a: &[SourceRef], b: &[SourceRef]) -> Vec<SourceRef> {
    let mut all: Vec<_> = a.iter().chain(b).cloned().collect();
    all.sort_by(|a, b| (&a.session, a.seq).cmp(&(&b.session, b.seq)));
    all.dedup();
    all.truncate(check::MAX_SOURCES);
    all
}
