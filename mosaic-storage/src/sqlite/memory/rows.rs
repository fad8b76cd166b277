//! Rows at hand: those that were used last.

use std::collections::HashMap;

use mosaic_core::memory::MemoryId;

#[derive(Debug)]
struct Kept<T> {
    changed: i64,
    bytes: usize,
    item: T,
}

/// Two generations: what is used moves to the young one; when that is full the old one goes.
#[derive(Debug)]
pub(super) struct RowCache<T> {
    young: HashMap<MemoryId, Kept<T>>,
    old: HashMap<MemoryId, Kept<T>>,
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
    pub(super) fn get(&mut self, id: MemoryId, changed: i64) -> Option<T> {
        if let Some(kept) = self.old.remove(&id) {
            self.keep(id, kept);
        }
        self.young.get(&id).filter(|kept| kept.changed >= changed).map(|kept| kept.item.clone())
    }

    /// Keeps a row of about so many bytes.
    pub(super) fn put(&mut self, id: MemoryId, changed: i64, bytes: usize, item: T) {
        self.old.remove(&id);
        self.keep(id, Kept { changed, bytes, item });
    }

    fn keep(&mut self, id: MemoryId, kept: Kept<T>) {
        self.bytes += kept.bytes;
        if let Some(before) = self.young.insert(id, kept) {
            self.bytes -= before.bytes;
        }
        if self.bytes > self.most / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }

    /// Lets go of a row that was changed without the index being told.
    pub(super) fn remove(&mut self, id: MemoryId) {
        self.old.remove(&id);
        if let Some(kept) = self.young.remove(&id) {
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

    fn id(n: u128) -> MemoryId {
        MemoryId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut cache = RowCache::new(2_000);
        cache.put(id(0), 1, 100, "used");
        for n in 1..100 {
            cache.put(id(n), 1, 100, "x");
            assert_eq!(cache.get(id(0), 1), Some("used"), "after {n}");
        }
        assert_eq!(cache.get(id(1), 1), None);
        assert!(cache.young.len() + cache.old.len() <= 22);
    }

    #[test]
    fn an_old_row_is_not_given_for_a_newer_one() {
        let mut cache = RowCache::new(1 << 20);
        cache.put(id(1), 3, 9, "old");
        assert_eq!((cache.get(id(1), 3), cache.get(id(1), 4)), (Some("old"), None));
        cache.put(id(1), 4, 9, "new");
        assert_eq!(cache.get(id(1), 4), Some("new"));
        cache.remove(id(1));
        assert_eq!((cache.get(id(1), 0), cache.bytes), (None, 0));
        cache.put(id(1), 4, 9, "new");
        cache.clear();
        assert_eq!(cache.get(id(1), 0), None);
    }
}
