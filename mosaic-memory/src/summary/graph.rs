//! Which sentences stand for the others: LexRank, and a choice that says nothing twice.
//!
//! Sentences that are like many others are central to a text (Erkan and Radev, "LexRank", 2004): a walk over the graph of
//! likenesses visits them most. Chosen are those that are central and unlike what was chosen before (Carbonell and Goldstein,
//! "The Use of MMR", 1998). No randomness: the same text gives the same sentences.

use std::collections::BTreeMap;

/// More sentences than this are first thinned by their likeness to the whole: the graph has a side for each pair.
const MOST: usize = 400;
/// The share of the walk that follows likenesses, as in PageRank.
const DAMPING: f64 = 0.85;
const ROUNDS: usize = 40;
/// How much being central counts against saying something new.
const CENTRAL: f64 = 0.7;
/// What is so far below the best is left out, whatever room there is.
const LEAST: f64 = 0.03;
/// Two sentences that are so much alike say the same.
const SAME: f64 = 0.8;

/// A sentence as numbers.
#[derive(Debug, Clone, Default)]
struct Row {
    /// Weights by term, sorted by term; of length 1.
    terms: Vec<(usize, f64)>,
}

/// The sentences of a text, and how central they are.
#[derive(Debug)]
pub(super) struct Graph {
    rows: Vec<Row>,
    scores: Vec<f64>,
}

/// What was chosen: a sentence, and those that say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) index: usize,
    pub(super) same: Vec<usize>,
}

impl Graph {
    /// Of sentences: their terms, and how much each counts by itself.
    pub(super) fn new(sentences: &[(Vec<String>, f64)]) -> Self {
        let rows = rows(sentences);
        let prior: Vec<f64> = sentences.iter().map(|(terms, weight)| weight * says(terms.len())).collect();
        let of = |list: &[f64], index: usize| list.get(index).copied().unwrap_or_default();
        let mut kept: Vec<usize> = (0..rows.len()).collect();
        if kept.len() > MOST {
            let whole = centre(&rows, &prior);
            let near: Vec<f64> =
                rows.iter().zip(&prior).map(|(row, prior)| dot(&row.terms, &whole) * prior).collect();
            kept.sort_by(|a, b| of(&near, *b).total_cmp(&of(&near, *a)).then(a.cmp(b)));
            kept.truncate(MOST);
            kept.sort_unstable();
        }
        let walked: Vec<(&Row, f64)> =
            kept.iter().filter_map(|index| Some((rows.get(*index)?, of(&prior, *index)))).collect();
        let mut scores = vec![0.0; rows.len()];
        for (index, rank) in kept.iter().zip(walk(&walked)) {
            if let Some(score) = scores.get_mut(*index) {
                *score = rank * of(&prior, *index);
            }
        }
        let most = scores.iter().copied().fold(0.0, f64::max);
        if most > 0.0 {
            scores.iter_mut().for_each(|score| *score /= most);
        }
        Self { rows, scores }
    }

    fn likeness(&self, a: usize, b: usize) -> f64 {
        match (self.rows.get(a), self.rows.get(b)) {
            (Some(a), Some(b)) => dot(&a.terms, &b.terms),
            _ => 0.0,
        }
    }

    /// The best sentences that fit, in the order of the text. `takes` says what each takes of the room.
    pub(super) fn choose(&self, takes: &[u64], room: u64) -> Vec<Chosen> {
        let (mut chosen, mut left): (Vec<Chosen>, u64) = (Vec::new(), room);
        let score = |index: &usize| self.scores.get(*index).copied().unwrap_or_default();
        let mut open: Vec<usize> = (0..self.rows.len()).filter(|index| score(index) > LEAST).collect();
        if open.is_empty() {
            open.extend((!self.rows.is_empty()).then_some(0));
        }
        // Of each sentence, the chosen one that it is most like, and how much.
        let mut nearest: Vec<(usize, f64)> = vec![(0, 0.0); self.rows.len()];
        let near = |nearest: &[(usize, f64)], index: usize| nearest.get(index).copied().unwrap_or_default();
        while let Some((at, best)) = open
            .iter()
            .map(|index| CENTRAL * score(index) - (1.0 - CENTRAL) * near(&nearest, *index).1)
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            .and_then(|(at, _)| Some((at, *open.get(at)?)))
        {
            open.remove(at);
            let (like, likeness) = near(&nearest, best);
            if likeness >= SAME
                && let Some(said) = chosen.get_mut(like)
            {
                said.same.push(best);
                continue;
            }
            let taken = takes.get(best).copied().unwrap_or(u64::MAX);
            // One sentence is said however little room there is.
            if taken <= left || chosen.is_empty() {
                left = left.saturating_sub(taken);
                for index in &open {
                    let likeness = self.likeness(*index, best);
                    if let Some(nearest) = nearest.get_mut(*index).filter(|nearest| nearest.1 < likeness) {
                        *nearest = (chosen.len(), likeness);
                    }
                }
                chosen.push(Chosen { index: best, same: Vec::new() });
            }
        }
        chosen.sort_by_key(|chosen| chosen.index);
        chosen
    }
}

/// Terms as weights: how often in the sentence, and how rare in the text.
fn rows(sentences: &[(Vec<String>, f64)]) -> Vec<Row> {
    let mut known: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for (terms, _) in sentences {
        let mut once: Vec<&str> = terms.iter().map(String::as_str).collect();
        once.sort_unstable();
        once.dedup();
        for term in once {
            let number = known.len();
            known.entry(term).or_insert((number, 0.0)).1 += 1.0;
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let count = sentences.len() as f64;
    let row = |(terms, _): &(Vec<String>, f64)| {
        let mut weights: BTreeMap<usize, f64> = BTreeMap::new();
        for term in terms {
            if let Some((number, within)) = known.get(term.as_str()) {
                *weights.entry(*number).or_default() += (1.0 + count / within).ln();
            }
        }
        let length = weights.values().map(|weight| weight * weight).sum::<f64>().sqrt();
        Row {
            terms: weights
                .into_iter()
                .map(|(number, weight)| (number, weight / length.max(f64::MIN_POSITIVE)))
                .collect(),
        }
    };
    sentences.iter().map(row).collect()
}

/// A sentence of one word is like many others and says nothing.
fn says(terms: usize) -> f64 {
    match terms {
        0 => 0.0,
        1 => 0.1,
        2 => 0.4,
        3 => 0.7,
        _ => 1.0,
    }
}

fn centre(rows: &[Row], prior: &[f64]) -> Vec<(usize, f64)> {
    let mut sum: BTreeMap<usize, f64> = BTreeMap::new();
    for (row, prior) in rows.iter().zip(prior) {
        for (number, weight) in &row.terms {
            *sum.entry(*number).or_default() += weight * prior;
        }
    }
    sum.into_iter().collect()
}

/// Of two lists that are sorted by term.
fn dot(one: &[(usize, f64)], other: &[(usize, f64)]) -> f64 {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut sum = 0.0;
    while let (Some((a, x)), Some((b, y))) = (one.peek(), other.peek()) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => drop(one.next()),
            std::cmp::Ordering::Greater => drop(other.next()),
            std::cmp::Ordering::Equal => {
                sum += x * y;
                one.next();
                other.next();
            }
        }
    }
    sum
}

/// How often a walk visits each sentence, that now and then begins anew where a sentence counts much by itself.
fn walk(rows: &[(&Row, f64)]) -> Vec<f64> {
    let count = rows.len();
    if count == 0 {
        return Vec::new();
    }
    let links: Vec<Vec<(usize, f64)>> = rows
        .iter()
        .enumerate()
        .map(|(from, (row, _))| {
            let like = |(to, (other, _)): (usize, &(&Row, f64))| {
                (to, if from == to { 0.0 } else { dot(&row.terms, &other.terms) })
            };
            rows.iter().enumerate().map(like).filter(|(_, like)| *like > 0.0).collect()
        })
        .collect();
    let all: f64 = rows.iter().map(|(_, prior)| prior).sum();
    let begins: Vec<f64> = rows.iter().map(|(_, prior)| prior / all.max(f64::MIN_POSITIVE)).collect();
    let mut visits = begins.clone();
    for _ in 0..ROUNDS {
        let mut next: Vec<f64> = begins.iter().map(|begins| (1.0 - DAMPING) * begins).collect();
        for (links, visited) in links.iter().zip(&visits) {
            let all: f64 = links.iter().map(|(_, like)| like).sum();
            for (to, like) in links {
                if let Some(next) = next.get_mut(*to) {
                    *next += DAMPING * visited * like / all;
                }
            }
        }
        visits = next;
    }
    visits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(sentences: &[&str]) -> Graph {
        let terms = |text: &&str| (text.split(' ').map(str::to_owned).collect(), 1.0);
        Graph::new(&sentences.iter().map(terms).collect::<Vec<_>>())
    }

    fn chosen(sentences: &[&str], room: u64) -> Vec<usize> {
        graph(sentences).choose(&vec![1; sentences.len()], room).iter().map(|chosen| chosen.index).collect()
    }

    #[test]
    fn the_sentence_that_is_like_most_others_comes_first() {
        let talk = ["rain in oslo", "cheap ferry", "rain in oslo today and snow", "snow today in bergen"];
        assert_eq!(chosen(&talk, 1), [2]);
    }

    #[test]
    fn what_was_said_is_not_said_again_but_its_place_is_kept() {
        let talk = ["the ferry leaves at two", "rain in oslo today", "the ferry leaves at two"];
        let found = graph(&talk).choose(&[1, 1, 1], 3);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], Chosen { index: 0, same: vec![2] });
    }

    #[test]
    fn one_sentence_is_chosen_however_little_room_there_is() {
        assert_eq!(chosen(&["a b c"], 0), [0]);
        assert_eq!(chosen(&[], 5), Vec::<usize>::new());
    }

    #[test]
    fn many_sentences_are_thinned_and_the_topic_is_found() {
        let mut talk: Vec<String> = (0..1_000).map(|n| format!("noise{n} other{n} word{n}")).collect();
        talk.push("ferry oslo kiel".into());
        talk.push("ferry oslo price".into());
        let talk: Vec<&str> = talk.iter().map(String::as_str).collect();
        let found = chosen(&talk, 2);
        assert!(found.iter().all(|index| *index >= 1_000), "{found:?}");
    }
}
