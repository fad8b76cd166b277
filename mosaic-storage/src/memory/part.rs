//! The index of a part: what one user of a tenant (or the tenant itself) has, as columns.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use mosaic_core::Timestamp;
use mosaic_core::memory::{Filter, Memory, MemoryId, MemoryKind, Reach, Scope, Vector};
use serde_json::Value;

use super::bm25::NONE;
use super::lexical::Lexical;
use super::push_tight;
use crate::vectors::{Bits, Space};

/// A number in place of a name that is not there.
const NOBODY: u32 = u32::MAX;

/// Names as numbers.
#[derive(Debug, Default)]
struct Names(HashMap<Arc<str>, u32>);

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(NOBODY);
        match self.0.get(name) {
            Some(number) => *number,
            None => *self.0.entry(name.into()).or_insert(next),
        }
    }

    fn optional(&mut self, name: Option<&Arc<str>>) -> u32 {
        name.map_or(NOBODY, |name| self.number(name))
    }

    fn bytes(&self) -> usize {
        self.0.capacity() * (size_of::<(Arc<str>, u32)>() + 1)
            + self.0.keys().map(|name| name.len() + 16).sum::<usize>()
    }
}

/// What is known of a memory without its row.
#[derive(Debug)]
pub(crate) struct Doc {
    /// The store's number of it.
    pub(crate) n: i64,
    /// When the store changed it last, as the store counts.
    pub(crate) changed: i64,
    pub(crate) id: MemoryId,
    agent: u32,
    session: u32,
    kind: MemoryKind,
    valid_from: u64,
    valid_to: u64,
    recorded_at: u64,
    closed_at: u64,
    told_at: u64,
    /// Digests of names and values. Two may meet; whoever has the row looks again.
    tags: Box<[u64]>,
}

/// The index of a part.
#[derive(Debug, Default)]
pub(crate) struct Part {
    docs: Vec<Doc>,
    by_n: HashMap<i64, u32>,
    lexical: Lexical,
    spaces: BTreeMap<Arc<str>, Space>,
    /// Those that are believed.
    open: Bits,
    links: Vec<(u32, u32)>,
    /// The conversations in order.
    order: BTreeSet<(u32, u64, u32)>,
    names: Names,
    conversations: HashMap<(u32, u32, Arc<str>), u32>,
}

fn end(at: Option<Timestamp>) -> u64 {
    at.map_or(u64::MAX, |at| at.0)
}

impl Part {
    /// Takes a memory in as it is now; one that is there already may have been closed, and may have got or lost vectors.
    pub(crate) fn put(&mut self, n: i64, changed: i64, memory: &Memory, vectors: &[Vector]) {
        let slot = match self.by_n.get(&n) {
            Some(slot) => *slot,
            None => self.add(n, memory),
        };
        if let Some(doc) = self.docs.get_mut(slot as usize) {
            doc.changed = changed;
            doc.closed_at = end(memory.closed_at);
        }
        self.open.set(slot, memory.closed_at.is_none());
        for (model, space) in &mut self.spaces {
            if space.present().get(slot) && !vectors.iter().any(|vector| vector.model == *model) {
                space.remove(slot);
            }
        }
        for vector in vectors {
            // A model without vectors may come back with others.
            let fits =
                self.spaces.get_mut(&vector.model).is_some_and(|space| space.put(slot, &vector.values));
            if !fits && self.spaces.get(&vector.model).is_none_or(Space::is_empty) {
                let mut space = Space::new(vector.values.len());
                space.put(slot, &vector.values);
                self.spaces.insert(vector.model.clone(), space);
            }
        }
    }

    fn add(&mut self, n: i64, memory: &Memory) -> u32 {
        let slot = u32::try_from(self.docs.len()).unwrap_or(NOBODY);
        let (agent, session) = (
            self.names.optional(memory.scope.agent.as_ref()),
            self.names.optional(memory.scope.session.as_ref()),
        );
        let tags = memory.metadata.iter().map(|(name, value)| tag(name, value)).collect();
        let doc = Doc {
            n,
            changed: 0,
            id: memory.id,
            agent,
            session,
            kind: memory.body.kind(),
            valid_from: memory.valid_from.0,
            valid_to: end(memory.valid_to),
            recorded_at: memory.recorded_at.0,
            closed_at: end(memory.closed_at),
            told_at: memory.told_at().0,
            tags,
        };
        push_tight(&mut self.docs, doc);
        self.by_n.insert(n, slot);
        self.lexical.add(slot, &memory.document());
        push_tight(&mut self.links, (NONE, NONE));
        if let Some(place) = &memory.place {
            let next = u32::try_from(self.conversations.len()).unwrap_or(NOBODY);
            let key = (agent, session, place.conversation.clone());
            let conversation = *self.conversations.entry(key).or_insert(next);
            self.link(conversation, place.position, slot);
        }
        slot
    }

    /// Puts a doc between its neighbours.
    fn link(&mut self, conversation: u32, position: u64, slot: u32) {
        let at = (conversation, position, slot);
        let before = self.order.range((conversation, 0, 0)..at).next_back().map_or(NONE, |key| key.2);
        let behind = (Bound::Excluded(at), Bound::Included((conversation, u64::MAX, u32::MAX)));
        let after = self.order.range(behind).next().map_or(NONE, |key| key.2);
        self.order.insert(at);
        if let Some(links) = self.links.get_mut(slot as usize) {
            *links = (before, after);
        }
        if let Some(links) = self.links.get_mut(before as usize) {
            links.1 = slot;
        }
        if let Some(links) = self.links.get_mut(after as usize) {
            links.0 = slot;
        }
    }

    pub(crate) fn doc(&self, slot: u32) -> Option<&Doc> {
        self.docs.get(slot as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.docs.len()
    }

    pub(crate) fn lexical(&self) -> &Lexical {
        &self.lexical
    }

    pub(crate) fn links(&self) -> &[(u32, u32)] {
        &self.links
    }

    pub(crate) fn space(&self, model: &str) -> Option<&Space> {
        self.spaces.get(model)
    }

    /// Lets the graphs of those models grow that have at least `from` vectors, by at most `most`. Whether there is more to do.
    pub(crate) fn grow(&self, from: usize, most: usize) -> bool {
        // One model after the other.
        self.spaces.values().any(|space| space.grow(from, most))
    }

    /// Whether [`grow`](Self::grow) has anything to do.
    pub(crate) fn grows(&self, from: usize) -> bool {
        self.spaces.values().any(|space| space.grows(from))
    }

    /// Who may be found by a reader of a scope.
    pub(crate) fn admitted(&self, scope: &Scope, reach: Reach, filter: &Filter) -> Bits {
        let mut admitted = match filter.as_of.recorded {
            None => self.open.clone(),
            Some(at) => {
                let mut then = Bits::default();
                for (slot, doc) in (0_u32..).zip(&self.docs) {
                    then.set(slot, doc.recorded_at <= at.0 && at.0 < doc.closed_at);
                }
                then
            }
        };
        let (Some(agent), Some(session)) =
            (self.wanted(scope.agent.as_ref(), reach), self.wanted(scope.session.as_ref(), reach))
        else {
            return Bits::default();
        };
        let any_of =
            |(name, values): (&String, &Vec<Value>)| values.iter().map(|value| tag(name, value)).collect();
        let tags: Vec<Vec<u64>> = filter.metadata.iter().map(any_of).collect();
        let plain = agent.is_none()
            && session.is_none()
            && tags.is_empty()
            && filter.kinds.is_empty()
            && (filter.as_of.valid, filter.since, filter.before) == (None, None, None);
        if !plain {
            let is =
                |wanted: &Option<Vec<u32>>, found| wanted.as_ref().is_none_or(|names| names.contains(&found));
            admitted.retain(|slot| {
                self.doc(slot).is_some_and(|doc| {
                    is(&agent, doc.agent)
                        && is(&session, doc.session)
                        && (filter.kinds.is_empty() || filter.kinds.contains(&doc.kind))
                        && filter.as_of.valid.is_none_or(|at| doc.valid_from <= at.0 && at.0 < doc.valid_to)
                        && filter.since.is_none_or(|since| since.0 <= doc.told_at)
                        && filter.before.is_none_or(|before| doc.told_at < before.0)
                        && tags.iter().all(|any| any.iter().any(|tag| doc.tags.contains(tag)))
                })
            });
        }
        admitted
    }

    /// The numbers of the names that a reader sees; `Some(None)` for all, `None` where none can match.
    #[allow(clippy::option_option)]
    fn wanted(&self, name: Option<&Arc<str>>, reach: Reach) -> Option<Option<Vec<u32>>> {
        let Some(name) = name else { return Some(None) };
        let mut numbers: Vec<u32> = self.names.0.get(name).copied().into_iter().collect();
        if reach != Reach::Within {
            numbers.push(NOBODY);
        }
        (!numbers.is_empty()).then_some(Some(numbers))
    }

    /// About how much of the memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.docs.capacity() * size_of::<Doc>()
            + self.docs.iter().map(|doc| size_of_val(&*doc.tags)).sum::<usize>()
            + self.by_n.capacity() * (size_of::<(i64, u32)>() + 1)
            + self.lexical.bytes()
            + self.spaces.values().map(Space::bytes).sum::<usize>()
            + self.open.bytes()
            + self.links.capacity() * size_of::<(u32, u32)>()
            + self.order.len() * (size_of::<(u32, u64, u32)>() + 8)
            + self.names.bytes()
            + self.conversations.capacity() * (size_of::<((u32, u32, Arc<str>), u32)>() + 1)
    }
}

/// A name and a value as one number.
fn tag(name: &str, value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, value.to_string()).hash(&mut hasher);
    hasher.finish()
}
