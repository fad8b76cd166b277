//! The storage contract: what a store of session logs must do.
//!
//! A session is a list of rows, numbered from 1 without gaps. Rows are opaque to the store: it orders them, keeps them,
//! and lets only one writer at a time append.

mod error;
mod row;

pub use error::StoreError;
pub use row::{Flush, Lease, ListOptions, Row, SessionInfo};

use std::fmt::Debug;
use std::pin::Pin;

use futures_core::Stream;

use crate::id::{Seq, SessionKey};

/// Rows in order.
pub type RowStream = Pin<Box<dyn Stream<Item = Result<Row, StoreError>> + Send + 'static>>;

/// Keeps session logs.
///
/// # Contract
/// * **Order.** `read` yields rows in the order of their numbers, each exactly once, without gaps.
/// * **Compare and append.** `append` takes rows whose numbers follow `expected`, and only if `expected` is the last
///   number of the log: all of them or none. Otherwise [`StoreError::Conflict`].
/// * **Durable.** When an `append` with [`Flush::Durable`] returns, the rows (and all rows before them) survive what the
///   store's durability promises. Rows of [`Flush::Ordered`] may be lost in a crash, but only from the end of the log.
/// * **Fencing.** An `append` under a lease whose epoch is not the newest fails with [`StoreError::Fenced`], for ever.
/// * **Scope.** Nothing of another tenant or session is ever returned.
/// * A future that is dropped leaves either all or nothing of its work behind.
#[async_trait::async_trait]
pub trait SessionStore: Debug + Send + Sync {
    /// Creates a session with its first rows (numbered from 1), durably.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one of that name.
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError>;

    /// What is known of a session; `None` when there is none.
    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError>;

    /// The sessions of a tenant, by name.
    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError>;

    /// Becomes the only writer of a session. A lease whose holder is dead is taken over.
    ///
    /// # Errors
    /// [`StoreError::Leased`] while another holder lives; [`StoreError::NotFound`].
    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError>;

    /// Gives a lease back. Giving back a lease that is fenced or gone does nothing.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Appends rows and returns the new last number. No rows with [`Flush::Durable`] makes what was appended durable.
    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        flush: Flush,
    ) -> Result<Seq, StoreError>;

    /// Rows from a number on (`Seq(1)` or less: all). Needs no lease.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; a row that cannot be read ends the stream with its error.
    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError>;

    /// Creates session `to` with copies of the rows of `from` up to number `upto`, durably. Needs no lease.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (also when `upto` is past the end), [`StoreError::Exists`].
    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError>;

    /// Removes a session and every trace of it. Removing one that does not exist does nothing.
    ///
    /// # Errors
    /// [`StoreError::Leased`] while somebody writes it.
    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError>;

    /// Finishes what was begun and lets go of everything. Calls after this fail.
    async fn close(&self) -> Result<(), StoreError>;
}
