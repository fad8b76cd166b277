//! What SQLite says, in the words of the contract.

use std::fmt;
use std::sync::Arc;

use mosaic_core::{Seq, StoreError};

/// A failure of the database. It can be told to many: all the requests of a group fail with it.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    action: &'static str,
    error: Arc<sqlx::Error>,
}

/// The cause as a source that many errors share.
#[derive(Debug, Clone)]
struct Shared(Arc<sqlx::Error>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_database_error() {
            Some(error) => f.write_str(error.message()),
            None => self.0.fmt(f),
        }
    }
}

impl std::error::Error for Shared {}

// The result codes of SQLite that mean something to the contract (https://sqlite.org/rescode.html).
const PERM: i32 = 3;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const CONSTRAINT: i32 = 19;
const AUTH: i32 = 23;
const NOTADB: i32 = 26;
/// The shared memory beside the WAL could not grow: a full disk says so by this.
const IOERR_SHMSIZE: i32 = 4874;

impl Fault {
    pub(super) fn new(action: &'static str, error: sqlx::Error) -> Self {
        Self { action, error: Arc::new(error) }
    }

    /// SQLite's extended result code.
    fn code(&self) -> Option<i32> {
        self.error.as_database_error()?.code()?.parse().ok()
    }

    /// Whether a row was refused.
    pub(super) fn is_constraint(&self) -> bool {
        self.code().is_some_and(|code| code & 0xff == CONSTRAINT)
    }

    /// Whether another program has a lock that it may let go of.
    pub(super) fn is_busy(&self) -> bool {
        self.code().is_some_and(|code| matches!(code & 0xff, BUSY | LOCKED))
    }

    /// The failure as an error of a store; `at` is the entry that was being read.
    pub(super) fn told(&self, store: &str, at: Option<Seq>) -> StoreError {
        let (store, source) = (store.to_owned(), Box::new(Shared(self.error.clone())));
        if matches!(*self.error, sqlx::Error::PoolClosed) {
            return StoreError::Closed { store };
        }
        let code = self.code().unwrap_or_default();
        match code & 0xff {
            _ if code == IOERR_SHMSIZE => StoreError::Full { store, source },
            BUSY | LOCKED => StoreError::Locked { store, source },
            READONLY | PERM | AUTH | CANTOPEN => StoreError::ReadOnly { store, source },
            FULL => StoreError::Full { store, source },
            CORRUPT | NOTADB => StoreError::Corrupt { store, at, reason: source.to_string() },
            _ => StoreError::Other { store, action: self.action, source },
        }
    }
}

/// Names what was being done when the database failed.
pub(super) trait Doing<T> {
    fn doing(self, action: &'static str) -> Result<T, Fault>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, action: &'static str) -> Result<T, Fault> {
        self.map_err(|error| Fault::new(action, error))
    }
}
