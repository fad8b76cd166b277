//! A preference beside the others of its key.

use mosaic_core::Timestamp;
use mosaic_core::memory::{MemoryBody, MemoryId, MemoryKind};

use super::state::{Item, State, dropped};
use super::{Draft, DraftBody, ReconcileOptions};
use crate::write::{Decision, Reason, normalise};

/// Two numbers that went through a database may differ by so much and be the same.
const EPSILON: f32 = 1e-6;

/// Whether a draft says more of how sure or how important something is.
pub(super) fn raises(draft: &Draft, item: &Item) -> bool {
    let surer = match &draft.body {
        DraftBody::Preference { confidence, .. } => *confidence > item.confidence() + EPSILON,
        DraftBody::Insight { .. } => false,
    };
    surer || draft.importance > item.memory.importance + EPSILON
}

pub(super) fn decide(
    options: &ReconcileOptions,
    state: &mut State<'_>,
    index: usize,
    draft: &Draft,
    at: Timestamp,
) -> Decision {
    let DraftBody::Preference { key, value, confidence } = &draft.body else {
        return dropped(draft, Reason::Invalid { why: "it is no preference".into() }, None);
    };
    let (key, value) = (normalise(key), normalise(value));
    let of_key = |item: &&Item| match &item.memory.body {
        MemoryBody::Preference { key: other, .. } => normalise(other) == key,
        _ => false,
    };
    let items: Vec<Item> = state.of(MemoryKind::Preference).into_iter().filter(of_key).cloned().collect();
    let covering = || items.iter().filter(|item| item.covers(at));
    if let Some(same) = covering().find(|item| item.words == value) {
        // Two writers who did not see each other may have left several; now there is one.
        let others: Vec<MemoryId> = covering()
            .filter(|item| item.id() != same.id() && item.from() < at)
            .filter(|item| item.words == value || item.confidence() <= confidence + options.doubt)
            .map(Item::id)
            .collect();
        let mut decision = match raises(draft, same) {
            true => state.merge(index, draft, same.id(), Reason::MoreSure),
            false => state.strengthen(draft, same.id(), Reason::SaidAgain),
        };
        for other in others {
            state.end(other, at, None, &mut decision.closed);
        }
        return decision;
    }
    if let Some(surer) = covering().find(|item| item.confidence() > confidence + options.doubt) {
        return dropped(draft, Reason::LessSure, Some(surer.id()));
    }
    let first_at = |item: &&Item| item.from() == at && item.confidence() >= *confidence - EPSILON;
    if let Some(first) = covering().find(first_at) {
        return dropped(draft, Reason::SaidAtOnce, Some(first.id()));
    }
    let next = items.iter().filter(|item| item.from() > at).min_by_key(|item| (item.from(), item.id()));
    let old: Vec<MemoryId> = covering().map(Item::id).collect();
    let ends = covering().filter_map(|item| item.memory.valid_to);
    let to = ends.chain(next.map(Item::from)).min();
    if !old.is_empty() {
        return state.supersede(index, draft, &old, (at, to), Reason::OtherValue);
    }
    match next {
        Some(next) if next.words == value => state.merge(index, draft, next.id(), Reason::EarlierToo),
        Some(_) => state.add(index, draft, at, to, Reason::Past),
        None => state.add(index, draft, at, None, Reason::New),
    }
}
