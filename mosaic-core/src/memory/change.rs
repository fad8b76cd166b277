//! What may be done to memories.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Memory, MemoryBlock, MemoryId, Vector};
use crate::runtime::Timestamp;

/// The part of a closed memory that stays true: a copy of it, vectors and all, that ends in time.
///
/// "Ann drinks tea" was recorded in January. In June we learn that she has been drinking coffee since May. The first is closed
/// in June, for it is no longer what we believe; but that she drank tea until May we still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// The id of the copy.
    pub id: MemoryId,
    /// Until when it was so: later than the memory's `valid_from`, and no later than its `valid_to`.
    pub until: Timestamp,
}

/// One change. See [`MemoryStore::apply`](super::MemoryStore::apply).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// Adds a memory as it stands, closed ones too.
    Add {
        /// The memory.
        memory: Box<Memory>,
        /// Its vectors, at most one a model.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        vectors: Vec<Vector>,
    },
    /// Believes a memory no longer.
    Close {
        /// Which.
        id: MemoryId,
        /// Since when. A clock that went back behind `recorded_at` closes it at `recorded_at`.
        at: Timestamp,
        /// What stays true of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Kept>,
    },
    /// Adds a memory, and believes another no longer from the moment on that the new one is recorded at.
    Supersede {
        /// Which is no longer believed.
        id: MemoryId,
        /// What is believed instead.
        by: Box<Memory>,
        /// Its vectors.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        vectors: Vec<Vector>,
        /// What stays true of the other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Kept>,
    },
    /// Believes a memory no longer, for another one that is there, and believed, says what is so.
    Yield {
        /// Which.
        id: MemoryId,
        /// The other: [`Memory::superseded_by`] of the one that yields. Closed, or not there, it refuses the change: between the
        /// look at both and the change somebody may have closed it, and then nothing would be left of either.
        to: MemoryId,
        /// Since when. A clock that went back behind `recorded_at` closes it at `recorded_at`.
        at: Timestamp,
        /// What stays true of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Kept>,
    },
    /// Counts that memories were used. Those that are gone are passed over. Searches of other processes may show an older count for a
    /// while.
    Touch {
        /// Which.
        ids: Vec<MemoryId>,
        /// When.
        at: Timestamp,
    },
    /// Gives a memory vectors, in place of those of the same models. Does nothing where the memory is gone.
    PutVectors {
        /// Which.
        id: MemoryId,
        /// The vectors.
        vectors: Vec<Vector>,
    },
    /// Takes away all vectors of a model, in the scope of the call: it was replaced by another.
    DropVectors {
        /// The model.
        model: Arc<str>,
    },
    /// Removes a memory: nothing gives it any more, its row is overwritten. That no copy is left in the files either, only
    /// [`erase`](super::MemoryStore::erase) promises. Does nothing where it is gone.
    Remove {
        /// Which.
        id: MemoryId,
    },
    /// Writes a core block.
    PutBlock {
        /// The block.
        block: MemoryBlock,
        /// Only if the block has this version; 0 stands for "there is none".
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<u64>,
    },
    /// Removes a core block of exactly the scope of the call. Does nothing where there is none.
    RemoveBlock {
        /// Its name.
        name: Arc<str>,
    },
}

impl Change {
    /// Adds a memory.
    #[must_use]
    pub fn add(memory: Memory, vectors: Vec<Vector>) -> Self {
        Self::Add { memory: Box::new(memory), vectors }
    }

    /// Puts a memory in the place of another.
    #[must_use]
    pub fn supersede(id: MemoryId, by: Memory, vectors: Vec<Vector>, kept: Option<Kept>) -> Self {
        Self::Supersede { id, by: Box::new(by), vectors, kept }
    }
}
