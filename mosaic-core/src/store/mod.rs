//! The storage contract: what a store of session logs must do.
//!
//! A session is a list of rows, numbered from 1 without gaps. Rows are opaque to the store: it orders them, keeps them,
//! and lets only one writer at a time append.

#[cfg(feature = "testing")]
pub mod conformance;
mod error;
mod row;

pub use error::StoreError;
pub use row::{Flush, Lease, ListOptions, Row, SessionInfo};

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;

use crate::id::{Seq, SessionKey};

/// Rows in order.
pub type RowStream = Pin<Box<dyn Stream<Item = Result<Row, StoreError>> + Send + 'static>>;

/// Keeps session logs.
///
/// # Contract
/// * **Order.** `read` yields rows in the order of their numbers, each exactly once, without gaps, as they were written.
/// * **Compare and append.** `append` takes rows whose numbers follow `expected`, and only if `expected` is the last
///   number of the log: all of them or none. Otherwise [`StoreError::Conflict`]. Rows that are not numbered so are
///   [`StoreError::Misnumbered`].
/// * **Read your writes.** What an `append` has returned for, durable or ordered, the next `read` and `find` give.
/// * **Durable.** When an `append` with [`Flush::Durable`] returns, the rows (and all rows before them) survive what the
///   store's durability promises. Rows of [`Flush::Ordered`] may be lost in a crash, but only from the end of the log.
/// * **Fencing.** An `append` under a lease that was released, or whose epoch is not the newest, fails with
///   [`StoreError::Fenced`], for ever: also when the session was erased and made anew in between. A writer that is both
///   fenced and behind gets `Fenced`.
/// * **Scope.** Nothing of another tenant or session is ever returned, and nothing is copied from tenant to tenant.
/// * **Dropped futures.** A future that is dropped leaves either all or nothing of its work behind, and no lease.
///
/// A name, a tenant and a kind are any Unicode text, the empty one too; they are compared byte by byte.
///
/// The suite that checks all this is `mosaic_core::store::conformance` (feature `testing`). A store passes when
/// `check_all` does.
#[async_trait::async_trait]
pub trait SessionStore: Debug + Send + Sync {
    /// Creates a session with its first rows (numbered from 1; at least one), durably. It is leased to nobody.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one of that name; [`StoreError::Misnumbered`].
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError>;

    /// What is known of a session; `None` when there is none.
    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError>;

    /// The sessions of a tenant, in the order of their names (byte by byte).
    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError>;

    /// The tenants that have sessions, in order (byte by byte): for those who look after all of them.
    ///
    /// # Errors
    /// A store that was written before this was asked for says [`StoreError::Other`].
    async fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        let source = "this store cannot do that; look after each tenant by name".into();
        Err(StoreError::Other { store: "a store".into(), action: "listing tenants", source })
    }

    /// Becomes the only writer of a session. A lease whose holder is dead is taken over.
    ///
    /// # Errors
    /// [`StoreError::Leased`] while another holder lives; [`StoreError::NotFound`].
    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError>;

    /// Gives a lease back. Giving back a lease that is fenced or gone does nothing.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Appends rows and returns the new last number. No rows with [`Flush::Durable`] makes what was appended durable.
    ///
    /// # Errors
    /// [`StoreError::Misnumbered`], [`StoreError::NotFound`], [`StoreError::Fenced`], [`StoreError::Conflict`] (looked for in
    /// this order), and what the medium does: [`StoreError::Full`] and its like.
    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        flush: Flush,
    ) -> Result<Seq, StoreError>;

    /// Rows from a number on (`Seq(1)` or less: all; past the end: none). Needs no lease. Rows that are appended while
    /// the stream is read may be in it or not.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; a row that cannot be read ends the stream with its error.
    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError>;

    /// Creates session `to` with copies of the rows of `from` up to number `upto`, durably. Needs no lease.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NoEntry`] when `upto` is 0 or past the end, [`StoreError::Exists`],
    /// [`StoreError::OtherTenant`] when the two are not of one tenant.
    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError>;

    /// Removes a session and every trace of it. Removing one that does not exist changes nothing that can be read, but takes the traces that
    /// [`erase_leased`](Self::erase_leased) may have left. Forks are sessions of their own and stay. All or nothing: after an error it is
    /// to be done again. It may take as long as writing all sessions, and others wait that long with changes; whoever erases many asks for
    /// them at once, not one after the other.
    ///
    /// # Errors
    /// [`StoreError::Leased`] while somebody writes it.
    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError>;

    /// Removes a session, as the holder of its lease, which ends with it, and only if `expected` is the last number of
    /// the log: for those who have brought it elsewhere, so that nobody can write between the look and the removal. The rows are overwritten;
    /// copies that the medium made of them may stay until the next [`erase`](Self::erase), of whatever session.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Fenced`], [`StoreError::Conflict`] (looked for in this order). A store that was written before
    /// this was asked for says [`StoreError::Other`].
    async fn erase_leased(&self, lease: &Lease, expected: Seq) -> Result<(), StoreError> {
        let source =
            format!("session `{}` up to {expected} stays: this store cannot do that", lease.key).into();
        Err(StoreError::Other { store: "a store".into(), action: "erasing under a lease", source })
    }

    /// Finishes what was begun and lets go of everything, leases too. Calls after this fail with
    /// [`StoreError::Closed`]; closing again does nothing.
    async fn close(&self) -> Result<(), StoreError>;
}
