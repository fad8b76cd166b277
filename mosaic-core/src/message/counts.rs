//! How many tokens something is, kept beside it.

use std::sync::{Mutex, PoisonError};

/// An estimate and the tokenizers of a few candidates.
const KEPT: usize = 4;

/// The token counts of an immutable thing, by who counted; each is made once and kept (the last four of them). A history
/// of 2,000 messages is then counted by adding up 2,000 numbers.
#[derive(Debug, Default)]
pub struct Counts(Mutex<Vec<(&'static str, u64)>>);

impl Counts {
    /// The count by `counter`, if there is one.
    #[must_use]
    pub fn get(&self, counter: &'static str) -> Option<u64> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(by, _)| *by == counter).map(|(_, tokens)| *tokens)
    }

    /// The count by `counter`, made now if there is none.
    pub fn get_or(&self, counter: &'static str, count: impl FnOnce() -> u64) -> u64 {
        // The lock is not held while something is counted: that may take long.
        self.get(counter).unwrap_or_else(|| {
            let tokens = count();
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
