//! A graph of neighbours: the way through very many vectors (HNSW: Malkov and Yashunin, <https://arxiv.org/abs/1603.09320>).
//!
//! ```text
//! level 2        a ─────────────── b              few rows, long ways
//! level 1        a ──── c ──────── b ─── d
//! level 0    e ─ a ─ f ─ c ─ g ─ h ─ b ─ i ─ d    all rows, up to 32 neighbours each
//! ```
//!
//! A search goes down from the top, on each level to whatever is most like the query, and looks around on level 0. The graph holds
//! links and no vectors: those are the block's. A row whose vector changes stays as a way through, and is told to be stale.
//!
//! On which levels a row is follows from its number, so the same rows, taken in in the same order, are the same graph.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::block::{Bits, Block, Likeness, Query};
use crate::best::Best;

/// So many links a row has above level 0, and twice as many on it: the paper's M, for which it recommends 5 to 48.
const LINKS: usize = 16;
const LINKS_0: usize = 2 * LINKS;

/// So many rows are kept in view when a row is taken in: the paper's efConstruction.
const VIEW: usize = 128;

/// At least so many in a search: efSearch. Of a million vectors in heaps 128 found 94 of a hundred of the best.
const SEARCH_VIEW: usize = 256;

/// No link.
const NONE: u32 = u32::MAX;

/// A row, by how much it is like what is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Near(f32, u32);

impl Eq for Near {}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The links between the rows of a block.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Level 0: [`LINKS_0`] places a row.
    base: Vec<[u32; LINKS_0]>,
    /// The levels above, of the rows that are there: level 1 first.
    upper: HashMap<u32, Vec<Vec<u32>>>,
    /// Where a search begins: the row of the highest level.
    entry: Option<u32>,
    inside: Bits,
    /// Of those inside: what changed since, and is found elsewhere.
    stale: Bits,
}

impl Graph {
    /// Rows that the graph finds.
    pub(super) fn finds(&self, row: u32) -> bool {
        self.inside.get(row) && !self.stale.get(row)
    }

    /// What of a set the graph does not find.
    pub(super) fn missing(&self, of: &Bits) -> Bits {
        let (mut missing, mut stale) = (of.clone(), of.clone());
        missing.without(&self.inside);
        stale.only(&self.stale);
        missing.with(&stale);
        missing
    }

    /// So much has changed that many ways lead astray: a new graph is better.
    pub(super) fn is_worn(&self) -> bool {
        self.stale.count() > self.inside.count() / 8
    }

    /// All that it has.
    pub(super) fn inside(&self) -> &Bits {
        &self.inside
    }

    /// The vector of a row is another, or gone.
    pub(super) fn changed(&mut self, row: u32) {
        if self.inside.get(row) {
            self.stale.set(row, true);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.base.capacity() * size_of::<[u32; LINKS_0]>()
            + self
                .upper
                .values()
                .flatten()
                .map(|links| 24 + links.capacity() * size_of::<u32>())
                .sum::<usize>()
            + self.inside.bytes()
            + self.stale.bytes()
    }

    /// Takes a row of the block in.
    pub(super) fn add(&mut self, block: &Block, row: u32) {
        let Some(query) = block.query_of(row) else { return };
        if self.inside.get(row) {
            return;
        }
        self.inside.set(row, true);
        if self.base.len() <= row as usize {
            let rows = (row as usize + 1 - self.base.len()).max(self.base.len() / 8);
            self.base.reserve_exact(rows);
            self.base.resize(row as usize + 1, [NONE; LINKS_0]);
        }
        let level = level(row);
        if level > 0 {
            self.upper.insert(row, vec![Vec::new(); level]);
        }
        let Some(entry) = self.entry else {
            self.entry = Some(row);
            return;
        };
        let top = self.top(entry);
        let mut near = vec![self.near(block, &query, entry)];
        for above in (level + 1..=top).rev() {
            near = self.look(block, &query, &near, 1, above, |_| true);
        }
        for at in (0..=level.min(top)).rev() {
            near = self.look(block, &query, &near, VIEW, at, |_| true);
            let chosen = choose(block, &near, LINKS);
            for other in &chosen {
                self.link(block, *other, row, at);
            }
            self.set_links(row, at, &chosen);
        }
        if level > top {
            self.entry = Some(row);
        }
    }

    /// The rows most like a vector among those that pass, best first. Nearly always.
    pub(super) fn search(
        &self,
        block: &Block,
        query: &Query,
        best: usize,
        passes: impl Fn(u32) -> bool,
    ) -> Vec<Likeness> {
        let Some(entry) = self.entry else { return Vec::new() };
        let mut near = vec![self.near(block, query, entry)];
        for above in (1..=self.top(entry)).rev() {
            near = self.look(block, query, &near, 1, above, |_| true);
        }
        // More in view than asked for: the wider the view, the fewer are missed.
        near = self.look(block, query, &near, SEARCH_VIEW.max(2 * best), 0, passes);
        near.into_iter().take(best).map(|Near(cosine, row)| Likeness { row, cosine }).collect()
    }

    fn top(&self, entry: u32) -> usize {
        self.upper.get(&entry).map_or(0, Vec::len)
    }

    fn near(&self, block: &Block, query: &Query, row: u32) -> Near {
        Near(block.likeness(query, row), row)
    }

    /// Looks around on a level from some rows on: the `view` rows that are most like the query among those that pass, best first.
    fn look(
        &self,
        block: &Block,
        query: &Query,
        from: &[Near],
        view: usize,
        level: usize,
        passes: impl Fn(u32) -> bool,
    ) -> Vec<Near> {
        let mut seen = Bits::default();
        let mut found = Best::new(view);
        let mut open = BinaryHeap::new();
        let meet = |near: Near, found: &mut Best<u32>, open: &mut BinaryHeap<Near>| {
            if near.0 >= found.least() {
                open.push(near);
                if passes(near.1) {
                    found.offer(near.1, near.0);
                }
            }
        };
        for near in from {
            seen.set(near.1, true);
            meet(*near, &mut found, &mut open);
        }
        while let Some(Near(likeness, row)) = open.pop() {
            // What is left to look at is less like the query than all that was found.
            if likeness < found.least() {
                break;
            }
            for next in self.links(row, level) {
                if !seen.get(next) {
                    seen.set(next, true);
                    meet(self.near(block, query, next), &mut found, &mut open);
                }
            }
        }
        found.sorted().map(|(row, likeness)| Near(likeness, row)).collect()
    }

    fn links(&self, row: u32, level: usize) -> impl Iterator<Item = u32> {
        let links: &[u32] = match level.checked_sub(1) {
            None => self.base.get(row as usize).map_or(&[], |links| links.as_slice()),
            Some(above) => {
                self.upper.get(&row).and_then(|levels| levels.get(above)).map_or(&[], Vec::as_slice)
            }
        };
        links.iter().copied().take_while(|link| *link != NONE)
    }

    fn set_links(&mut self, row: u32, level: usize, links: &[u32]) {
        match level.checked_sub(1) {
            None => {
                if let Some(place) = self.base.get_mut(row as usize) {
                    place.fill(NONE);
                    place.iter_mut().zip(links).for_each(|(to, link)| *to = *link);
                }
            }
            Some(above) => {
                if let Some(place) = self.upper.get_mut(&row).and_then(|levels| levels.get_mut(above)) {
                    *place = links.to_vec();
                }
            }
        }
    }

    /// Adds a link. When a row has too many, the best ways stay.
    fn link(&mut self, block: &Block, from: u32, to: u32, level: usize) {
        let most = if level == 0 { LINKS_0 } else { LINKS };
        let mut links: Vec<u32> = self.links(from, level).chain([to]).collect();
        if links.len() > most
            && let Some(query) = block.query_of(from)
        {
            let mut near: Vec<Near> = links.iter().map(|row| self.near(block, &query, *row)).collect();
            near.sort_unstable_by_key(|near| Reverse(*near));
            links = choose(block, &near, most);
        }
        self.set_links(from, level, &links);
    }
}

/// Chooses at most so many, best first: those that are more like the row than like any chosen before, so that links lead into all
/// directions; and if that is too few, the best of the others.
fn choose(block: &Block, near: &[Near], most: usize) -> Vec<u32> {
    let mut chosen: Vec<u32> = Vec::with_capacity(most);
    let mut others = Vec::new();
    for Near(likeness, row) in near {
        if chosen.len() == most {
            break;
        }
        let Some(query) = block.query_of(*row) else { continue };
        if chosen.iter().all(|other| block.likeness(&query, *other) < *likeness) {
            chosen.push(*row);
        } else {
            others.push(*row);
        }
    }
    let missing = most - chosen.len();
    chosen.extend(others.into_iter().take(missing));
    chosen
}

/// The highest level of a row: each level has a sixteenth of the rows of the one below.
fn level(row: u32) -> usize {
    // SplitMix64's last step: bits that look like chance.
    let mut bits = (u64::from(row) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits.trailing_zeros() / LINKS.ilog2()) as usize
}

#[cfg(test)]
mod tests;
