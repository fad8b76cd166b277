//! Which words are in which memories, and what that says about a question: BM25.
//!
//! ```text
//! score(doc) = sum over the question's words: idf(word) * count * (K1 + 1) / (count + K1 * (1 - B + B * length / average))
//! ```
//!
//! The second arm scores a doc as if its neighbours in the conversation were part of it: the answer often stands beside the turn that
//! shares the question's words. It needs no index of its own: counts and lengths of windows are sums.
//!
//! K1 and B are those that did best on turns of conversations, which are short (see the bench of LoCoMo).

use std::collections::HashMap;
use std::fmt;

use rust_stemmers::Stemmer;

use super::push_tight;
use super::words::{self, Side};
use crate::vectors::Bits;

const K1: f32 = 0.9;
const B: f32 = 0.4;

/// No neighbour.
pub(crate) const NONE: u32 = u32::MAX;

/// A word that says nothing.
const SILENT: u32 = u32::MAX;

#[derive(Debug, Default)]
struct Postings {
    docs: Vec<u32>,
    /// Counts of more than 255 are 255: one word more makes no difference there.
    counts: Vec<u8>,
}

/// The words of a part.
pub(crate) struct Lexical {
    stemmer: Stemmer,
    /// Words as they stand in texts, and their stems; both lead to a number.
    words: HashMap<Box<str>, u32>,
    stems: HashMap<Box<str>, u32>,
    postings: Vec<Postings>,
    /// Words of a doc.
    lengths: Vec<u16>,
    /// Words of all docs.
    total: u64,
    docs: u64,
}

impl fmt::Debug for Lexical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lexical")
            .field("docs", &self.docs)
            .field("stems", &self.stems.len())
            .finish_non_exhaustive()
    }
}

impl Default for Lexical {
    fn default() -> Self {
        Self {
            stemmer: words::stemmer(),
            words: HashMap::new(),
            stems: HashMap::new(),
            postings: Vec::new(),
            lengths: Vec::new(),
            total: 0,
            docs: 0,
        }
    }
}

impl Lexical {
    /// Adds a doc: the next one.
    pub(crate) fn add(&mut self, doc: u32, text: &str) {
        let mut found = Vec::new();
        words::each_word(text, Side::Stored, |word| {
            let term = match self.words.get(word) {
                Some(term) => *term,
                None => {
                    let term = match words::stem(word, &self.stemmer) {
                        None => SILENT,
                        Some(stem) => {
                            let next = u32::try_from(self.stems.len()).unwrap_or(SILENT);
                            *self.stems.entry(stem.into()).or_insert(next)
                        }
                    };
                    self.words.insert(word.into(), term);
                    term
                }
            };
            if term != SILENT {
                found.push(term);
            }
        });
        self.postings.resize_with(self.stems.len(), Postings::default);
        let length = u16::try_from(found.len()).unwrap_or(u16::MAX);
        found.sort_unstable();
        for run in found.chunk_by(|a, b| a == b) {
            if let Some(postings) = run.first().and_then(|term| self.postings.get_mut(*term as usize)) {
                push_tight(&mut postings.docs, doc);
                push_tight(&mut postings.counts, u8::try_from(run.len()).unwrap_or(u8::MAX));
            }
        }
        push_tight(&mut self.lengths, length);
        self.total += u64::from(length);
        self.docs += 1;
    }

    /// An index of which only some words and docs are there, as a database found them; so many docs and words there are in all.
    #[cfg(feature = "postgres")]
    pub(crate) fn found(docs: u64, total: u64) -> Self {
        Self { docs, total, ..Self::default() }
    }

    /// The next doc of such an index: how many words it has.
    #[cfg(feature = "postgres")]
    pub(crate) fn push_length(&mut self, length: u16) {
        self.lengths.push(length);
    }

    /// All docs that a stem is in, and how often.
    #[cfg(feature = "postgres")]
    pub(crate) fn put_postings(&mut self, stem: &str, docs: Vec<u32>, counts: Vec<u8>) {
        let term = u32::try_from(self.postings.len()).unwrap_or(SILENT);
        self.stems.insert(stem.into(), term);
        self.postings.push(Postings { docs, counts });
    }

    /// The stems of a text with their counts, and how many words it has: what `add` would index of it.
    #[cfg(feature = "postgres")]
    pub(crate) fn terms(text: &str) -> (Vec<(String, u8)>, u16) {
        let (mut found, stemmer) = (Vec::new(), words::stemmer());
        words::each_word(text, Side::Stored, |word| found.extend(words::stem(word, &stemmer)));
        let length = u16::try_from(found.len()).unwrap_or(u16::MAX);
        found.sort_unstable();
        let runs = found.chunk_by(|a, b| a == b);
        let count = |run: &[String]| Some((run.first()?.clone(), u8::try_from(run.len()).unwrap_or(u8::MAX)));
        (runs.filter_map(count).collect(), length)
    }

    /// The stems of a question, each once.
    pub(crate) fn question(text: &str) -> Vec<String> {
        let (mut stems, stemmer) = (Vec::new(), words::stemmer());
        words::each_word(text, Side::Asked, |word| {
            if let Some(stem) = words::stem(word, &stemmer)
                && !stems.contains(&stem)
            {
                stems.push(stem);
            }
        });
        stems
    }

    fn of(&self, stem: &str) -> Option<&Postings> {
        self.postings.get(*self.stems.get(stem)? as usize)
    }

    fn length(&self, doc: u32) -> f32 {
        self.lengths.get(doc as usize).copied().map_or(0.0, f32::from)
    }

    pub(crate) fn bytes(&self) -> usize {
        let names = |map: &HashMap<Box<str>, u32>| {
            map.capacity() * (size_of::<(Box<str>, u32)>() + 1)
                + map.keys().map(|key| key.len()).sum::<usize>()
        };
        let postings: usize = self
            .postings
            .iter()
            .map(|one| one.docs.capacity() * size_of::<u32>() + one.counts.capacity())
            .sum();
        names(&self.words)
            + names(&self.stems)
            + postings
            + self.postings.capacity() * size_of::<Postings>()
            + self.lengths.capacity() * size_of::<u16>()
    }
}

/// The neighbours of each doc in its conversation: the one before and the one after, or [`NONE`].
pub(crate) type Links = [(u32, u32)];

/// A part as this arm sees it.
pub(crate) struct View<'p> {
    pub(crate) lexical: &'p Lexical,
    pub(crate) links: &'p Links,
    pub(crate) admitted: &'p Bits,
}

/// What both arms say about each doc of a part; 0 where they say nothing.
#[derive(Debug, Default, Clone)]
pub(crate) struct Scores {
    pub(crate) lexical: Vec<f32>,
    pub(crate) window: Vec<f32>,
}

/// Scores the docs of parts, as if the parts were one.
pub(crate) fn score(views: &[View<'_>], stems: &[String]) -> Vec<Scores> {
    let size = |view: &View<'_>| view.links.len();
    let mut scores: Vec<Scores> = views
        .iter()
        .map(|view| Scores { lexical: vec![0.0; size(view)], window: vec![0.0; size(view)] })
        .collect();
    let mut counts: Vec<Vec<f32>> = views.iter().map(|view| vec![0.0; size(view)]).collect();
    let mut touched: Vec<Vec<u32>> = vec![Vec::new(); views.len()];
    let docs: u64 = views.iter().map(|view| view.lexical.docs).sum();
    let words: u64 = views.iter().map(|view| view.lexical.total).sum();
    #[allow(clippy::cast_precision_loss)]
    let (docs, average) = (docs as f32, (words as f32 / docs.max(1) as f32).max(1.0));

    for stem in stems {
        let found: usize =
            views.iter().filter_map(|view| view.lexical.of(stem)).map(|one| one.docs.len()).sum();
        if found == 0 {
            continue;
        }
        let rarity = idf(docs, found);
        for (((view, scores), counts), touched) in
            views.iter().zip(&mut scores).zip(&mut counts).zip(&mut touched)
        {
            let Some(postings) = view.lexical.of(stem) else { continue };
            for (doc, count) in postings.docs.iter().zip(&postings.counts) {
                if !view.admitted.get(*doc) {
                    continue;
                }
                let count = f32::from(*count);
                if let Some(score) = scores.lexical.get_mut(*doc as usize) {
                    *score += rarity * saturated(count, view.lexical.length(*doc) / average);
                }
                let (before, after) = view.links.get(*doc as usize).copied().unwrap_or((NONE, NONE));
                for window in [*doc, before, after] {
                    if window == NONE || !view.admitted.get(window) {
                        continue;
                    }
                    if let Some(sum) = counts.get_mut(window as usize) {
                        if *sum == 0.0 {
                            touched.push(window);
                        }
                        *sum += count;
                    }
                }
            }
        }
        let windows = touched.iter().map(Vec::len).sum();
        let rarity = idf(docs, windows);
        for (((view, scores), counts), touched) in
            views.iter().zip(&mut scores).zip(&mut counts).zip(&mut touched)
        {
            for window in touched.drain(..) {
                let at = window as usize;
                let count = counts.get_mut(at).map(std::mem::take).unwrap_or_default();
                // The window of a doc in the middle of a conversation has three docs; one at an end, or alone, has fewer, and
                // is no better for being short.
                let length = view.width(window) / (3.0 * average);
                if let Some(score) = scores.window.get_mut(at) {
                    *score += rarity * saturated(count, length);
                }
            }
        }
    }
    scores
}

impl View<'_> {
    /// The words of a window.
    fn width(&self, doc: u32) -> f32 {
        let (before, after) = self.links.get(doc as usize).copied().unwrap_or((NONE, NONE));
        [before, doc, after]
            .into_iter()
            .filter(|doc| *doc != NONE && self.admitted.get(*doc))
            .map(|doc| self.lexical.length(doc))
            .sum()
    }
}

#[allow(clippy::cast_precision_loss)]
fn idf(docs: f32, found: usize) -> f32 {
    let found = (found as f32).min(docs);
    (1.0 + (docs - found + 0.5) / (found + 0.5)).ln()
}

fn saturated(count: f32, length: f32) -> f32 {
    count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length))
}

#[cfg(test)]
mod tests;
