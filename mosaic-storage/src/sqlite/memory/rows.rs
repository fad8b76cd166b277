//! Rows at hand: those that were used last.

use std::collections::HashMap;
use std::sync::Arc;

use crate::memory::Stored;

#[derive(Debug)]
struct Kept {
    changed: i64,
    bytes: usize,
    stored: Arc<Stored>,
}

/// Two generations: what is used moves to the young one; when that is full the old one goes.
#[derive(Debug)]
pub(super) struct RowCache {
    young: HashMap<i64, Kept>,
    old: HashMap<i64, Kept>,
    /// Of the young ones.
    bytes: usize,
    /// Of both generations.
    most: usize,
}

impl RowCache {
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), bytes: 0, most }
    }

    /// The row of a number, if it is as new as this.
    pub(super) fn get(&mut self, n: i64, changed: i64) -> Option<Arc<Stored>> {
        if let Some(kept) = self.old.remove(&n) {
            self.keep(n, kept);
        }
        self.young.get(&n).filter(|kept| kept.changed >= changed).map(|kept| kept.stored.clone())
    }

    pub(super) fn put(&mut self, n: i64, changed: i64, stored: Arc<Stored>) {
        let memory = &stored.memory;
        let text =
            memory.text().len() + memory.metadata.iter().map(|(name, _)| name.len() + 64).sum::<usize>();
        let numbers: usize =
            stored.vectors.iter().map(|vector| vector.values.len() * size_of::<f32>() + 64).sum();
        self.old.remove(&n);
        self.keep(n, Kept { changed, bytes: text + numbers + 512, stored });
    }

    fn keep(&mut self, n: i64, kept: Kept) {
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
    use mosaic_core::Timestamp;
    use mosaic_core::memory::{Memory, MemoryBody, MemoryId, Scope};

    use super::*;

    fn stored(n: u128) -> Arc<Stored> {
        let body = MemoryBody::Insight { text: "x".into() };
        let memory = Memory::new(MemoryId(uuid::Uuid::from_u128(n)), Scope::default(), body, Timestamp(0));
        Arc::new(Stored { memory: Arc::new(memory), vectors: Vec::new() })
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut cache = RowCache::new(20 * 513);
        cache.put(0, 1, stored(0));
        for n in 1..100 {
            cache.put(n, 1, stored(n as u128));
            assert!(cache.get(0, 1).is_some(), "used after {n}");
        }
        assert!(cache.get(1, 1).is_none());
        assert!(cache.young.len() + cache.old.len() <= 22);
    }

    #[test]
    fn an_old_row_is_not_given_for_a_newer_one() {
        let mut cache = RowCache::new(1 << 20);
        cache.put(1, 3, stored(1));
        assert!(cache.get(1, 3).is_some() && cache.get(1, 4).is_none());
        cache.put(1, 4, stored(1));
        assert!(cache.get(1, 4).is_some());
        cache.clear();
        assert!(cache.get(1, 0).is_none());
    }
}
