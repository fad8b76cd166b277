//! Breaker states that processes share.
//!
//! One process that learns that a candidate is down saves the others their failed calls, and one probe is enough for all.
//! A [`HealthStore`] carries the states; the router itself only ever reads what it knows locally:
//!
//! ```text
//!            reads                     writes, after the fact
//! pick ────────────> local view <──┬── turns: opened, begun, well, dropped ──┐
//!                                  │                                         ├─ compare and swap ─> store
//!                                  │   a probe is claimed before it asks ────┘                        │
//!                                  └────────────────── refresh, at most every second ─────────────────┘
//! ```
//!
//! | question | answer |
//! | --- | --- |
//! | what is written | turns of a breaker; a call that goes well while nothing was wrong writes nothing |
//! | how old is the view | at most twice [`refresh`](super::BreakerPolicy::refresh) when a call begins, while the store answers in time: a call that begins with an older one waits |
//! | how many probes | one at a time over all processes, while the store answers in time |
//! | the owner of a probe dies | its lease expires ([`probe`](super::BreakerPolicy::probe)) |
//! | two write at once | the later `until` wins; a write that comes late is worked out again over what is there, and never shortens a cooldown |
//! | the store is slow, down or full of garbage | a call waits for it no longer than [`patience`](super::BreakerPolicy::patience) at a time; the breaker works with what its process knows, a warning says so, and once it has failed nobody waits until it has answered again |
//! | the store is made anew | each process keeps its own cooldowns and writes them again, if it looks before the new versions have reached the old ones |
//! | whose states | those of all routers with one [`name`](super::RouterBuilder::name), candidate by candidate |
//!
//! Times are those of the writer's clock. With clocks that differ by some seconds, a cooldown ends so much earlier or
//! later elsewhere, but never lasts longer than it was meant to from when it was read; and there is one probe at a time as long as
//! the clocks differ by less than what is left of the lease when the probe has its first event.
//!
//! ```
//! # use std::sync::Arc;
//! # use mosaic_core::{ChatModel, testing::{ScriptedModel, TestRuntime}};
//! use mosaic_core::router::health::RamHealthStore;
//! use mosaic_core::router::{Candidate, Router};
//! # let model = || -> Arc<dyn ChatModel> { Arc::new(ScriptedModel::new([])) };
//! # let runtime = || Arc::new(TestRuntime::new(1));
//!
//! // For many processes: `SqliteHealthStore` of `mosaic-storage`, or a store of your own.
//! let store = Arc::new(RamHealthStore::new());
//! let router = |store| {
//!     let builder = Router::builder(runtime()).name("chat").health(store);
//!     builder.candidate(Candidate::new("east", model())).candidate(Candidate::new("west", model())).build()
//! };
//! let (one, two) = (router(store.clone())?, router(store)?);
//! # Ok::<(), mosaic_core::router::RouterError>(())
//! ```

#[cfg(feature = "testing")]
pub mod conformance;
mod link;
mod ram;
mod replica;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod turn;

use std::fmt::Debug;
use std::sync::Arc;

use crate::store::StoreError;

pub(super) use link::{Claimed, Link};
pub use ram::RamHealthStore;
pub(super) use replica::Replica;
pub(super) use shared::Shared;
pub use state::{Health, Probe};
pub(super) use turn::{By, Turn, What};

/// Keeps the states of breakers, for all who may read it.
///
/// A state is text to the store ([`Health`] as JSON, which people may read); it orders the states and keeps the last one of
/// each candidate. Name-spaces, candidates and states are any Unicode text, compared byte by byte.
///
/// # Contract
/// * **Compare and swap.** `swap` writes only where `expected` is the version of the candidate's state, 0 where there is
///   none; otherwise it changes nothing and tells what is there. Of several at once exactly one writes.
/// * **Versions grow.** From 1 on; 0 is the version of nothing. A state gets a version that is greater than every other of its name-space before it. Versions become
///   visible in their order: who has seen one never finds a smaller one later that was not there.
/// * **Read your writes.** What a `swap` has returned for, each later `load` gives, on every handle.
/// * **Dropped futures.** A `swap` that is dropped has written all or nothing.
///
/// What is stored need not survive a power cut: a state is worth some minutes. Locks must not be held between calls.
///
/// The suite that checks all this is `mosaic_core::router::health::conformance` (feature `testing`).
#[async_trait::async_trait]
pub trait HealthStore: Debug + Send + Sync {
    /// The states of a name-space that are newer than a version; 0 gives all.
    ///
    /// # Errors
    /// What the medium does. The router goes on without.
    async fn load(&self, space: &str, since: u64) -> Result<HealthPage, StoreError>;

    /// Writes a candidate's state in the place of the one with the version `expected`.
    ///
    /// # Errors
    /// What the medium does. The router goes on without.
    async fn swap(
        &self,
        space: &str,
        candidate: &str,
        expected: u64,
        state: String,
    ) -> Result<Swap, StoreError>;
}

/// States of a name-space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthPage {
    /// The newest version of the name-space; 0 where nothing was ever written.
    pub version: u64,
    /// In any order.
    pub rows: Vec<HealthRow>,
}

/// The state of one candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRow {
    /// Which.
    pub candidate: Arc<str>,
    /// Which of its states.
    pub version: u64,
    /// The state, as it was written.
    pub state: String,
}

/// How a `swap` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    /// Written.
    Done {
        /// The version of what was written.
        version: u64,
    },
    /// Not written: there is another state than expected.
    Conflict {
        /// What is there.
        row: Option<HealthRow>,
    },
}
