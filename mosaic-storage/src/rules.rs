//! The parts of the contract that all stores of this crate check alike, and the errors they name.

use mosaic_core::{Lease, Row, Seq, SessionKey, StoreError};

/// Rows follow `expected` one after the other.
pub(crate) fn numbered(store: &str, key: &SessionKey, expected: Seq, rows: &[Row]) -> Result<(), StoreError> {
    let mut last = expected;
    for row in rows {
        if row.seq != last.next() {
            return Err(misnumbered(store, key, last.next(), row.seq));
        }
        last = row.seq;
    }
    Ok(())
}

/// A session begins with a row.
pub(crate) fn begun(store: &str, key: &SessionKey, rows: &[Row]) -> Result<(), StoreError> {
    if rows.is_empty() { Err(misnumbered(store, key, Seq(1), Seq::ZERO)) } else { Ok(()) }
}

/// The lease is the one held, and the log ends where the writer thinks. `held` is the epoch of the lease that somebody
/// holds.
pub(crate) fn may_append(
    store: &str,
    lease: &Lease,
    held: Option<u64>,
    expected: Seq,
    last: Seq,
) -> Result<(), StoreError> {
    if held != Some(lease.epoch) {
        return Err(StoreError::Fenced {
            store: store.into(),
            key: lease.key.to_string(),
            epoch: lease.epoch,
        });
    }
    if expected != last {
        return Err(StoreError::Conflict { store: store.into(), key: lease.key.to_string(), expected, last });
    }
    Ok(())
}

/// A fork ends at an entry of its source.
pub(crate) fn within(store: &str, from: &SessionKey, upto: Seq, last: Seq) -> Result<(), StoreError> {
    if upto == Seq::ZERO || upto > last {
        return Err(StoreError::NoEntry { store: store.into(), key: from.to_string(), seq: upto, last });
    }
    Ok(())
}

/// A fork belongs to the tenant of its source.
pub(crate) fn one_tenant(store: &str, from: &SessionKey, to: &SessionKey) -> Result<(), StoreError> {
    if from.tenant != to.tenant {
        return Err(StoreError::OtherTenant {
            store: store.into(),
            from: from.to_string(),
            to: to.to_string(),
        });
    }
    Ok(())
}

fn misnumbered(store: &str, key: &SessionKey, expected: Seq, found: Seq) -> StoreError {
    StoreError::Misnumbered { store: store.into(), key: key.to_string(), expected, found }
}

pub(crate) fn not_found(store: &str, key: &SessionKey) -> StoreError {
    StoreError::NotFound { store: store.into(), key: key.to_string() }
}

pub(crate) fn exists(store: &str, key: &SessionKey) -> StoreError {
    StoreError::Exists { store: store.into(), key: key.to_string() }
}

pub(crate) fn leased(store: &str, key: &SessionKey, holder: &str) -> StoreError {
    StoreError::Leased { store: store.into(), key: key.to_string(), holder: holder.into() }
}
