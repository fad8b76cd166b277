//! The block, and the scan.

use super::kernel;
use crate::best::Best;

/// So many rows are compared at a time: as many as a word of [`Bits`] has.
const STEP: usize = 64;

/// Fewer than this of a step's rows are compared one by one.
const FEW: u32 = 16;

/// Rows are padded to a multiple of this: two registers of AVX2.
const LANES: usize = 32;

/// A set of small numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn get(&self, at: u32) -> bool {
        self.word(at as usize / STEP) >> (at as usize % STEP) & 1 == 1
    }

    pub(crate) fn set(&mut self, at: u32, on: bool) {
        let (word, bit) = (at as usize / STEP, 1 << (at as usize % STEP));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            if on { *word |= bit } else { *word &= !bit }
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0_u32..).step_by(STEP).zip(&self.0).flat_map(|(base, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(base + bit)
            })
        })
    }

    /// Keeps only what something holds for.
    pub(crate) fn retain(&mut self, mut holds: impl FnMut(u32) -> bool) {
        for (base, word) in (0_u32..).step_by(STEP).zip(&mut self.0) {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                if !holds(base + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// Takes away what is in the other.
    pub(crate) fn without(&mut self, other: &Bits) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }

    /// Keeps what is in the other too.
    pub(crate) fn only(&mut self, other: &Bits) {
        self.0.truncate(other.0.len());
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    /// Takes in what is in the other.
    pub(crate) fn with(&mut self, other: &Bits) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    fn word(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<u64>()
    }
}

/// A row and how much it is like the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Likeness {
    pub(crate) row: u32,
    pub(crate) cosine: f32,
}

/// A vector as the rows are.
#[derive(Debug)]
pub(crate) struct Query {
    numbers: Vec<i16>,
    scale: f32,
}

/// The vectors of one model. Rows are numbered by the caller; those that were never put are not there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    width: usize,
    /// A row's length: the width and its padding.
    stride: usize,
    rows: Vec<i8>,
    /// What a number of a row is worth. 0 for a vector without a direction.
    scales: Vec<f32>,
    present: Bits,
}

impl Block {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, stride: width.next_multiple_of(LANES), ..Self::default() }
    }

    pub(crate) fn present(&self) -> &Bits {
        &self.present
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Puts a vector in a row. One of another width is not taken.
    pub(crate) fn put(&mut self, row: u32, vector: &[f32]) -> bool {
        if vector.len() != self.width {
            return false;
        }
        let at = row as usize;
        if at >= self.scales.len() {
            // Not twice as much each time: most of a block that has just grown would be air.
            let rows = (at + 1).saturating_sub(self.scales.len()).max(self.scales.len() / 8);
            if self.scales.capacity() <= at {
                self.scales.reserve_exact(rows);
                self.rows.reserve_exact(rows * self.stride);
            }
            self.scales.resize(at + 1, 0.0);
            self.rows.resize((at + 1) * self.stride, 0);
        }
        let scale = self.rows.chunks_exact_mut(self.stride).nth(at).map(|to| quantise(vector, to));
        if let (Some(to), Some(scale)) = (self.scales.get_mut(at), scale) {
            *to = scale;
        }
        self.present.set(row, true);
        true
    }

    pub(crate) fn remove(&mut self, row: u32) {
        self.present.set(row, false);
        if let Some(row) = self.rows.chunks_exact_mut(self.stride.max(1)).nth(row as usize) {
            row.fill(0);
        }
    }

    /// The rows most like a vector, at most `best`, best first, among those of `of` that are there. Alike ones in the order of
    /// their numbers.
    pub(crate) fn scan(&self, vector: &[f32], of: &Bits, best: usize) -> Vec<Likeness> {
        if vector.len() != self.width || best == 0 {
            return Vec::new();
        }
        let Query { numbers: query, scale } = self.query(vector);
        let mut found = Best::new(best);
        let mut dots = [0; STEP];
        let steps = self.rows.chunks(STEP * self.stride).zip(self.scales.chunks(STEP));
        for (step, (rows, scales)) in steps.enumerate() {
            let wanted = of.word(step) & self.present.word(step);
            if wanted == 0 {
                continue;
            }
            // Few of many are compared one by one.
            if wanted.count_ones() < FEW {
                for (bit, row) in rows.chunks_exact(self.stride.max(1)).enumerate() {
                    if wanted >> bit & 1 == 1 {
                        kernel::dots(row, &query, dots.get_mut(bit..=bit).unwrap_or_default());
                    }
                }
            } else {
                kernel::dots(rows, &query, &mut dots);
            }
            for (bit, (dot, row_scale)) in dots.iter().zip(scales).enumerate() {
                if wanted >> bit & 1 == 1 {
                    #[allow(clippy::cast_precision_loss)] // coarse as it is
                    let cosine = *dot as f32 * row_scale * scale;
                    found.offer(step * STEP + bit, cosine);
                }
            }
        }
        let likeness = |(row, cosine)| Some(Likeness { row: u32::try_from(row).ok()?, cosine });
        found.sorted().filter_map(likeness).collect()
    }

    /// How much one row is like a vector, as coarsely as the scan says it. `None` for one that is not there.
    pub(crate) fn coarse(&self, query: &Query, row: u32) -> Option<f32> {
        self.present.get(row).then(|| self.likeness(query, row))
    }

    /// The same for any row: nothing is like one that is not there.
    pub(super) fn likeness(&self, query: &Query, row: u32) -> f32 {
        let at = row as usize;
        let (Some(numbers), Some(scale)) = (self.numbers(row), self.scales.get(at)) else { return 0.0 };
        let mut dot = [0];
        kernel::dots(numbers, &query.numbers, &mut dot);
        #[allow(clippy::cast_precision_loss)]
        let dot = dot[0] as f32;
        dot * scale * query.scale
    }

    fn numbers(&self, row: u32) -> Option<&[i8]> {
        let from = (row as usize).checked_mul(self.stride)?;
        self.rows.get(from..from.checked_add(self.stride)?)
    }

    /// A row to compare others with.
    pub(super) fn query_of(&self, row: u32) -> Option<Query> {
        let numbers = self.numbers(row)?.iter().map(|number| i16::from(*number)).collect();
        Some(Query { numbers, scale: *self.scales.get(row as usize)? })
    }

    /// A vector to compare with.
    pub(crate) fn query(&self, vector: &[f32]) -> Query {
        let mut numbers = vec![0; self.stride];
        let scale = quantise(vector, &mut numbers);
        Query { numbers: numbers.into_iter().map(i16::from).collect(), scale }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.rows.capacity() + self.scales.capacity() * size_of::<f32>() + self.present.bytes()
    }
}

/// Writes a vector of length 1 in the same direction as small numbers, and tells what one of them is worth. What is left of the
/// place is not touched: it is the padding.
fn quantise(vector: &[f32], to: &mut [i8]) -> f32 {
    let length = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    if length <= 0.0 || largest <= 0.0 {
        to.fill(0);
        return 0.0;
    }
    for (to, x) in to.iter_mut().zip(vector) {
        #[allow(clippy::cast_possible_truncation)] // from -127 to 127
        let small = (f64::from(*x) / f64::from(largest) * 127.0).round() as i8;
        *to = small;
    }
    #[allow(clippy::cast_possible_truncation)]
    let scale = (f64::from(largest) / 127.0 / length) as f32;
    scale
}

#[cfg(test)]
mod tests;
