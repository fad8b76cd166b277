//! The contract: changes in, memories out.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;

use super::{
    Candidates, Change, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage, Reach, Record,
    Scope, SearchQuery,
};

/// All that is kept of a scope, piece by piece.
pub type RecordStream = Pin<Box<dyn Stream<Item = Result<Record, MemoryError>> + Send + 'static>>;

/// Keeps memories.
///
/// # Contract
/// * **Scope.** Every call names a scope, and nothing outside of it is read, changed or told of, not even that it exists. Nobody
///   ever sees another tenant's rows.
/// * **All or nothing.** `apply` makes all of its changes, in their order, or none. A later one sees what an earlier one did.
/// * **Durable.** When `apply` has returned, its changes survive what the store's durability promises, except [`Change::Touch`],
///   of which the newest may be lost.
/// * **Read your writes.** What an `apply` has returned for, every read that begins after it gives, through any handle on
///   the same data. Only the access counts of what a search returns may lag behind.
/// * **Nothing is overwritten.** A memory's text never changes; closing keeps it for questions about the past. Only
///   [`Change::Remove`] and [`erase`](Self::erase) remove, and nothing gives what is gone any more.
/// * **No trace.** When [`erase`](Self::erase) has returned, it has left no trace in the store's files either, at the latest when nobody
///   reads any more who began before. [`Change::Remove`] promises less, for it must not cost what writing a large store anew costs: the row itself is
///   overwritten, but copies that the medium made of it may stay until the next `erase`, of whatever scope. What a store cannot
///   reach (backups, logs of a server, its files until they are vacuumed), it documents.
/// * **Scores.** A candidate's score of an arm does not depend on what other tenants or users keep.
/// * **Dropped futures.** A future that is dropped leaves either all or nothing of its work behind.
///
/// Names (tenants, users, agents, sessions, models, blocks) are any Unicode text, the empty one too; they are compared byte by
/// byte. What is refused, and how large a thing may be, is the same for all stores: see [`check`](super::check).
///
/// The suite that checks all this is `mosaic_core::memory::conformance` (feature `testing`).
#[async_trait::async_trait]
pub trait MemoryStore: Debug + Send + Sync {
    /// Makes changes, all or none. What is added must lie in the scope, what is changed is looked for in it.
    ///
    /// # Errors
    /// [`MemoryError::Invalid`], [`MemoryError::OutOfScope`], [`MemoryError::Width`], [`MemoryError::NotFound`] and
    /// [`MemoryError::Closed`] (of what is closed or superseded), [`MemoryError::Exists`], [`MemoryError::Changed`].
    async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError>;

    /// The best candidates of each arm, and their neighbours.
    ///
    /// # Errors
    /// [`MemoryError::Invalid`]; [`MemoryError::Width`] for a vector of another length than those of its model.
    async fn search(&self, query: SearchQuery) -> Result<Candidates, MemoryError>;

    /// Memories by their ids, in that order; `None` for those that are not in the scope.
    async fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Result<Vec<Option<Arc<Memory>>>, MemoryError>;

    /// The memories in a scope, in the order of their ids.
    async fn list(&self, scope: &Scope, page: MemoryPage) -> Result<Vec<Arc<Memory>>, MemoryError>;

    /// The memories in a scope that have no vector of a model, closed ones too, in the order of their ids, after `after`, at
    /// most `limit`: what is still to be embedded. With the last id of a page as the next `after`, a job that embeds in the
    /// background goes on where it stopped; without, it finds what was added behind its back.
    async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError>;

    /// The core blocks that a scope sees, wider scopes first, then by name.
    async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError>;

    /// How much there is in a scope.
    async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError>;

    /// All that is kept in a scope: memories in the order of their ids, with their vectors, then blocks. What is changed
    /// while the stream is read may be in it or not.
    async fn export(&self, scope: &Scope) -> Result<RecordStream, MemoryError>;

    /// Removes everything in a scope, every trace of it, and tells what there was. It also takes the traces of what was removed before; for that
    /// the scope may be empty. All or nothing: after an error it is to be done again. It may take as long as writing all that the
    /// store keeps, and others wait that long with changes.
    async fn erase(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError>;
}
