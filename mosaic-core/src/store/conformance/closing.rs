//! Closing, opening again, two handles.

use super::Factory;
use super::help::{Check, append_once, ensure, ensure_fails, holds, read, row, rows, session};
use crate::id::{Seq, SessionKey};
use crate::store::{Flush, StoreError};

/// Every call after `close` fails with `Closed`; closing twice is fine.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn a_closed_store_refuses_everything(factory: &dyn Factory) -> Check {
    let store = factory.open("closed").await?;
    let (key, other) = (SessionKey::new("s"), SessionKey::new("other"));
    session(&*store, &key, 2).await?;
    let lease = store.lease(&key).await?;
    store.close().await?;
    store.close().await?;
    ensure_fails!(
        store.create(&other, rows(1, 1, "x")).await,
        StoreError::Closed { .. },
        "`create` after `close`"
    );
    ensure_fails!(store.find(&key).await, StoreError::Closed { .. }, "`find` after `close`");
    ensure_fails!(
        store.list("default", Default::default()).await,
        StoreError::Closed { .. },
        "`list` after `close`"
    );
    ensure_fails!(store.tenants().await, StoreError::Closed { .. }, "`tenants` after `close`");
    ensure_fails!(store.lease(&key).await, StoreError::Closed { .. }, "`lease` after `close`");
    ensure_fails!(
        store.append(&lease, Seq(2), vec![row(3, "x")], Flush::Durable).await,
        StoreError::Closed { .. },
        "`append` after `close`"
    );
    ensure_fails!(store.release(&lease).await, StoreError::Closed { .. }, "`release` after `close`");
    ensure_fails!(read(&*store, &key, 0).await, StoreError::Closed { .. }, "`read` after `close`");
    ensure_fails!(store.fork(&key, Seq(1), &other).await, StoreError::Closed { .. }, "`fork` after `close`");
    ensure_fails!(store.erase(&key).await, StoreError::Closed { .. }, "`erase` after `close`");
    Ok(())
}

/// Rows, durable and ordered, are there when the place is opened again after `close`.
pub async fn what_was_written_is_there_after_opening_again(factory: &dyn Factory) -> Check {
    if !factory.is_shared() {
        return Ok(());
    }
    let store = factory.open("opened_again").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 2).await?;
    let lease = store.lease(&key).await?;
    store.append(&lease, Seq(2), rows(3, 5, "first"), Flush::Durable).await?;
    store.append(&lease, Seq(5), rows(6, 7, "first"), Flush::Ordered).await?;
    store.close().await?;
    let store = factory.open("opened_again").await?;
    holds(&*store, &key, &rows(1, 7, "first")).await?;
    append_once(&*store, &key, rows(8, 8, "first")).await?;
    holds(&*store, &key, &rows(1, 8, "first")).await
}

/// The leases of a store that was closed are free, and stay fenced.
pub async fn closing_gives_leases_back(factory: &dyn Factory) -> Check {
    if !factory.is_shared() {
        return Ok(());
    }
    let (one, two) = (factory.open("closing_leases").await?, factory.open("closing_leases").await?);
    let key = SessionKey::new("s");
    session(&*one, &key, 1).await?;
    let old = one.lease(&key).await?;
    ensure_fails!(two.lease(&key).await, StoreError::Leased { .. }, "leasing what another handle writes");
    one.close().await?;
    let new = two.lease(&key).await?;
    ensure_fails!(
        two.append(&old, Seq(1), vec![row(2, "x")], Flush::Durable).await,
        StoreError::Fenced { .. },
        "an append under the lease of a closed store"
    );
    two.append(&new, Seq(1), vec![row(2, "first")], Flush::Durable).await?;
    holds(&*two, &key, &rows(1, 2, "first")).await
}

/// Two handles on one place do not lease one session at once, and each fences the other off.
pub async fn two_handles_are_two_owners(factory: &dyn Factory) -> Check {
    if !factory.is_shared() {
        return Ok(());
    }
    let (one, two) = (factory.open("two_owners").await?, factory.open("two_owners").await?);
    let key = SessionKey::new("s");
    session(&*one, &key, 1).await?;
    let first = one.lease(&key).await?;
    ensure_fails!(two.lease(&key).await, StoreError::Leased { .. }, "leasing what another handle writes");
    ensure_fails!(two.erase(&key).await, StoreError::Leased { .. }, "erasing what another handle writes");
    one.append(&first, Seq(1), vec![row(2, "first")], Flush::Durable).await?;
    one.release(&first).await?;
    let second = two.lease(&key).await?;
    ensure!(second.epoch > first.epoch, "epoch {} comes after {}", second.epoch, first.epoch);
    ensure_fails!(
        one.append(&first, Seq(2), vec![row(3, "x")], Flush::Durable).await,
        StoreError::Fenced { .. },
        "an append of the handle that was replaced"
    );
    one.release(&first).await?;
    two.append(&second, Seq(2), vec![row(3, "first")], Flush::Durable).await?;
    holds(&*one, &key, &rows(1, 3, "first")).await
}

/// What one handle wrote the other reads, appends to, and conflicts with.
pub async fn two_handles_see_one_log(factory: &dyn Factory) -> Check {
    if !factory.is_shared() {
        return Ok(());
    }
    let (one, two) = (factory.open("one_log").await?, factory.open("one_log").await?);
    let key = SessionKey::new("s");
    session(&*one, &key, 1).await?;
    ensure_fails!(
        two.create(&key, rows(1, 1, "x")).await,
        StoreError::Exists { .. },
        "creating it a second time"
    );
    for seq in (2..10).step_by(2) {
        append_once(&*one, &key, rows(seq, seq, "first")).await?;
        holds(&*two, &key, &rows(1, seq, "first")).await?;
        append_once(&*two, &key, rows(seq + 1, seq + 1, "first")).await?;
        holds(&*one, &key, &rows(1, seq + 1, "first")).await?;
    }
    let lease = one.lease(&key).await?;
    ensure_fails!(
        one.append(&lease, Seq(8), vec![row(9, "x")], Flush::Durable).await,
        StoreError::Conflict { .. },
        "an append after the last row that this handle wrote itself"
    );
    one.release(&lease).await?;
    two.erase(&key).await?;
    ensure!(one.find(&key).await?.is_none(), "`find` finds what another handle erased");
    Ok(())
}
