//! How many tokens something is, kept beside it.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// An estimate and the tokenizers of a few candidates.
const KEPT: usize = 4;

/// The token counts of an immutable thing, by who counted; each is made once and kept (the last four of them). A history
/// of 2,000 messages is then counted by adding up 2,000 numbers.
///
/// Most things are never counted, so the list is made by the first count.
#[derive(Debug, Default)]
pub struct Counts(OnceLock<Box<Kept>>);

type Kept = Mutex<Vec<(&'static str, u64)>>;

impl Counts {
    /// The count by `counter`, if there is one.
    #[must_use]
    pub fn get(&self, counter: &'static str) -> Option<u64> {
        let kept = lock(self.0.get()?);
        kept.iter().find(|(by, _)| *by == counter).map(|(_, tokens)| *tokens)
    }

    /// The count by `counter`, made now if there is none.
    pub fn get_or(&self, counter: &'static str, count: impl FnOnce() -> u64) -> u64 {
        // The lock is not held while something is counted: that may take long.
        self.get(counter).unwrap_or_else(|| {
            let tokens = count();
            let mut kept = lock(self.0.get_or_init(Box::default));
            if !kept.iter().any(|(by, _)| *by == counter) {
                if kept.len() == KEPT {
                    kept.remove(0);
                }
                kept.push((counter, tokens));
            }
            tokens
        })
    }
}

fn lock(kept: &Kept) -> MutexGuard<'_, Vec<(&'static str, u64)>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
