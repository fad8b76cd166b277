//! Two memories, of which perhaps one is enough. Pure.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use mosaic_core::Timestamp;
use mosaic_core::memory::{Change, Kept, Memory, MemoryBody, MemoryId};
use uuid::Uuid;

use crate::write::reconcile::{self, Existing, Incoming, ReconcileOptions, reconcile};
use crate::write::{Action, Draft, DraftBody, Reason};

/// More uses than these are not carried over one by one: they make no difference to how a memory fades.
const MOST_USES: u64 = 32;

/// Whether a memory may be joined with another: it is believed, has no end, and is no turn of a conversation, which stands where it
/// stands.
pub(super) fn is_open(memory: &Memory) -> bool {
    memory.closed_at.is_none() && memory.valid_to.is_none() && memory.place.is_none()
}

fn draft(memory: &Memory) -> Option<Draft> {
    let body = match &memory.body {
        MemoryBody::Preference { key, value, confidence } => {
            DraftBody::Preference { key: key.to_string(), value: value.to_string(), confidence: *confidence }
        }
        MemoryBody::Insight { text } => DraftBody::Insight { text: text.to_string() },
        _ => return None,
    };
    let (importance, valid_from) = (memory.importance, Some(memory.valid_from));
    Some(Draft { body, importance, source: Vec::new(), valid_from, replaces: Vec::new() })
}

/// In which order they became so; of one moment, the one that says most, or is surest, first. The same whoever looks.
pub(super) fn order(a: &Memory, b: &Memory) -> Ordering {
    let words = match (draft(a), draft(b)) {
        (Some(a), Some(b)) => reconcile::compare(&a, &b),
        _ => Ordering::Equal,
    };
    a.valid_from.cmp(&b.valid_from).then(words).then(a.id.cmp(&b.id))
}

/// Which of two gives way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// None: they say two things, or nobody can tell.
    Both,
    /// The one that is first in [`order`].
    First(Reason),
    /// The other.
    Second(Reason),
}

/// Which of two, given in [`order`], gives way; how alike they are is needed of insights. Of two scopes none does.
pub(super) fn settle(
    options: &ReconcileOptions,
    first: &Arc<Memory>,
    second: &Memory,
    likeness: Option<f64>,
) -> Verdict {
    let Some(draft) = draft(second) else { return Verdict::Both };
    let likeness: BTreeMap<usize, f64> = likeness.into_iter().map(|likeness| (0, likeness)).collect();
    let existing = vec![Existing { memory: first.clone(), likeness }];
    let incoming = vec![Incoming { draft, vector: None }];
    // What would be written is not: only the decision counts.
    let mut nobody = || MemoryId(Uuid::max());
    let decided = reconcile(options, &second.scope, second.recorded_at, incoming, existing, &mut nobody);
    let Some(decision) = decided.decisions.into_iter().next() else { return Verdict::Both };
    match (decision.action, decision.reason) {
        (Action::Strengthen, reason) | (Action::Drop, reason @ Reason::LessSure) => Verdict::Second(reason),
        // Of one moment: words and times do not tell which of two sentences that deny each other is right.
        (Action::Drop, Reason::SaidAtOnce) if deny_each_other(first, second) => Verdict::Both,
        (Action::Drop, reason @ Reason::SaidAtOnce) => Verdict::Second(reason),
        (Action::Merge | Action::Supersede, reason) => Verdict::First(reason),
        _ => Verdict::Both,
    }
}

fn deny_each_other(a: &Memory, b: &Memory) -> bool {
    match (&a.body, &b.body) {
        (MemoryBody::Insight { text: a }, MemoryBody::Insight { text: b }) => reconcile::opposed(a, b),
        _ => false,
    }
}

/// One yields to the other: it stays so for the time before the other begins, and its uses are the other's from now on.
pub(super) fn yields(
    loser: &Memory,
    winner: &Memory,
    now: Timestamp,
    new_id: impl FnOnce() -> MemoryId,
) -> Vec<Change> {
    let earlier = loser.valid_from < winner.valid_from;
    let kept = earlier.then(|| Kept { id: new_id(), until: winner.valid_from });
    let mut changes = vec![Change::Yield { id: loser.id, to: winner.id, at: now, kept }];
    let uses = usize::try_from(loser.accessed.min(MOST_USES)).unwrap_or_default();
    if uses > 0 {
        let at = loser.accessed_at.unwrap_or(loser.recorded_at);
        changes.push(Change::Touch { ids: vec![winner.id; uses], at });
    }
    changes
}

#[cfg(test)]
mod tests {
    use mosaic_core::memory::{MemoryId, Scope};

    use super::*;

    fn insight(n: u128, text: &str, from: u64) -> Arc<Memory> {
        memory(n, MemoryBody::Insight { text: text.into() }, from)
    }

    fn drink(n: u128, value: &str, confidence: f32, from: u64) -> Arc<Memory> {
        memory(n, MemoryBody::Preference { key: "drink".into(), value: value.into(), confidence }, from)
    }

    fn memory(n: u128, body: MemoryBody, from: u64) -> Arc<Memory> {
        Arc::new(Memory::new(MemoryId(Uuid::from_u128(n)), Scope::of("acme"), body, Timestamp(from)))
    }

    fn important(memory: &Arc<Memory>, importance: f32) -> Arc<Memory> {
        Arc::new(Memory { importance, ..Memory::clone(memory) })
    }

    #[test]
    fn of_two_that_say_the_same_one_is_enough() {
        let tea = insight(1, "Ann likes tea", 5);
        let settled = |first: &Arc<Memory>, second: &Arc<Memory>, likeness| {
            assert_eq!(order(first, second), Ordering::Less, "{} / {}", first.text(), second.text());
            settle(&ReconcileOptions::default(), first, second, likeness)
        };
        use Reason::*;
        for (second, likeness, verdict) in [
            (insight(2, "ann likes tea.", 5), None, Verdict::Second(SaidAgain)),
            (insight(2, "Ann likes tea", 9), None, Verdict::Second(SaidAgain)),
            (insight(2, "Ann likes green tea", 9), Some(0.9), Verdict::First(SaysMore)),
            (insight(2, "Ann likes green tea", 9), Some(0.7), Verdict::Both),
            (insight(2, "Ann likes green tea", 9), None, Verdict::Both),
            (insight(2, "Ann does not like tea", 9), Some(0.9), Verdict::First(Opposite)),
            (insight(2, "Ann is fond of tea", 9), Some(0.96), Verdict::First(Reworded)),
            (insight(2, "Ann is fond of tea", 9), Some(0.9), Verdict::Both),
            (important(&insight(2, "Ann likes tea", 9), 0.9), None, Verdict::First(MoreSure)),
        ] {
            assert_eq!(settled(&tea, &second, likeness), verdict, "{}", second.text());
        }
        // Of one moment the longer is first.
        let (fond, never) = (insight(2, "Ann is fond of tea", 5), insight(2, "Ann does not like tea", 5));
        assert_eq!(settled(&fond, &tea, Some(0.96)), Verdict::Second(SaidAtOnce));
        assert_eq!(settled(&never, &tea, Some(0.96)), Verdict::Both, "nobody can tell");
    }

    #[test]
    fn of_two_values_of_one_key_one_is_so() {
        let settled = |a: &Arc<Memory>, b: &Arc<Memory>| {
            let (first, second) = if order(a, b) == Ordering::Less { (a, b) } else { (b, a) };
            match settle(&ReconcileOptions::default(), first, second, None) {
                Verdict::Both => None,
                Verdict::First(_) => Some(second.text().into_owned()),
                Verdict::Second(_) => Some(first.text().into_owned()),
            }
        };
        let tea = drink(1, "tea", 0.8, 5);
        for (other, stays) in [
            (drink(2, "coffee", 0.8, 9), "drink: coffee"),
            (drink(2, "coffee", 0.8, 5), "drink: coffee"),
            (drink(2, "coffee", 0.9, 5), "drink: coffee"),
            (drink(2, "coffee", 0.7, 5), "drink: tea"),
            (drink(2, "coffee", 0.3, 9), "drink: tea"),
        ] {
            assert_eq!(settled(&tea, &other).as_deref(), Some(stays), "{other:?}");
            assert_eq!(settled(&other, &tea).as_deref(), Some(stays), "the other way round");
        }
        let elsewhere = Arc::new(Memory { scope: Scope::of("acme").agent("cook"), ..Memory::clone(&tea) });
        assert_eq!(settled(&tea, &elsewhere), None, "of two scopes");
    }
}
