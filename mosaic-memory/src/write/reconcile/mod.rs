//! Reconciliation: what is new is compared with what is there. Pure, and the same for the same input.
//!
//! ```text
//! drafts, in the order in which they became so ──> each against what is there, and against the drafts before it
//!      │
//!      ├─ a preference: those of its key
//!      │     the same value at that time ────────> strengthen; merge if it is surer now, or was so earlier
//!      │     another value at that time ─────────> supersede: the old one ends when the new one begins, and stays so for before;
//!      │                                           drop, if the old one is much surer
//!      │     no value at that time ──────────────> add; until the next one begins, if one does
//!      └─ an insight: those near it
//!            the same text ──────────────────────> strengthen, or merge, likewise
//!            alike, its words among the other's ─> strengthen
//!            alike, the other's among its words ─> merge
//!            alike, one denies the other ────────> supersede, likewise
//!            almost the same, in other words ────> supersede, likewise
//!            else ───────────────────────────────> add
//! ```
//!
//! Nothing is removed. A memory that is superseded is closed, so one can still ask what was believed; and for the time until the
//! new one begins a copy of it is kept, so one can ask what was so. Where times and words cannot tell which of two is right, both
//! stay.
//!
//! Writing the same drafts again changes only how often memories were used, and the order in which they are given means nothing.
//! Times do: a session of last March that is read today does not overrule what was said in May.

mod insight;
mod preference;
mod same;
mod state;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use mosaic_core::Timestamp;
use mosaic_core::memory::{Change, Memory, MemoryId, Scope, Vector, check};

use super::{Action, Decision, Draft, DraftBody, Reason, normalise};
use crate::text::Words;
use same::{Relation, Said};
use state::State;

/// When two memories are the same, and when one gives way.
///
/// Why words are compared and not vectors alone: by all-MiniLM-L6-v2, of sixteen pairs that we made up,
///
/// | pair | cosine |
/// | --- | --- |
/// | "likes tea", "is fond of tea" | 0.949 |
/// | "Flight 12 from Oslo to Rome goes at noon", "Flight 14 ..." | 0.932 |
/// | "works at Acme", "is employed by Acme" | 0.919 |
/// | "likes tea", "does not like tea" | 0.918 |
/// | "The deadline of the project is on Friday", "... on Monday" | 0.916 |
/// | "has a dog called Rex", "has a cat called Rex" | 0.911 |
/// | "likes tea", "likes green tea" | 0.902 |
/// | "lives in Oslo", "lives in Bergen" | 0.814 |
/// | "works at Acme", "has retired" | 0.653 |
///
/// So what is reworded and what is another fact cannot be told apart by closeness; where words do not tell either, both stay, and an
/// extractor that understands says what [a draft replaces](Draft::replaces).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReconcileOptions {
    /// From which cosine on two insights are about the same, so that their words are compared. 0.8. Embedders differ: look at
    /// pairs of your own before you change it.
    pub alike: f64,
    /// From which cosine on an insight in other words takes the place of the one that is there. 0.95. More than 1: never.
    pub same: f64,
    /// Drafts of preferences that are less sure are dropped. 0.3.
    pub least_confidence: f32,
    /// A preference that is by more than this less sure than the one that is there does not change it. 0.4.
    pub doubt: f32,
}

impl Default for ReconcileOptions {
    fn default() -> Self {
        Self { alike: 0.8, same: 0.95, least_confidence: 0.3, doubt: 0.4 }
    }
}

/// A draft, and its text as a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The draft.
    pub draft: Draft,
    /// The vector of [`Draft::memory_body`]'s text.
    pub vector: Option<Vector>,
}

/// A memory that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Existing {
    /// The memory. Closed ones, and those of other scopes, are passed over.
    pub memory: Arc<Memory>,
    /// How alike it is to drafts, by their place in the list: the cosine. Needed of insights only.
    pub likeness: BTreeMap<usize, f64>,
}

/// What is to be done, and why.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reconciled {
    /// To be applied together.
    pub changes: Vec<Change>,
    /// One a draft, in the order in which the drafts were given.
    pub decisions: Vec<Decision>,
}

/// Compares drafts with what is there, and says what is to be done. What is there must hold all preferences of the scope with a
/// key of the drafts, and the insights near to them.
pub fn reconcile(
    options: &ReconcileOptions,
    scope: &Scope,
    now: Timestamp,
    incoming: Vec<Incoming>,
    existing: Vec<Existing>,
    new_id: &mut (dyn FnMut() -> MemoryId + Send),
) -> Reconciled {
    let mut order: Vec<(Timestamp, usize, &Incoming)> = (0..)
        .zip(&incoming)
        .map(|(index, incoming)| (incoming.draft.valid_from.unwrap_or(now), index, incoming))
        .collect();
    order.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(&a.2.draft, &b.2.draft)));
    let vectors: Vec<Option<&Vector>> = incoming.iter().map(|incoming| incoming.vector.as_ref()).collect();
    let mut state = State::new(scope, now, existing, vectors, new_id);
    let mut decided: BTreeMap<usize, Decision> = BTreeMap::new();
    let mut before: Option<(Timestamp, &Draft)> = None;
    for (at, index, incoming) in order {
        let draft = &incoming.draft;
        let refused = refuse(options, draft);
        let usable = refused.is_none();
        let together = before.filter(|(when, _)| *when == at).map(|(_, other)| other);
        let mut decision = match (refused, together) {
            (Some(reason), _) => state::dropped(draft, reason, None),
            // Of what was said at one moment the surest counts, and comes first.
            (None, Some(other)) if other_value(other, draft) => {
                state::dropped(draft, Reason::SaidAtOnce, None)
            }
            _ => match &draft.body {
                DraftBody::Preference { .. } => preference::decide(options, &mut state, index, draft, at),
                DraftBody::Insight { .. } => insight::decide(options, &mut state, index, draft, at),
            },
        };
        if decision.action == Action::Strengthen && together.is_some_and(|other| says_the_same(other, draft))
        {
            (decision.action, decision.reason) = (Action::Drop, Reason::SameAsAnother);
        }
        // What was dropped for its value is not what the next one is held against.
        if usable && decision.reason != Reason::SaidAtOnce {
            before = Some((at, draft));
        }
        decided.insert(index, decision);
    }
    let changes = state.changes();
    Reconciled { changes, decisions: decided.into_values().collect() }
}

/// A total order of drafts by all that they say, so that the order in which they are given means nothing. Of one key the surer
/// comes first.
pub(crate) fn compare(a: &Draft, b: &Draft) -> Ordering {
    let sure = |draft: &Draft| match &draft.body {
        DraftBody::Preference { confidence, .. } => *confidence,
        DraftBody::Insight { .. } => 0.0,
    };
    let words = |draft: &Draft| match &draft.body {
        DraftBody::Preference { key, value, .. } => (normalise(key), normalise(value), value.clone()),
        DraftBody::Insight { text } => (String::new(), normalise(text), text.clone()),
    };
    // What says most first, so that what it holds is found in it.
    let long = |words: &(String, String, String)| words.1.chars().count();
    let sources = |draft: &Draft| -> Vec<_> {
        draft.source.iter().map(|source| (source.session.clone(), source.seq)).collect()
    };
    let (a_words, b_words) = (words(a), words(b));
    (a.kind().cmp(&b.kind()))
        .then_with(|| a_words.0.cmp(&b_words.0))
        .then_with(|| sure(b).total_cmp(&sure(a)))
        .then_with(|| long(&b_words).cmp(&long(&a_words)))
        .then_with(|| a_words.cmp(&b_words))
        .then_with(|| b.importance.total_cmp(&a.importance))
        .then_with(|| sources(a).cmp(&sources(b)))
        .then_with(|| a.replaces.cmp(&b.replaces))
}

/// Whether one of two sentences denies the other.
pub(crate) fn opposed(a: &str, b: &str) -> bool {
    let words = Words::english();
    Said::read(&words, a).beside(&Said::read(&words, b)) == Relation::Opposite
}

fn says_the_same(a: &Draft, b: &Draft) -> bool {
    match (&a.body, &b.body) {
        (DraftBody::Insight { text: a }, DraftBody::Insight { text: b }) => normalise(a) == normalise(b),
        (
            DraftBody::Preference { key: a, value: a_value, .. },
            DraftBody::Preference { key: b, value: b_value, .. },
        ) => normalise(a) == normalise(b) && normalise(a_value) == normalise(b_value),
        _ => false,
    }
}

/// Whether two preferences have one key and two values.
fn other_value(a: &Draft, b: &Draft) -> bool {
    match (&a.body, &b.body) {
        (DraftBody::Preference { key: a_key, .. }, DraftBody::Preference { key: b_key, .. }) => {
            normalise(a_key) == normalise(b_key) && !says_the_same(a, b)
        }
        _ => false,
    }
}

/// Why a draft cannot become a memory, whatever is there.
fn refuse(options: &ReconcileOptions, draft: &Draft) -> Option<Reason> {
    let empty = |what: &str, text: &str| {
        normalise(text).is_empty().then(|| Reason::Invalid { why: format!("its {what} says nothing") })
    };
    let found = match &draft.body {
        DraftBody::Insight { text } => empty("text", text),
        DraftBody::Preference { key, value, confidence } => {
            let unsure = *confidence < options.least_confidence;
            empty("key", key).or_else(|| empty("value", value)).or_else(|| unsure.then_some(Reason::Unsure))
        }
    };
    found.or_else(|| {
        // The store's own rules, so that one bad draft does not make it refuse all others.
        let id = MemoryId(Default::default());
        let at = draft.valid_from.unwrap_or_default();
        let mut memory = Memory::new(id, Scope::default(), draft.memory_body(), at);
        memory.importance = draft.importance;
        memory.source.clone_from(&draft.source);
        let refused = check::memory(&memory).err()?;
        Some(Reason::Invalid { why: refused.to_string() })
    })
}
