//! Upkeep: jobs that keep memories in order.
//!
//! What is written stays as it was written: twice, where two processes learned it at the same moment; with the vectors of a model
//! that is to be replaced; and for ever. Somebody must tidy up, in the background, and stand being killed in the middle.
//!
//! | kind of job | does | goes on after a kill, for |
//! | --- | --- | --- |
//! | [`REEMBED`] | gives all memories of a scope vectors of a new model, then drops the old ones | what has a vector is not embedded again |
//! | [`CONSOLIDATE`] | joins what is there twice, settles contradictions, closes what has faded, removes what was closed long ago | each step is one transaction, after which there is less to do |
//!
//! Doing them again does no harm, and on its second run a job changes nothing. Neither asks a language model.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::memory::{Change, Memory, MemoryBody, MemoryId, MemoryStore, Scope};
//! use mosaic_core::queue::{Budget, Queue, RamQueue};
//! use mosaic_core::{Runtime, RuntimeExt, TokioRuntime};
//! use mosaic_memory::embed::HashingEmbedder;
//! use mosaic_memory::upkeep::{Consolidate, Consolidation, Reembed, Reembedding};
//! use mosaic_storage::RamStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime::current()?);
//! let store: Arc<dyn MemoryStore> = Arc::new(RamStore::new().memories());
//! let ann = Scope::of("acme").user("ann");
//! for _ in 0..2 {
//!     // Two processes that heard the same.
//!     let body = MemoryBody::Insight { text: "Ann has a dog called Rex.".into() };
//!     let memory = Memory::new(MemoryId(runtime.uuid()), ann.clone(), body, runtime.now());
//!     store.apply(&ann, vec![Change::add(memory, vec![])]).await?;
//! }
//!
//! let queue = Queue::new(Arc::new(RamQueue::new()), runtime)
//!     .handler(Reembed::new(store.clone(), Arc::new(HashingEmbedder::new(256))))
//!     .handler(Consolidate::new(store.clone()));
//! queue.add(Reembedding::new(ann.clone(), "hashing-256").job()).await?;
//! queue.add(Consolidation::new(ann.clone()).job()).await?; // or every night: `queue.schedule(..)`
//! assert_eq!(queue.run_due_jobs(Budget::jobs(2)).await?.done, 2);
//!
//! let counts = store.counts(&ann).await?;
//! assert_eq!((counts.memories, counts.open, counts.vectors["hashing-256"]), (2, 1, 2));
//! # Ok(())
//! # }
//! ```

mod consolidate;
mod decay;
mod reembed;
mod step;

pub use consolidate::{
    CONSOLIDATE, Consolidate, Consolidation, ConsolidationReport, ConsolidationRules, Joined,
};
pub use decay::Decay;
pub use reembed::{Progress, REEMBED, Reembed, ReembedReport, Reembedding, Skipped, progress};
