//! The vectors of a model, and the two ways to search them.
//!
//! ```text
//! nearest ──┬── few, or few admitted, or no graph yet ──> scan of the block: exact
//!           └── else ──> graph ∪ scan of what the graph does not have
//! ```
//!
//! The graph is made of the block, and can be dropped and made again at any time. Somebody must call [`Space::grow`] for it, again and
//! again; while that works on the graph, searches scan.

use std::sync::{PoisonError, RwLock};

use super::block::{Bits, Block, Likeness, Query};
use super::graph::Graph;
use crate::best::Best;

/// A graph is asked if it finds all but an eighth, and an eighth of what there is is wanted; for less the scan, which skips what is
/// not wanted, is faster and misses nothing.
const SHARE: u64 = 8;

/// The vectors of one model.
#[derive(Debug, Default)]
pub(crate) struct Space {
    rows: Block,
    graph: RwLock<Graph>,
}

impl Space {
    pub(crate) fn new(width: usize) -> Self {
        Self { rows: Block::new(width), ..Self::default() }
    }

    pub(crate) fn present(&self) -> &Bits {
        self.rows.present()
    }

    pub(crate) fn width(&self) -> usize {
        self.rows.width()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.present().is_empty()
    }

    pub(crate) fn put(&mut self, row: u32, vector: &[f32]) -> bool {
        let fits = self.rows.put(row, vector);
        if fits {
            self.graph.get_mut().unwrap_or_else(PoisonError::into_inner).changed(row);
        }
        fits
    }

    pub(crate) fn remove(&mut self, row: u32) {
        self.rows.remove(row);
        self.graph.get_mut().unwrap_or_else(PoisonError::into_inner).changed(row);
    }

    /// The rows most like a vector, at most `best`, best first, among those of `of` that are there.
    pub(crate) fn nearest(&self, vector: &[f32], of: &Bits, best: usize) -> Vec<Likeness> {
        match self.by_graph(vector, of, best) {
            Some(found) => found,
            None => self.rows.scan(vector, of, best),
        }
    }

    fn by_graph(&self, vector: &[f32], of: &Bits, best: usize) -> Option<Vec<Likeness>> {
        // Not there, or being worked on.
        let graph = self.graph.try_read().ok()?;
        // Nearly always: few have so many.
        if graph.inside().is_empty() || vector.len() != self.width() {
            return None;
        }
        let mut wanted = of.clone();
        wanted.only(self.present());
        let missing = graph.missing(&wanted);
        let (all, wanted_count) = (self.present().count(), wanted.count());
        if wanted_count < all / SHARE || missing.count() > wanted_count / SHARE {
            return None;
        }
        let query = self.rows.query(vector);
        let mut found = Best::new(best);
        let near = graph.search(&self.rows, &query, best, |row| wanted.get(row) && graph.finds(row));
        found.extend(
            near.into_iter().chain(self.rows.scan(vector, &missing, best)).map(|one| (one.row, one.cosine)),
        );
        Some(found.sorted().map(|(row, cosine)| Likeness { row, cosine }).collect())
    }

    /// Takes at most so many rows into the graph, if there are at least `from` in all, and says whether there is more to do.
    pub(crate) fn grow(&self, from: usize, most: usize) -> bool {
        if self.present().count() < from.max(1) as u64 {
            return false;
        }
        let mut graph = self.graph.write().unwrap_or_else(PoisonError::into_inner);
        if graph.is_worn() {
            *graph = Graph::default();
        }
        let left = self.left(&graph);
        let mut rows = left.iter();
        for row in rows.by_ref().take(most) {
            graph.add(&self.rows, row);
        }
        rows.next().is_some()
    }

    /// Whether [`grow`](Self::grow) has anything to do.
    pub(crate) fn grows(&self, from: usize) -> bool {
        if self.present().count() < from.max(1) as u64 {
            return false;
        }
        // Where somebody works on it, somebody else need not.
        self.graph.try_read().is_ok_and(|graph| graph.is_worn() || !self.left(&graph).is_empty())
    }

    /// What is not in the graph.
    fn left(&self, graph: &Graph) -> Bits {
        let mut left = self.present().clone();
        left.without(graph.inside());
        left
    }

    pub(crate) fn coarse(&self, query: &Query, row: u32) -> Option<f32> {
        self.rows.coarse(query, row)
    }

    pub(crate) fn query(&self, vector: &[f32]) -> Query {
        self.rows.query(vector)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes() + self.graph.read().unwrap_or_else(PoisonError::into_inner).bytes()
    }
}

#[cfg(test)]
mod tests;
