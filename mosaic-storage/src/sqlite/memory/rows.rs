//! Rows at hand: those that were used last.

use std::collections::HashMap;

#[derive(Debug)]
struct Kept<T> {
    changed: i64,
    bytes: usize,
    item: T,
}

/// Two generations: what is used moves to the young one; when that is full the old one goes.
#[derive(Debug)]
pub(super) struct RowCache<T> {
    young: HashMap<i64, Kept<T>>,
    old: HashMap<i64, Kept<T>>,
    /// Of the young ones.
    bytes: usize,
    /// Of both generations.
    most: usize,
}

impl<T: Clone> RowCache<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), bytes: 0, most }
    }

    /// The row of a number, if it is as new as this.
    pub(super) fn get(&mut self, n: i64, changed: i64) -> Option<T> {
        if let Some(kept) = self.old.remove(&n) {
            self.keep(n, kept);
        }
        self.young.get(&n).filter(|kept| kept.changed >= changed).map(|kept| kept.item.clone())
    }

    /// Keeps a row of about so many bytes.
    pub(super) fn put(&mut self, n: i64, changed: i64, bytes: usize, item: T) {
        self.old.remove(&n);
        self.keep(n, Kept { changed, bytes, item });
    }

    fn keep(&mut self, n: i64, kept: Kept<T>) {
        self.bytes += kept.bytes;
        if let Some(before) = self.young.insert(n, kept) {
            self.bytes -= before.bytes;
        }
        if self.bytes > self.most / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut cache = RowCache::new(2_000);
        cache.put(0, 1, 100, "used");
        for n in 1..100 {
            cache.put(n, 1, 100, "x");
            assert_eq!(cache.get(0, 1), Some("used"), "after {n}");
        }
        assert_eq!(cache.get(1, 1), None);
        assert!(cache.young.len() + cache.old.len() <= 22);
    }

    #[test]
    fn an_old_row_is_not_given_for_a_newer_one() {
        let mut cache = RowCache::new(1 << 20);
        cache.put(1, 3, 9, "old");
        assert_eq!((cache.get(1, 3), cache.get(1, 4)), (Some("old"), None));
        cache.put(1, 4, 9, "new");
        assert_eq!(cache.get(1, 4), Some("new"));
        cache.clear();
        assert_eq!(cache.get(1, 0), None);
    }
}
