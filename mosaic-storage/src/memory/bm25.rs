//! What words say about a question: BM25.
//!
//! ```text
//! score(doc) = sum over the question's words: idf(word) * count * (K1 + 1) / (count + K1 * (1 - B + B * length / average))
//! ```
//!
//! The second arm scores a doc as if its neighbours in the conversation were part of it: the answer often stands beside the turn that
//! shares the question's words. It needs no index of its own: counts and lengths of windows are sums.
//!
//! K1 and B are those that did best on turns of conversations, which are short (see the bench of LoCoMo).

use super::lexical::Lexical;
use crate::vectors::Bits;

const K1: f32 = 0.9;
const B: f32 = 0.4;

/// No neighbour.
pub(crate) const NONE: u32 = u32::MAX;

/// The neighbours of each doc in its conversation: the one before and the one after, or [`NONE`].
pub(crate) type Links = [(u32, u32)];

/// A part as this arm sees it.
#[derive(Clone, Copy)]
pub(crate) struct View<'p> {
    pub(crate) lexical: &'p Lexical,
    pub(crate) links: &'p Links,
    pub(crate) admitted: &'p Bits,
}

/// Which score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arm {
    /// Of a doc.
    Lexical,
    /// Of a doc and its neighbours.
    Window,
}

/// What both arms say about each doc of a part; 0 where they say nothing.
#[derive(Debug, Default)]
pub(crate) struct Scores(Vec<Tally>);

impl Scores {
    /// What an arm says about a doc, if it says anything.
    pub(crate) fn of(&self, arm: Arm, doc: u32) -> Option<f64> {
        let score = self.0.get(doc as usize)?.score(arm);
        (score > 0.0).then(|| f64::from(score))
    }

    /// All docs in their order.
    pub(crate) fn all(&self, arm: Arm) -> impl Iterator<Item = (u32, f32)> {
        (0_u32..).zip(self.0.iter().map(move |tally| tally.score(arm)))
    }
}

/// Scores the docs of parts, as if the parts were one.
pub(crate) fn score(views: &[View<'_>], stems: &[String]) -> Vec<Scores> {
    let (docs, words) = views
        .iter()
        .map(|view| view.lexical.totals())
        .fold((0, 0), |sum: (u64, u64), one| (sum.0 + one.0, sum.1 + one.1));
    #[allow(clippy::cast_precision_loss)]
    let (docs, average) = (docs as f32, (words as f32 / docs.max(1) as f32).max(1.0));
    let mut sheets: Vec<Sheet<'_>> = views.iter().map(|view| Sheet::new(*view, average)).collect();
    for stem in stems {
        let found = views.iter().filter_map(|view| view.lexical.of(stem)).map(|one| one.docs.len()).sum();
        if found > 0 {
            let rarity = idf(docs, found);
            sheets.iter_mut().for_each(|sheet| sheet.count(stem, rarity));
            let rarity = idf(docs, sheets.iter().map(|sheet| sheet.touched.len()).sum());
            sheets.iter_mut().for_each(|sheet| sheet.settle(rarity));
        }
    }
    sheets.into_iter().map(|sheet| Scores(sheet.tallies)).collect()
}

/// What is known of a doc so far. All of it lies together, for words reach into docs all over the part.
#[derive(Debug, Clone, Copy)]
struct Tally {
    lexical: f32,
    window: f32,
    /// How often the window has the word in hand.
    count: f32,
    /// What the doc's length weighs; [`OUT`] for a doc that is not admitted.
    length: f32,
    /// What the window's length weighs; 0 before anybody asked.
    width: f32,
}

const OUT: f32 = -1.0;

impl Tally {
    fn score(&self, arm: Arm) -> f32 {
        match arm {
            Arm::Lexical => self.lexical,
            Arm::Window => self.window,
        }
    }
}

/// The docs of a part while they are scored.
struct Sheet<'p> {
    view: View<'p>,
    average: f32,
    tallies: Vec<Tally>,
    /// The windows that have the word in hand.
    touched: Vec<u32>,
}

impl<'p> Sheet<'p> {
    fn new(view: View<'p>, average: f32) -> Self {
        let tally = |(doc, _): (u32, _)| {
            let length =
                if view.admitted.get(doc) { weight(view.lexical.length(doc) / average) } else { OUT };
            Tally { lexical: 0.0, window: 0.0, count: 0.0, length, width: 0.0 }
        };
        Self { view, average, tallies: (0_u32..).zip(view.links).map(tally).collect(), touched: Vec::new() }
    }

    /// Scores the docs that have a word, and counts it in their windows.
    fn count(&mut self, stem: &str, rarity: f32) {
        let Some(postings) = self.view.lexical.of(stem) else { return };
        for (doc, count) in postings.docs.iter().zip(&postings.counts) {
            let count = f32::from(*count);
            match self.tallies.get_mut(*doc as usize) {
                Some(tally) if tally.length >= 0.0 => {
                    tally.lexical += rarity * saturated(count, tally.length)
                }
                _ => continue,
            }
            let (before, after) = self.view.links.get(*doc as usize).copied().unwrap_or((NONE, NONE));
            for window in [*doc, before, after] {
                // There is no doc NONE.
                if let Some(tally) = self.tallies.get_mut(window as usize)
                    && tally.length >= 0.0
                {
                    if tally.count == 0.0 {
                        self.touched.push(window);
                    }
                    tally.count += count;
                }
            }
        }
    }

    /// Scores the windows that have the word.
    fn settle(&mut self, rarity: f32) {
        for window in self.touched.drain(..) {
            let Some(tally) = self.tallies.get_mut(window as usize) else { continue };
            if tally.width == 0.0 {
                // The window of a doc in the middle of a conversation has three docs; one at an end, or alone, has fewer, and
                // is no better for being short.
                tally.width = weight(self.view.width(window) / (3.0 * self.average));
            }
            tally.window += rarity * saturated(std::mem::take(&mut tally.count), tally.width);
        }
    }
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

/// What a length weighs, as a share of the average.
fn weight(length: f32) -> f32 {
    K1 * (1.0 - B + B * length)
}

fn saturated(count: f32, weight: f32) -> f32 {
    count * (K1 + 1.0) / (count + weight)
}

#[cfg(test)]
mod tests;
