//! The parts in RAM.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mosaic_core::memory::{Memory, MemoryError, MemoryId, Vector};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::read::{Head, Reading};
use super::rows::RowCache;
use super::schema::Found;
use super::{bring, grow};
use crate::memory::part::Part;
use crate::memory::search::{Rows, Vectors, Wanted};

/// Bytes of memories that are kept at hand ...
const ROWS: usize = 48 << 20;

/// ... and of their vectors.
const VECTORS: usize = 16 << 20;

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

/// A place for a part.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) loaded: Arc<RwLock<Loaded>>,
    pub(super) bytes: AtomicUsize,
    used: AtomicU64,
    /// Somebody lets its graphs grow.
    pub(super) grows: AtomicBool,
}

/// The parts in RAM, and the rows at hand. Shared by all handles of a store.
#[derive(Debug)]
pub(in crate::sqlite) struct Index {
    slots: Mutex<HashMap<i64, Arc<Slot>>>,
    rows: Mutex<RowCache<Arc<Memory>>>,
    vectors: Mutex<RowCache<Arc<[Vector]>>>,
    clock: AtomicU64,
    most: usize,
    graph_from: Option<usize>,
}

impl Index {
    /// An index that keeps about so many bytes of parts, and whatever is being searched, and makes graphs from so many vectors on.
    pub(in crate::sqlite) fn new(most: usize, graph_from: Option<usize>) -> Self {
        Self {
            slots: Mutex::default(),
            rows: Mutex::new(RowCache::new(ROWS)),
            vectors: Mutex::new(RowCache::new(VECTORS)),
            clock: AtomicU64::new(0),
            most,
            graph_from,
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
            let mut guard = slot.loaded.clone().read_owned().await;
            if !guard.is_as_new_as(head) {
                drop(guard);
                let mut newer = slot.loaded.clone().write_owned().await;
                if !newer.is_as_new_as(head) {
                    refresh(&mut newer, head, reading).await?;
                    slot.bytes.store(newer.part.bytes(), Ordering::Relaxed);
                }
                guard = OwnedRwLockWriteGuard::downgrade(newer);
            }
            if let Some(from) = self.graph_from
                && guard.part.grows(from)
            {
                grow::start(&slot, from);
            }
            guards.push(guard);
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

    /// Brings memories: those at hand, and the others from the file.
    pub(super) async fn rows(
        &self,
        tenant: &Arc<str>,
        wanted: &[Wanted],
        reading: &Reading,
    ) -> Result<Rows, MemoryError> {
        let (mut rows, missing) = at_hand(&self.rows, tenant, wanted);
        if !missing.is_empty() {
            let read = bring::memories(reading, &missing).await?;
            let mut kept = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            for Found { n, changed, memory } in read {
                let memory = Arc::new(memory);
                // About: what a memory takes without its texts, which are a few hundred bytes.
                let (key, bytes) = ((tenant.clone(), memory.id), 512 + 2 * memory.text().len());
                kept.put(&key, changed, bytes, memory.clone());
                rows.insert(n, memory);
            }
        }
        Ok(rows)
    }

    /// Brings vectors.
    pub(super) async fn vectors(
        &self,
        tenant: &Arc<str>,
        wanted: &[Wanted],
        reading: &Reading,
    ) -> Result<Vectors, MemoryError> {
        let (mut all, missing) = at_hand(&self.vectors, tenant, wanted);
        if !missing.is_empty() {
            let read = bring::vectors(reading, &missing).await?;
            let mut kept = self.vectors.lock().unwrap_or_else(PoisonError::into_inner);
            for (Wanted { n, id, changed }, vectors) in read {
                let numbers: usize =
                    vectors.iter().map(|vector| vector.values.len() * size_of::<f32>() + 64).sum();
                let vectors: Arc<[Vector]> = vectors.into();
                kept.put(&(tenant.clone(), id), changed, 64 + numbers, vectors.clone());
                all.insert(n, vectors);
            }
        }
        Ok(all)
    }

    /// Memories were used. That is written without telling the index, which has no use for it.
    pub(super) fn used(&self, tenant: &Arc<str>, ids: &[MemoryId]) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().for_each(|id| rows.remove(&(tenant.clone(), *id)));
    }

    /// Forgets everything: something was removed, and shall be in RAM no longer than on disk.
    pub(super) fn forget(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.vectors.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// About how many bytes the parts take.
    pub(super) fn bytes(&self) -> usize {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().map(|slot| slot.bytes.load(Ordering::Relaxed)).sum()
    }
}

/// Those that are at hand, and the others.
fn at_hand<T: Clone>(
    cache: &Mutex<RowCache<T>>,
    tenant: &Arc<str>,
    wanted: &[Wanted],
) -> (HashMap<i64, T>, Vec<Wanted>) {
    let (mut found, mut missing) = (HashMap::with_capacity(wanted.len()), Vec::new());
    let mut kept = cache.lock().unwrap_or_else(PoisonError::into_inner);
    for wanted in wanted {
        match kept.get(&(tenant.clone(), wanted.id), wanted.changed) {
            Some(item) => drop(found.insert(wanted.n, item)),
            None => missing.push(*wanted),
        }
    }
    (found, missing)
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
