//! The best of many, without keeping the many.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A thing and its score, worst first, so that the top of a heap is what falls out next. Of two alike the later key is worse.
#[derive(Debug)]
struct Worst<K>(K, f32);

impl<K: Ord> Ord for Worst<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.1.total_cmp(&self.1).then_with(|| self.0.cmp(&other.0))
    }
}

impl<K: Ord> PartialOrd for Worst<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord> PartialEq for Worst<K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<K: Ord> Eq for Worst<K> {}

/// Keeps the best of what it is offered, at most so many; of alike ones those with the first keys.
#[derive(Debug)]
pub(crate) struct Best<K> {
    most: usize,
    /// What scores less is not among the best.
    least: f32,
    heap: BinaryHeap<Worst<K>>,
}

impl<K: Ord> Best<K> {
    pub(crate) fn new(most: usize) -> Self {
        let least = if most == 0 { f32::INFINITY } else { f32::NEG_INFINITY };
        Self { most, least, heap: BinaryHeap::new() }
    }

    #[inline]
    pub(crate) fn offer(&mut self, key: K, score: f32) {
        // Nearly all of many are turned away here.
        if score >= self.least {
            self.take(key, score);
        }
    }

    /// What scores less is turned away.
    pub(crate) fn least(&self) -> f32 {
        self.least
    }

    fn take(&mut self, key: K, score: f32) {
        self.heap.push(Worst(key, score));
        if self.heap.len() > self.most {
            self.heap.pop();
        }
        if self.heap.len() == self.most {
            self.least = self.heap.peek().map_or(self.least, |worst| worst.1);
        }
    }

    /// Those that were kept, best first.
    pub(crate) fn sorted(self) -> impl Iterator<Item = (K, f32)> {
        self.heap.into_sorted_vec().into_iter().map(|Worst(key, score)| (key, score))
    }
}

impl<K: Ord> Extend<(K, f32)> for Best<K> {
    fn extend<I: IntoIterator<Item = (K, f32)>>(&mut self, all: I) {
        all.into_iter().for_each(|(key, score)| self.offer(key, score));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_best_are_those_that_come_first_when_all_are_sorted(
            scores in prop::collection::vec(0_u8..20, 0..60),
            most in 0_usize..25,
            turned in any::<bool>(),
        ) {
            let mut all: Vec<(usize, f32)> = scores.iter().map(|score| f32::from(*score)).enumerate().collect();
            let mut best = Best::new(most);
            if turned {
                best.extend(all.iter().rev().copied());
            } else {
                best.extend(all.iter().copied());
            }
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            all.truncate(most);
            prop_assert_eq!(best.sorted().collect::<Vec<_>>(), all);
        }
    }
}
