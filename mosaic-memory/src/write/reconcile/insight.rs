//! An insight beside those near it.

use mosaic_core::Timestamp;
use mosaic_core::memory::{MemoryId, MemoryKind};

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
    let language = Words::english();
    let said = Said::read(&language, text);
    let near = |item: &&Item| {
        let likeness = state.likeness(item, index).filter(|likeness| *likeness >= options.alike)?;
        let relation = said.beside(&Said::read(&language, &item.words));
        let counts = relation != Relation::Reworded || likeness >= options.same;
        counts.then_some((likeness, relation))
    };
    // What has ended by then is the past, and says nothing against being so again.
    let lasting = state.of(MemoryKind::Insight).into_iter().filter(|item| item.lasts(at));
    let (now, later): (Vec<&Item>, Vec<&Item>) = lasting.partition(|item| item.from() <= at);
    let [now, later] = [now, later].map(|items| {
        let found = items.into_iter().map(|item| Near {
            id: item.id(),
            from: item.from(),
            to: item.memory.valid_to,
            exact: item.words == words,
            raises: raises(draft, item),
            relation: (!draft.replaces.contains(&item.id())).then(|| near(&item)).flatten(),
        });
        let mut found: Vec<Near> = found.collect();
        // Stable: those that are equally alike stay in the order of their words.
        found.sort_by(|a, b| b.likeness().total_cmp(&a.likeness()));
        found
    });

    // First what is so at that time ...
    if let Some(exact) = now.iter().find(|near| near.exact) {
        return match exact.raises {
            true => state.merge(index, draft, exact.id, Reason::MoreSure),
            false => state.strengthen(draft, exact.id, Reason::SaidAgain),
        };
    }
    if let Some(more) = now.iter().find(|near| near.is(Relation::NothingNew)) {
        return state.strengthen(draft, more.id, Reason::NothingNew);
    }
    let again = later.iter().filter(|near| near.exact).min_by_key(|near| (near.from, near.id));
    let until = |near: &Near| near.to.into_iter().chain(again.map(|again| again.from)).min();
    if let Some(less) = now.iter().find(|near| near.is(Relation::SaysMore)) {
        if less.from == at {
            return state.merge(index, draft, less.id, Reason::SaysMore);
        }
        // The shorter one stays for the time before: nobody said the rest of it then, and what the shorter one held is still held.
        return state.supersede(index, draft, &[less.id], (at, until(less)), Reason::SaysMore);
    }
    if let Some((other, reason)) = contradicted(&now) {
        if other.from == at {
            return dropped(draft, Reason::SaidAtOnce, Some(other.id));
        }
        return state.supersede(index, draft, &[other.id], (at, until(other)), reason);
    }

    // ... then what became so later.
    if let Some(again) = again {
        return state.merge(index, draft, again.id, Reason::EarlierToo);
    }
    if let Some(more) = later.iter().find(|near| near.is(Relation::NothingNew)) {
        return state.strengthen(draft, more.id, Reason::NothingNew);
    }
    match later.iter().filter(|near| contradicts(near).is_some()).map(|near| near.from).min() {
        Some(next) => state.add(index, draft, at, Some(next), Reason::Past),
        None => state.add(index, draft, at, None, Reason::New),
    }
}

/// A memory beside a draft.
struct Near {
    id: MemoryId,
    from: Timestamp,
    to: Option<Timestamp>,
    exact: bool,
    raises: bool,
    /// How alike they are, and how its words stand to the draft's; where they are alike.
    relation: Option<(f64, Relation)>,
}

impl Near {
    fn likeness(&self) -> f64 {
        self.relation.map_or(f64::NEG_INFINITY, |(likeness, _)| likeness)
    }

    fn is(&self, relation: Relation) -> bool {
        self.relation.is_some_and(|(_, found)| found == relation)
    }
}

fn contradicts(near: &Near) -> Option<Reason> {
    match near.relation {
        Some((_, Relation::Opposite)) => Some(Reason::Opposite),
        Some((_, Relation::Reworded)) => Some(Reason::Reworded),
        _ => None,
    }
}

/// What a draft contradicts: what denies it before what says it otherwise.
fn contradicted(near: &[Near]) -> Option<(&Near, Reason)> {
    let found = || near.iter().filter_map(|near| Some((near, contradicts(near)?)));
    found().find(|(_, reason)| *reason == Reason::Opposite).or_else(|| found().next())
}
