//! An insight beside those near it.

use mosaic_core::Timestamp;
use mosaic_core::memory::MemoryKind;

use super::preference::raises;
use super::same::{Relation, Said};
use super::state::{Item, State, dropped};
use super::{Draft, DraftBody, ReconcileOptions};
use crate::text::Words;
use crate::write::{Decision, Reason, normalise};

pub(super) fn decide(
    options: &ReconcileOptions,
    state: &mut State<'_>,
    index: usize,
    draft: &Draft,
    at: Timestamp,
) -> Decision {
    let DraftBody::Insight { text } = &draft.body else {
        return dropped(draft, Reason::Invalid { why: "it is no insight".into() }, None);
    };
    let words = normalise(text);
    // What has ended by then is the past, and says nothing against being so again.
    let lasting: Vec<&Item> =
        state.of(MemoryKind::Insight).into_iter().filter(|item| item.lasts(at)).collect();
    let exact = lasting.iter().filter(|item| item.words == words);
    if let Some(exact) = exact.min_by_key(|item| item.from()) {
        let id = exact.id();
        return if exact.from() > at {
            state.merge(index, draft, id, Reason::EarlierToo)
        } else if raises(draft, exact) {
            state.merge(index, draft, id, Reason::MoreSure)
        } else {
            state.strengthen(draft, id, Reason::SaidAgain)
        };
    }
    let language = Words::english();
    let said = Said::read(&language, text);
    let mut near: Vec<(f64, &Item, Relation)> = lasting
        .iter()
        .filter(|item| !draft.replaces.contains(&item.id()))
        .filter_map(|item| {
            let likeness = state.likeness(item, index).filter(|likeness| *likeness >= options.alike)?;
            let relation = said.beside(&Said::read(&language, &item.words));
            Some((likeness, *item, relation))
        })
        .collect();
    // Stable: those that are equally alike stay in the order of their words.
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let first = |relation: Relation| near.iter().find(|(.., found)| *found == relation);
    // What holds it comes before what contradicts it: that was weighed when the former was written.
    if let Some((_, item, _)) = first(Relation::NothingNew) {
        let id = item.id();
        return state.strengthen(draft, id, Reason::NothingNew);
    }
    if let Some((_, item, _)) = first(Relation::SaysMore) {
        let (id, from, to) = (item.id(), item.from(), item.memory.valid_to);
        if from >= at {
            return state.merge(index, draft, id, Reason::SaysMore);
        }
        // The shorter one stays for the time before: nobody said the rest of it then, and what the shorter one held is still held.
        return state.supersede(index, draft, &[id], (at, to), Reason::SaysMore);
    }
    let opposite = first(Relation::Opposite).map(|(_, item, _)| (*item, Reason::Opposite));
    let reworded = near
        .iter()
        .find(|(likeness, _, relation)| *relation == Relation::Reworded && *likeness >= options.same);
    let reworded = reworded.map(|(_, item, _)| (*item, Reason::Reworded));
    let Some((item, reason)) = opposite.or(reworded) else {
        return state.add(index, draft, at, None, Reason::New);
    };
    let (id, from, to) = (item.id(), item.from(), item.memory.valid_to);
    match from.cmp(&at) {
        std::cmp::Ordering::Less => state.supersede(index, draft, &[id], (at, to), reason),
        std::cmp::Ordering::Equal => dropped(draft, Reason::SaidAtOnce, Some(id)),
        std::cmp::Ordering::Greater => state.add(index, draft, at, Some(from), Reason::Past),
    }
}
