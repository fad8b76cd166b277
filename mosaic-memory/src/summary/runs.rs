//! What of a session no episode stands for yet. Pure.

use std::collections::HashMap;

use mosaic_core::model::{Estimate, TextTokens};
use mosaic_core::session::{Body, Entry};
use mosaic_core::summary::{Passage, PassageOptions, passages};
use mosaic_core::{RunId, Seq, Timestamp};

/// A run that has ended, as it will be summarised.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EndedPart {
    /// Its first entry.
    pub(super) from: Seq,
    /// Its end.
    pub(super) to: Seq,
    /// When it ended.
    pub(super) at: Timestamp,
    pub(super) passages: Vec<Passage>,
    /// About how much that is.
    pub(super) tokens: u64,
}

/// The runs of a path that ended after an entry, in the order of their ends. A run that goes on is left out, with what it said so
/// far: it is summarised when it has ended.
pub(super) fn ended_after(path: &[&Entry], after: Seq, options: &PassageOptions) -> Vec<EndedPart> {
    let mut open: HashMap<RunId, Vec<&Entry>> = HashMap::new();
    let mut ended = Vec::new();
    for entry in path {
        let Some(run) = entry.run else { continue };
        let entries = open.entry(run).or_default();
        entries.push(entry);
        if !matches!(entry.body, Body::RunEnd { .. }) {
            continue;
        }
        let entries = open.remove(&run).unwrap_or_default();
        let Some(first) = entries.first().filter(|_| entry.seq > after) else { continue };
        let passages = passages(entries.iter().copied(), options);
        let tokens = passages.iter().map(|passage| Estimate.tokens(&passage.text)).sum();
        ended.push(EndedPart { from: first.seq, to: entry.seq, at: entry.at, passages, tokens });
    }
    ended
}

/// How much is summarised at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    pub(super) runs: usize,
    pub(super) tokens: u64,
}

/// What one episode stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) from: Seq,
    pub(super) to: Seq,
    pub(super) at: Timestamp,
    pub(super) runs: usize,
    pub(super) passages: Vec<Passage>,
}

/// Runs put together until there are enough, or much enough, of them; and whether the last ones are too few.
pub(super) fn parts(runs: Vec<EndedPart>, measure: Measure) -> (Vec<Part>, Option<Part>) {
    let (mut whole, mut part, mut tokens) = (Vec::new(), None::<Part>, 0_u64);
    for run in runs {
        let so_far = part.get_or_insert(Part {
            from: run.from,
            to: run.to,
            at: run.at,
            runs: 0,
            passages: Vec::new(),
        });
        so_far.from = so_far.from.min(run.from);
        (so_far.to, so_far.at) = (run.to, run.at);
        so_far.runs += 1;
        so_far.passages.extend(run.passages);
        tokens = tokens.saturating_add(run.tokens);
        if so_far.runs >= measure.runs.max(1) || tokens >= measure.tokens.max(1) {
            whole.extend(part.take());
            tokens = 0;
        }
    }
    (whole, part)
}

#[cfg(test)]
mod tests {
    use mosaic_core::Usage;
    use mosaic_core::session::{InputDelivery, RunEnd};
    use uuid::Uuid;

    use super::*;

    fn entry(seq: u64, run: u128, body: Body) -> Entry {
        Entry { seq: Seq(seq), v: 1, at: Timestamp(seq), run: Some(RunId(Uuid::from_u128(run))), body }
    }

    fn input(seq: u64, run: u128) -> Entry {
        let parts = vec![format!("said {seq}").into()];
        entry(seq, run, Body::Input { parts, delivery: InputDelivery::Start, output: None, limits: None })
    }

    fn end(seq: u64, run: u128) -> Entry {
        entry(seq, run, Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None })
    }

    fn found(entries: &[Entry], after: u64) -> Vec<(u64, u64, Vec<u64>)> {
        let path: Vec<&Entry> = entries.iter().collect();
        let of =
            |part: EndedPart| (part.from.0, part.to.0, part.passages.iter().map(|said| said.seq.0).collect());
        ended_after(&path, Seq(after), &PassageOptions::default()).into_iter().map(of).collect()
    }

    #[test]
    fn runs_that_ended_after_an_entry_are_found_and_those_that_go_on_are_not() {
        // The input of the second run came while the first went on.
        let log = [input(1, 1), input(2, 2), end(3, 1), end(4, 2), input(5, 3)];
        assert_eq!(found(&log, 0), [(1, 3, vec![1]), (2, 4, vec![2])]);
        assert_eq!(
            found(&log, 3),
            [(2, 4, vec![2])],
            "its input is not lost, though it is older than the episode's end"
        );
        assert_eq!(found(&log, 4), []);
    }

    #[test]
    fn runs_are_put_together_by_number_or_by_size() {
        let part = |n: u64, tokens| EndedPart {
            from: Seq(n),
            to: Seq(n),
            at: Timestamp(n),
            passages: vec![],
            tokens,
        };
        let spans = |measure| {
            let (whole, rest) =
                parts([1, 1, 1, 9, 1].iter().zip(1..).map(|(tokens, n)| part(n, *tokens)).collect(), measure);
            let span = |part: &Part| (part.from.0, part.to.0);
            (whole.iter().map(span).collect::<Vec<_>>(), rest.as_ref().map(span))
        };
        assert_eq!(spans(Measure { runs: 2, tokens: 100 }), (vec![(1, 2), (3, 4)], Some((5, 5))));
        assert_eq!(spans(Measure { runs: 100, tokens: 10 }), (vec![(1, 4)], Some((5, 5))));
        assert_eq!(spans(Measure { runs: 5, tokens: 100 }), (vec![(1, 5)], None));
    }
}
