//! How storing fails.

use thiserror::Error;

use crate::error::{BoxError, ErrorKind, ErrorReport};
use crate::id::Seq;

/// How storing fails. `store` is the store's name for itself (`sqlite:app.db`), `key` the session's.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such session.
    #[error("{store}: there is no session `{key}`")]
    NotFound {
        /// The store.
        store: String,
        /// The session.
        key: String,
    },
    /// There is a session of that name.
    #[error("{store}: session `{key}` exists already")]
    Exists {
        /// The store.
        store: String,
        /// The session.
        key: String,
    },
    /// The log does not end where the writer thought.
    #[error(
        "{store}: session `{key}` ends at {last}, not at {expected}: somebody else wrote it; read it again"
    )]
    Conflict {
        /// The store.
        store: String,
        /// The session.
        key: String,
        /// Where the writer thought it ends.
        expected: Seq,
        /// Where it ends.
        last: Seq,
    },
    /// The rows are not numbered one after the other from where they should begin: a defect of the caller.
    #[error(
        "{store}: rows for session `{key}` must be numbered from {expected} on without gaps: {found} came there"
    )]
    Misnumbered {
        /// The store.
        store: String,
        /// The session.
        key: String,
        /// The number that was due.
        expected: Seq,
        /// The number that came; 0 where a first row is missing altogether.
        found: Seq,
    },
    /// The session has no such entry.
    #[error("{store}: session `{key}` has no entry {seq}: it goes from 1 to {last}")]
    NoEntry {
        /// The store.
        store: String,
        /// The session.
        key: String,
        /// The number asked for.
        seq: Seq,
        /// The last number there is.
        last: Seq,
    },
    /// Rows would go from one tenant to another.
    #[error("{store}: session `{from}` cannot be forked to `{to}`: another tenant; fork within one tenant")]
    OtherTenant {
        /// The store.
        store: String,
        /// The session to copy.
        from: String,
        /// The session to make.
        to: String,
    },
    /// Somebody else writes the session.
    #[error("{store}: session `{key}` is being run by {holder}; wait until that run ends")]
    Leased {
        /// The store.
        store: String,
        /// The session.
        key: String,
        /// Who.
        holder: String,
    },
    /// A newer lease exists.
    #[error("{store}: this writer of session `{key}` was replaced (its epoch {epoch} is not the newest)")]
    Fenced {
        /// The store.
        store: String,
        /// The session.
        key: String,
        /// The writer's epoch.
        epoch: u64,
    },
    /// The database is locked by somebody who does not let go.
    #[error("{store} is locked by another program; close it, or wait: {source}")]
    Locked {
        /// The store.
        store: String,
        /// Why.
        source: BoxError,
    },
    /// The database's server cannot be reached.
    #[error("{store} cannot be reached; check the address and whether its server runs: {source}")]
    Unreachable {
        /// The store.
        store: String,
        /// Why.
        source: BoxError,
    },
    /// The database cannot be written.
    #[error("{store} is read-only; check the file's and the folder's permissions: {source}")]
    ReadOnly {
        /// The store.
        store: String,
        /// Why.
        source: BoxError,
    },
    /// The disk is full.
    #[error("{store}: the disk is full; nothing stored is lost, free some room and resume: {source}")]
    Full {
        /// The store.
        store: String,
        /// Why.
        source: BoxError,
    },
    /// What is stored is not what was written.
    #[error("{store} is damaged{}: {reason}; restore a backup", at.map(|seq| format!(" at entry {seq}")).unwrap_or_default())]
    Corrupt {
        /// The store.
        store: String,
        /// The entry, where it is one.
        at: Option<Seq>,
        /// What is wrong.
        reason: String,
    },
    /// A newer version of Mosaic wrote it.
    #[error(
        "{store} was written by a newer version of Mosaic (format {found}, this one knows {known}); upgrade"
    )]
    NewerFormat {
        /// The store.
        store: String,
        /// The format found.
        found: u64,
        /// The newest format that this version knows.
        known: u64,
    },
    /// The address is not that of a store.
    #[error("`{url}` is not the address of a store: {reason}")]
    Address {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The store was closed.
    #[error("{store} is closed")]
    Closed {
        /// The store.
        store: String,
    },
    /// Something else.
    #[error("{store}: {action} failed: {source}")]
    Other {
        /// The store.
        store: String,
        /// What was being done.
        action: &'static str,
        /// Why it failed.
        source: BoxError,
    },
}

impl StoreError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::NoEntry { .. } => ErrorKind::NotFound,
            Self::Exists { .. } | Self::Conflict { .. } | Self::Leased { .. } | Self::Fenced { .. } => {
                ErrorKind::Conflict
            }
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::NewerFormat { .. } => ErrorKind::NewerFormat,
            Self::Address { .. } | Self::OtherTenant { .. } => ErrorKind::InvalidRequest,
            Self::Misnumbered { .. } => ErrorKind::Internal,
            _ => ErrorKind::Storage,
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Unreachable { .. } | Self::Full { .. })
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        let mut report = ErrorReport::new(self.kind(), self.to_string());
        report.retryable = self.is_retryable();
        match std::error::Error::source(self) {
            Some(source) => report.caused_by(source),
            None => report,
        }
    }
}
