//! What something was encoded to, kept beside it.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// As many forms as a router has candidates, with some to spare.
const KEPT: usize = 8;

/// The encoded forms of an immutable thing, by the encoder's key; each is made at the first request and kept
/// (the last eight of them).
///
/// Encoding a long history again for every call is what makes agent libraries slow (2,000 messages: 0.55 ms in
/// hand-written Rust, hundreds of milliseconds in others).
#[derive(Debug, Default)]
pub struct Fragments(Mutex<Vec<(u64, Bytes)>>);

impl Fragments {
    /// The form for `key`, encoded now if it never was.
    ///
    /// # Errors
    /// What `encode` returns; a failure is not kept.
    pub fn get<E>(&self, key: u64, encode: impl FnOnce() -> Result<Bytes, E>) -> Result<Bytes, E> {
        // The lock is never held while foreign code runs, so a poisoned one still guards a whole list.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A session talks to one or two models, so a list beats a map.
        if let Some((_, bytes)) = lock().iter().find(|(of, _)| *of == key) {
            return Ok(bytes.clone());
        }
        let bytes = encode()?;
        let mut fragments = lock();
        if !fragments.iter().any(|(of, _)| *of == key) {
            // A host that makes a new model for every turn must not fill the memory with forms that nobody asks for.
            if fragments.len() == KEPT {
                fragments.remove(0);
            }
            fragments.push((key, bytes.clone()));
        }
        Ok(bytes)
    }
}
