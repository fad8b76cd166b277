//! What Postgres says, in the words of the contract.

use mosaic_core::StoreError;

/// A failure while doing something, as an error of a store.
///
/// The codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
pub(super) fn told(store: &str, action: &'static str, error: sqlx::Error) -> StoreError {
    let store = store.to_owned();
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    match (&error, code.as_str()) {
        (sqlx::Error::PoolClosed, _) => StoreError::Closed { store },
        (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut, _) => {
            StoreError::Unreachable { store, source: error.into() }
        }
        // connection_exception, operator_intervention (a shutdown), too_many_connections
        (_, code) if code.starts_with("08") || code.starts_with("57P") || code == "53300" => {
            StoreError::Unreachable { store, source: error.into() }
        }
        // disk_full
        (_, "53100") => StoreError::Full { store, source: error.into() },
        // read_only_sql_transaction, insufficient_privilege
        (_, "25006" | "42501") => StoreError::ReadOnly { store, source: error.into() },
        // lock_not_available, serialization_failure, deadlock_detected
        (_, "55P03" | "40001" | "40P01") => StoreError::Locked { store, source: error.into() },
        _ => StoreError::Other { store, action, source: error.into() },
    }
}

/// Whether two waited for each other, and this was the one that the server sent away. Nothing of it was done.
pub(super) fn is_deadlock(error: &StoreError) -> bool {
    let StoreError::Locked { source, .. } = error else { return false };
    let error = source.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    error.and_then(|error| error.code()).is_some_and(|code| code == "40P01")
}
