//! The parts in RAM.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mosaic_core::memory::MemoryError;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::read::{Head, Reading};
use super::rows::RowCache;
use crate::memory::Stored;
use crate::memory::part::Part;
use crate::memory::search::Rows;
use mosaic_core::memory::MemoryId;

/// Bytes of rows that are kept at hand.
const ROWS: usize = 8 << 20;

/// A part, and how new it is.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) part: Part,
    changed: i64,
    cleared: i64,
}

impl Loaded {
    fn is_as_new_as(&self, head: &Head) -> bool {
        self.changed >= head.changed && self.cleared >= head.cleared
    }
}

#[derive(Debug, Default)]
struct Slot {
    loaded: Arc<RwLock<Loaded>>,
    bytes: AtomicUsize,
    used: AtomicU64,
}

/// The parts in RAM, and the rows at hand. Shared by all handles of a store.
#[derive(Debug)]
pub(in crate::sqlite) struct Index {
    slots: Mutex<HashMap<i64, Arc<Slot>>>,
    rows: Mutex<RowCache>,
    clock: AtomicU64,
    most: usize,
}

impl Index {
    /// An index that keeps about so many bytes of parts, and whatever is being searched.
    pub(in crate::sqlite) fn new(most: usize) -> Self {
        Self {
            slots: Mutex::default(),
            rows: Mutex::new(RowCache::new(ROWS)),
            clock: AtomicU64::new(0),
            most,
        }
    }

    /// The parts, as new as the heads say. `heads` are in the order of their ids: whoever waits for several waits in one order.
    pub(super) async fn parts(
        &self,
        heads: &[Head],
        reading: &Reading,
    ) -> Result<Vec<OwnedRwLockReadGuard<Loaded>>, MemoryError> {
        let mut guards = Vec::with_capacity(heads.len());
        for head in heads {
            let slot = self.slot(head);
            let guard = slot.loaded.clone().read_owned().await;
            if guard.is_as_new_as(head) {
                guards.push(guard);
                continue;
            }
            drop(guard);
            let mut guard = slot.loaded.clone().write_owned().await;
            if !guard.is_as_new_as(head) {
                refresh(&mut guard, head, reading).await?;
                slot.bytes.store(guard.part.bytes(), Ordering::Relaxed);
            }
            guards.push(OwnedRwLockWriteGuard::downgrade(guard));
        }
        self.evict(heads);
        Ok(guards)
    }

    fn slot(&self, head: &Head) -> Arc<Slot> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(head.part).or_default();
        slot.used.store(now, Ordering::Relaxed);
        slot.clone()
    }

    /// Lets go of the parts that were used longest ago, but not of those in use, until the rest is small enough.
    fn evict(&self, heads: &[Head]) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes: usize = slots.values().map(|slot| slot.bytes.load(Ordering::Relaxed)).sum();
        while bytes > self.most {
            let idle = slots.iter().filter(|(part, _)| !heads.iter().any(|head| head.part == **part));
            let Some(part) =
                idle.min_by_key(|(_, slot)| slot.used.load(Ordering::Relaxed)).map(|(part, _)| *part)
            else {
                break;
            };
            bytes -= slots.remove(&part).map_or(0, |slot| slot.bytes.load(Ordering::Relaxed));
        }
    }

    /// Brings rows: those at hand, and the others from the file.
    pub(super) async fn rows(
        &self,
        wanted: &[(MemoryId, i64, i64)],
        reading: &Reading,
        rows: &mut Rows,
    ) -> Result<(), MemoryError> {
        let mut missing = Vec::new();
        {
            let mut kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            for (_, n, changed) in wanted {
                if rows.contains_key(n) {
                    continue;
                }
                match kept.get(*n, *changed) {
                    Some(stored) => drop(rows.insert(*n, stored)),
                    None => missing.push(*n),
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let mut read: Vec<(i64, i64, Arc<Stored>)> = Vec::with_capacity(missing.len());
        reading.rows(&missing, |n, changed, stored| read.push((n, changed, Arc::new(stored)))).await?;
        let mut kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        for (n, changed, stored) in read {
            kept.put(n, changed, stored.clone());
            rows.insert(n, stored);
        }
        Ok(())
    }

    /// Forgets everything: something was removed, and shall be in RAM no longer than on disk.
    pub(super) fn forget(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// About how many bytes the parts take.
    pub(super) fn bytes(&self) -> usize {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().map(|slot| slot.bytes.load(Ordering::Relaxed)).sum()
    }
}

async fn refresh(loaded: &mut Loaded, head: &Head, reading: &Reading) -> Result<(), MemoryError> {
    if loaded.cleared < head.cleared {
        *loaded = Loaded { cleared: head.cleared, ..Loaded::default() };
    }
    let mut newest = head.changed;
    let part = &mut loaded.part;
    let read = reading
        .changed_since(head.part, loaded.changed, |n, changed, stored| {
            newest = newest.max(changed);
            part.put(n, changed, &stored.memory, &stored.vectors);
        })
        .await;
    match read {
        // All that the head knew of is in it.
        Ok(()) => loaded.changed = newest,
        // Some rows may be in it. It is as old as before, and taking them in again does no harm.
        Err(error) => return Err(error),
    }
    Ok(())
}
