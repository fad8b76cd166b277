//! Lets the graphs of large parts grow, in a thread of its own: taking a million vectors in takes minutes, and nobody waits for it.
//!
//! The thread holds the part for a few rows at a time, as a reader. It ends when there is nothing to do, or when the part was let go
//! of. A graph lies in RAM alone: nothing of an erased memory stays in one, and it is never out of step with the file.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::index::Slot;

/// So many rows are taken in before others may have the part: some milliseconds.
const STEP: usize = 32;

/// Starts to work on a part, unless somebody does.
pub(super) fn start(slot: &Arc<Slot>, from: usize) {
    if slot.grows.swap(true, Ordering::AcqRel) {
        return;
    }
    let weak = Arc::downgrade(slot);
    let work = move || {
        while let Some(slot) = weak.upgrade() {
            let loaded = slot.loaded.blocking_read();
            if !loaded.part.grow(from, STEP) {
                slot.bytes.store(loaded.part.bytes(), Ordering::Relaxed);
                slot.grows.store(false, Ordering::Release);
                return;
            }
        }
    };
    // Without a thread searches scan, and the next one tries again.
    if thread::Builder::new().name("mosaic-graph".into()).spawn(work).is_err() {
        slot.grows.store(false, Ordering::Release);
    }
}
