//! One writer, fencing.

use super::Factory;
use super::help::{Check, ensure, ensure_fails, holds, row, rows, session};
use crate::id::{Seq, SessionKey};
use crate::store::{Flush, StoreError};

/// While a lease is held nobody else gets one, also not the same process; after `release` the next one does.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn one_writer_at_a_time(factory: &dyn Factory) -> Check {
    let store = factory.open("one_writer").await?;
    let (key, other) = (SessionKey::new("s"), SessionKey::new("other"));
    session(&*store, &key, 1).await?;
    session(&*store, &other, 1).await?;
    let lease = store.lease(&key).await?;
    ensure!(lease.key == key, "the lease is one of `{}`", lease.key);
    ensure_fails!(store.lease(&key).await, StoreError::Leased { .. }, "leasing a session twice");
    store.lease(&other).await?;
    store.append(&lease, Seq(1), vec![row(2, "first")], Flush::Durable).await?;
    store.release(&lease).await?;
    let next = store.lease(&key).await?;
    ensure!(next.epoch > lease.epoch, "epoch {} comes after {}", next.epoch, lease.epoch);
    Ok(())
}

/// A lease says where the log ends, so that its holder knows whether others have written.
pub async fn a_lease_says_where_the_log_ends(factory: &dyn Factory) -> Check {
    let store = factory.open("lease_end").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 2).await?;
    let lease = store.lease(&key).await?;
    ensure!(lease.last == Seq(2), "a log of two rows ends at {}", lease.last);
    store.append(&lease, Seq(2), vec![row(3, "more")], Flush::Ordered).await?;
    store.release(&lease).await?;
    let next = store.lease(&key).await?;
    ensure!(next.last == Seq(3), "a log of three rows ends at {}", next.last);
    Ok(())
}

/// A writer that was replaced is fenced: at once, after its successor is gone, and after the session was made anew.
pub async fn a_replaced_writer_is_fenced_for_ever(factory: &dyn Factory) -> Check {
    let store = factory.open("fenced").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    let old = store.lease(&key).await?;
    store.release(&old).await?;
    let new = store.lease(&key).await?;
    let append =
        |expected: u64| store.append(&old, Seq(expected), vec![row(expected + 1, "x")], Flush::Durable);

    ensure_fails!(append(1).await, StoreError::Fenced { .. }, "an append of the replaced writer");
    store.append(&new, Seq(1), vec![row(2, "first")], Flush::Durable).await?;
    ensure_fails!(
        append(1).await,
        StoreError::Fenced { .. },
        "an append of the replaced writer, in the wrong place"
    );
    ensure_fails!(
        append(2).await,
        StoreError::Fenced { .. },
        "an append of the replaced writer, in the right place"
    );
    store.release(&new).await?;
    ensure_fails!(
        append(2).await,
        StoreError::Fenced { .. },
        "an append of the replaced writer, nobody writing"
    );
    store.lease(&key).await?;
    ensure_fails!(append(2).await, StoreError::Fenced { .. }, "an append of the writer replaced twice");
    holds(&*store, &key, &rows(1, 2, "first")).await
}

/// A lease that was given back appends no more, although nobody else has one.
pub async fn a_released_lease_appends_no_more(factory: &dyn Factory) -> Check {
    let store = factory.open("released").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    let lease = store.lease(&key).await?;
    store.release(&lease).await?;
    ensure_fails!(
        store.append(&lease, Seq(1), vec![row(2, "x")], Flush::Durable).await,
        StoreError::Fenced { .. },
        "an append under a released lease"
    );
    holds(&*store, &key, &rows(1, 1, "first")).await
}

/// Giving back a lease twice, or one that was replaced, does nothing to its successor.
pub async fn an_old_lease_releases_nothing(factory: &dyn Factory) -> Check {
    let store = factory.open("old_release").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    let old = store.lease(&key).await?;
    store.release(&old).await?;
    store.release(&old).await?;
    let new = store.lease(&key).await?;
    store.release(&old).await?;
    ensure_fails!(
        store.lease(&key).await,
        StoreError::Leased { .. },
        "leasing what only an old lease released"
    );
    store.append(&new, Seq(1), vec![row(2, "first")], Flush::Durable).await?;
    Ok(())
}

/// There is no lease of a session that does not exist.
pub async fn only_what_exists_is_leased(factory: &dyn Factory) -> Check {
    let store = factory.open("lease_unknown").await?;
    let key = SessionKey::new("s");
    ensure_fails!(store.lease(&key).await, StoreError::NotFound { .. }, "leasing what does not exist");
    ensure!(store.find(&key).await?.is_none(), "leasing a session made it");
    session(&*store, &key, 1).await
}
