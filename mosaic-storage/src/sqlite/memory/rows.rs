//! Rows at hand: those that were used last.

use std::collections::HashMap;
use std::sync::Arc;

use mosaic_core::memory::MemoryId;

/// Ids are unique in a tenant alone.
pub(super) type Key = (Arc<str>, MemoryId);

#[derive(Debug)]
struct Kept<T> {
    changed: i64,
    bytes: usize,
    item: T,
}

/// Two generations: what is used moves to the young one; when that is full the old one goes.
#[derive(Debug)]
pub(super) struct RowCache<T> {
    young: HashMap<Key, Kept<T>>,
    old: HashMap<Key, Kept<T>>,
    /// Of the young ones.
    bytes: usize,
    /// Of both generations.
    most: usize,
}

impl<T: Clone> RowCache<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), bytes: 0, most }
    }

    /// The row of a memory, if it is as new as this.
    pub(super) fn get(&mut self, key: &Key, changed: i64) -> Option<T> {
        if let Some(kept) = self.old.remove(key) {
            self.keep(key.clone(), kept);
        }
        self.young.get(key).filter(|kept| kept.changed >= changed).map(|kept| kept.item.clone())
    }

    /// Keeps a row of about so many bytes.
    pub(super) fn put(&mut self, key: &Key, changed: i64, bytes: usize, item: T) {
        self.old.remove(key);
        self.keep(key.clone(), Kept { changed, bytes, item });
    }

    fn keep(&mut self, key: Key, kept: Kept<T>) {
        self.bytes += kept.bytes;
        if let Some(before) = self.young.insert(key, kept) {
            self.bytes -= before.bytes;
        }
        if self.bytes > self.most / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }

    /// Lets go of a row that was changed without the index being told.
    pub(super) fn remove(&mut self, key: &Key) {
        self.old.remove(key);
        if let Some(kept) = self.young.remove(key) {
            self.bytes -= kept.bytes;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Key {
        ("acme".into(), MemoryId(uuid::Uuid::from_u128(n)))
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut cache = RowCache::new(2_000);
        cache.put(&id(0), 1, 100, "used");
        for n in 1..100 {
            cache.put(&id(n), 1, 100, "x");
            assert_eq!(cache.get(&id(0), 1), Some("used"), "after {n}");
        }
        assert_eq!(cache.get(&id(1), 1), None);
        assert!(cache.young.len() + cache.old.len() <= 22);
    }

    #[test]
    fn what_is_removed_is_gone_from_both_generations() {
        let mut cache = RowCache::new(400);
        for n in 0..3 {
            cache.put(&id(n), 1, 150, "x");
        }
        assert_eq!((cache.old.len(), cache.young.len()), (2, 1));
        (0..3).for_each(|n| cache.remove(&id(n)));
        assert_eq!((cache.get(&id(0), 1), cache.get(&id(2), 1), cache.bytes), (None, None, 0));
    }

    #[test]
    fn an_old_row_is_not_given_for_a_newer_one() {
        let mut cache = RowCache::new(1 << 20);
        cache.put(&id(1), 3, 9, "old");
        assert_eq!((cache.get(&id(1), 3), cache.get(&id(1), 4)), (Some("old"), None));
        cache.put(&id(1), 4, 9, "new");
        assert_eq!(cache.get(&id(1), 4), Some("new"));
        cache.remove(&id(1));
        assert_eq!((cache.get(&id(1), 0), cache.bytes), (None, 0));
        cache.put(&id(1), 4, 9, "new");
        cache.clear();
        assert_eq!(cache.get(&id(1), 0), None);
    }
}
