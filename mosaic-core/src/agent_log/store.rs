//! The contract of a store of agent logs.

use std::fmt::Debug;
use std::sync::Arc;

use super::{AgentLogError, HotDay, LogFilter, LogKey, LogQuery, LogRow, LogTable, Registered, TierChange};
use crate::memory::Scope;

/// Keeps the rows of agent logs, summaries of those that have left, and where they went.
///
/// # Contract
/// * **Scope.** Every read and write names a tenant, and gives and changes nothing of another. (`tenants` is for upkeep.)
/// * **Once.** A row that is put again stays as it is: recording a run is done as often as one likes.
/// * **All or nothing, and durable.** When `put`, `apply` or `erase` has returned, what it did survives what the store's durability
///   promises; when it failed, it did nothing.
/// * **Read your writes.** What they have returned for, every read that begins after it gives, through any handle on the same data.
/// * **One move.** The changes of an `apply` are seen together or not at all; they follow [the table of states](super::TierChange), and
///   a change that does not fit what is there is [`AgentLogError::Conflict`].
/// * **Erased is gone.** `erase` removes, and leaves no trace.
/// * **Dropped futures.** A future that is dropped leaves either all or nothing of its work behind.
///
/// Names are any Unicode text, the empty one too; they are compared byte by byte. What is refused is the same for all stores: see
/// [`check`](super::check).
///
/// The suite that checks all this is `mosaic_core::agent_log::conformance` (feature `testing`).
#[async_trait::async_trait]
pub trait AgentLogStore: Debug + Send + Sync {
    /// Adds rows, of one tenant or of several; says how many were not there. What was moved to an archive does not count as there.
    ///
    /// # Errors
    /// [`AgentLogError::Invalid`].
    async fn put(&self, rows: Vec<LogRow>) -> Result<u64, AgentLogError>;

    /// A page of the rows that are here, not of those that were moved.
    async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError>;

    /// What the rows that are here come to.
    async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError>;

    /// Removes the rows of a scope that are here, and its summaries, unless a session is named, which summaries do not tell apart. Says
    /// how many rows there were. What is in an archive stays: see [`TierChange`].
    async fn erase(&self, scope: &Scope) -> Result<u64, AgentLogError>;

    /// Everybody of whom there is something: rows, summaries or segments. In order.
    async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError>;

    /// How much is here of each day, oldest first.
    async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError>;

    /// What the summaries of the days that lie wholly in the filter's time come to. Summaries do not know sessions and runs: a filter
    /// that names one finds nothing, and no group has one.
    async fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError>;

    /// The register of segments: those of the days that the filter's time meets, in the order of their days and names. Of the
    /// filter only the tenant and the time count.
    async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError>;

    /// Moves rows, all or none of it.
    ///
    /// # Errors
    /// [`AgentLogError::Conflict`] when something is not as a change expects it.
    async fn apply(&self, tenant: &str, changes: Vec<TierChange>) -> Result<(), AgentLogError>;
}
