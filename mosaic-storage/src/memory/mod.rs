//! What the stores of memories share: the rules of changes, and the index that is searched.
//!
//! ```text
//! part (a tenant's user)     docs: times, agent, session, kind, tags ──> who is admitted?
//!   = columns                words: stem -> (doc, count)             ──> BM25 of a doc, and of it with its neighbours
//!                            vectors: a block a model                ──> dot products of small numbers
//!                                                                          │ best of each arm
//!                            rows (the store's own) <──────────────────────┘ exact cosine, neighbours, memories
//! ```
//!
//! The index of a part is a copy in RAM of what a store keeps: RAM itself, or SQLite, which loads it when it is first asked for and
//! lets go of it when others need the room. It holds no text.
//!
//! Why not SQLite's own full text (FTS5)? It was measured: 50,000 turns, questions of LoCoMo, the best 50 by bm25: 43 ms in the
//! median, for it looks at each row that holds any of the words; this takes less than a twentieth. It would also count words over
//! all tenants, so that one could see in one's scores what others keep, and leave deleted words in its shadow tables.

pub(crate) mod bm25;
pub(crate) mod lexical;
pub(crate) mod part;
pub(crate) mod plan;
pub(crate) mod search;
mod words;

use std::sync::Arc;

use mosaic_core::memory::{Memory, Vector};

/// A memory as it is kept, with all its vectors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) memory: Arc<Memory>,
    pub(crate) vectors: Vec<Vector>,
}

/// Adds to a list that may be large and stays: it grows by an eighth, not to twice its size, most of which would be air.
pub(crate) fn push_tight<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 8).max(4));
    }
    list.push(item);
}
