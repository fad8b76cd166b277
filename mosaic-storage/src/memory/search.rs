//! A search, step by step. Between the steps the store brings the rows that the next one needs.
//!
//! ```text
//! begin: admitted docs, words, coarse vectors ──> wanted vectors ──> choose: exact cosine, the best of each arm
//!     ──> neighbours ──> wanted rows ──> finish: candidates
//! ```
//!
//! Exact vectors are brought for those alone that may be among the best; the cosines of other candidates are those of the index.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::thread;

use mosaic_core::memory::{Candidate, Candidates, Memory, MemoryId, SearchQuery, Vector};

use super::bm25::{self, Arm, NONE, Scores};
use super::lexical::Lexical;
use super::part::Part;
use crate::best::Best;
use crate::vectors::{Bits, Query, Space};

/// Memories by their number.
pub(crate) type Rows = HashMap<i64, Arc<Memory>>;

/// All vectors of memories, by their number.
pub(crate) type Vectors = HashMap<i64, Arc<[Vector]>>;

/// A memory that a step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) n: i64,
    pub(crate) id: MemoryId,
    /// How new it must be, as the store counts.
    pub(crate) changed: i64,
}

/// From so many docs on words and vectors are looked at side by side: each takes longer than starting a thread.
const SIDE_BY_SIDE: usize = 10_000;

/// A doc of one of the parts.
type At = (usize, u32);

/// A search under way.
#[derive(Debug)]
pub(crate) struct Search<'q> {
    query: &'q SearchQuery,
    admitted: Vec<Bits>,
    scores: Vec<Scores>,
    /// Docs that are candidates, and whether they are hits.
    found: BTreeMap<At, bool>,
    /// Docs that look best as vectors.
    coarse: Vec<At>,
    /// What is known exactly of them.
    exact: HashMap<At, f32>,
}

impl<'q> Search<'q> {
    /// Finds what looks best. The parts must be the same, in the same order, at every step.
    pub(crate) fn begin(parts: &[&Part], query: &'q SearchQuery) -> Self {
        let admitted: Vec<Bits> =
            parts.iter().map(|part| part.admitted(&query.scope, query.reach, &query.filter)).collect();
        let arms = Arms { parts, query, admitted: &admitted };
        let ((scores, hits), coarse) = arms.ask();
        let found = hits.into_iter().map(|at| (at, true)).collect();
        Self { query, admitted, scores, found, coarse, exact: HashMap::new() }
    }

    fn limit(&self) -> usize {
        self.query.limit as usize
    }

    /// Those of which `choose` needs the vectors.
    pub(crate) fn wanted_vectors(&self, parts: &[&Part]) -> Vec<Wanted> {
        wanted(parts, self.coarse.iter())
    }

    /// Those of which `finish` needs the memories.
    pub(crate) fn wanted(&self, parts: &[&Part]) -> Vec<Wanted> {
        wanted(parts, self.found.keys())
    }

    /// Settles which are the best as vectors, and adds the neighbours of all hits.
    pub(crate) fn choose(&mut self, parts: &[&Part], vectors: &Vectors) {
        let mut arms: Vec<Best<At>> = self.query.vectors.iter().map(|_| Best::new(self.limit())).collect();
        for at in std::mem::take(&mut self.coarse) {
            let doc = parts.get(at.0).and_then(|part| part.doc(at.1));
            let found = doc.and_then(|doc| exact(self.query, vectors.get(&doc.n)?));
            if let Some((arm, cosine)) =
                found.and_then(|(model, cosine)| Some((arms.get_mut(model)?, cosine)))
            {
                arm.offer(at, cosine);
                self.exact.insert(at, cosine);
            }
        }
        self.found.extend(arms.into_iter().flat_map(Best::sorted).map(|(at, _)| (at, true)));
        let hits: Vec<At> = self.found.keys().copied().collect();
        for (part, slot) in hits {
            let Some((index, admitted)) = parts.get(part).zip(self.admitted.get(part)) else { continue };
            for side in
                [|links: (u32, u32)| links.0, |links: (u32, u32)| links.1] as [fn((u32, u32)) -> u32; 2]
            {
                let (mut at, mut left) = (slot, self.query.neighbours);
                // Closed ones are passed over, but not for ever.
                let mut steps = left.saturating_mul(4);
                while left > 0 && steps > 0 {
                    at = index.links().get(at as usize).copied().map_or(NONE, side);
                    if at == NONE {
                        break;
                    }
                    steps -= 1;
                    if admitted.get(at) {
                        left -= 1;
                        self.found.entry((part, at)).or_insert(false);
                    }
                }
            }
        }
    }

    /// The answer.
    pub(crate) fn finish(self, parts: &[&Part], rows: &Rows) -> Candidates {
        let queries: Vec<Vec<(&Space, Query, &Arc<str>)>> =
            parts.iter().map(|part| part_queries(part, self.query)).collect();
        let mut all: Vec<(MemoryId, Candidate)> = self
            .found
            .iter()
            .filter_map(|((part, slot), hit)| {
                let doc = parts.get(*part)?.doc(*slot)?;
                let memory = rows.get(&doc.n)?;
                let part_queries = queries.get(*part)?;
                // The row may be newer than the index; and a reader never gets what is not theirs, whatever the index says.
                let theirs = self.query.scope.sees(self.query.reach, &memory.scope)
                    && self.query.filter.admits(memory);
                let score = |arm| self.scores.get(*part)?.of(arm, *slot);
                let dense = dense(part_queries, *slot).map(|(coarse, model)| {
                    (self.exact.get(&(*part, *slot)).copied().unwrap_or(coarse), model)
                });
                let candidate = Candidate {
                    memory: memory.clone(),
                    lexical: score(Arm::Lexical),
                    window: score(Arm::Window),
                    dense: dense.as_ref().map(|(cosine, _)| f64::from(*cosine)),
                    model: dense.map(|(_, model)| model),
                    hit: *hit,
                };
                theirs.then_some((doc.id, candidate))
            })
            .collect();
        all.sort_by_key(|(id, _)| *id);
        Candidates {
            candidates: all.into_iter().map(|(_, candidate)| candidate).collect(),
            admitted: self.admitted.iter().map(Bits::count).sum(),
        }
    }
}

/// What both arms look at.
#[derive(Clone, Copy)]
struct Arms<'s> {
    parts: &'s [&'s Part],
    query: &'s SearchQuery,
    admitted: &'s [Bits],
}

impl Arms<'_> {
    /// What words say, with the best docs, and the docs that look best as vectors.
    fn ask(self) -> ((Vec<Scores>, Vec<At>), Vec<At>) {
        let docs: usize = self.parts.iter().map(|part| part.len()).sum();
        if docs < SIDE_BY_SIDE || self.query.text.is_none() || self.query.vectors.is_empty() {
            return (self.words(), self.vectors());
        }
        thread::scope(|scope| {
            let vectors = thread::Builder::new().spawn_scoped(scope, || self.vectors());
            let words = self.words();
            // Without a thread, one after the other.
            let vectors = vectors.ok().and_then(|thread| thread.join().ok());
            (words, vectors.unwrap_or_else(|| self.vectors()))
        })
    }

    fn words(self) -> (Vec<Scores>, Vec<At>) {
        let stems = self.query.text.as_deref().map(Lexical::question).unwrap_or_default();
        if stems.is_empty() {
            return Default::default();
        }
        let views: Vec<bm25::View<'_>> = self
            .parts
            .iter()
            .zip(self.admitted)
            .map(|(part, admitted)| bm25::View { lexical: part.lexical(), links: part.links(), admitted })
            .collect();
        let scores = bm25::score(&views, &stems);
        let hits = [Arm::Lexical, Arm::Window].into_iter().flat_map(|arm| {
            let mut best = Best::new(self.query.limit as usize);
            for (part, scores) in scores.iter().enumerate() {
                let scored = scores.all(arm).filter(|(_, score)| *score > 0.0);
                best.extend(scored.map(|(doc, score)| ((part, doc), score)));
            }
            best.sorted().map(|(at, _)| at)
        });
        let hits = hits.collect();
        (scores, hits)
    }

    fn vectors(self) -> Vec<At> {
        let limit = self.query.limit as usize;
        // Some more than asked for: what is coarse may be in the wrong order, by a few places.
        let best = if limit == 0 { 0 } else { limit + limit / 2 + 16 };
        // Each model is an arm of its own: the cosines of one say nothing beside those of another.
        let mut arms: Vec<Best<At>> = self.query.vectors.iter().map(|_| Best::new(best)).collect();
        for (at, (part, admitted)) in self.parts.iter().zip(self.admitted).enumerate() {
            let mut left = admitted.clone();
            for (vector, arm) in self.query.vectors.iter().zip(&mut arms) {
                let Some(space) = part.space(&vector.model) else { continue };
                let found = space.nearest(&vector.values, &left, best);
                arm.extend(found.into_iter().map(|like| ((at, like.row), like.cosine)));
                left.without(space.present());
            }
        }
        arms.into_iter().flat_map(Best::sorted).map(|(at, _)| at).collect()
    }
}

fn wanted<'a>(parts: &[&Part], docs: impl Iterator<Item = &'a At>) -> Vec<Wanted> {
    let of = |(part, slot): &At| parts.get(*part)?.doc(*slot);
    let mut wanted: Vec<Wanted> =
        docs.filter_map(of).map(|doc| Wanted { n: doc.n, id: doc.id, changed: doc.changed }).collect();
    wanted.sort_unstable();
    wanted
}

/// The vectors of a query, as the blocks of a part have them.
fn part_queries<'p>(part: &'p Part, query: &'p SearchQuery) -> Vec<(&'p Space, Query, &'p Arc<str>)> {
    let of = |vector: &'p Vector| {
        let space = part.space(&vector.model)?;
        Some((space, space.query(&vector.values), &vector.model))
    };
    query.vectors.iter().filter_map(of).collect()
}

/// How alike a memory and the query are, by the first model that both have.
fn dense(queries: &[(&Space, Query, &Arc<str>)], slot: u32) -> Option<(f32, Arc<str>)> {
    queries.iter().find_map(|(space, query, model)| Some((space.coarse(query, slot)?, (*model).clone())))
}

/// The same, exactly; and by which of the query's vectors.
fn exact(query: &SearchQuery, vectors: &[Vector]) -> Option<(usize, f32)> {
    let of = |model: &Arc<str>| vectors.iter().find(|other| other.model == *model);
    let mut asked = query.vectors.iter().enumerate();
    let (at, vector, other) = asked.find_map(|(at, vector)| Some((at, vector, of(&vector.model)?)))?;
    (vector.values.len() == other.values.len()).then(|| (at, cosine(&vector.values, &other.values)))
}

/// As [`mosaic_core::memory::cosine`], in sums that the processor can make side by side.
pub(crate) fn cosine(one: &[f32], other: &[f32]) -> f32 {
    const SIDE: usize = 8;
    let mut sums = [[0.0_f64; SIDE]; 3];
    for (one, other) in one.chunks(SIDE).zip(other.chunks(SIDE)) {
        let [products, ones, others] = &mut sums;
        for ((((a, b), product), first), second) in one.iter().zip(other).zip(products).zip(ones).zip(others)
        {
            let (a, b) = (f64::from(*a), f64::from(*b));
            *product += a * b;
            *first += a * a;
            *second += b * b;
        }
    }
    let [product, first, second] = sums.map(|sums| sums.iter().sum::<f64>());
    let lengths = (first * second).sqrt();
    #[allow(clippy::cast_possible_truncation)]
    if lengths > 0.0 { (product / lengths) as f32 } else { 0.0 }
}
