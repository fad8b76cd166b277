//! No trace left, names used again.

use super::Factory;
use super::help::{Check, ensure, ensure_fails, holds, read, row, rows, session};
use crate::id::{Seq, SessionKey};
use crate::store::{Flush, ListOptions, StoreError};

/// What is erased is not found, read, listed, leased or forked. Erasing it again does nothing.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn erased_is_gone(factory: &dyn Factory) -> Check {
    let store = factory.open("erased").await?;
    let (key, other) = (SessionKey::new("s"), SessionKey::new("other"));
    session(&*store, &key, 300).await?;
    session(&*store, &other, 2).await?;
    store.erase(&key).await?;
    store.erase(&key).await?;
    ensure!(store.find(&key).await?.is_none(), "`find` finds what was erased");
    ensure_fails!(read(&*store, &key, 0).await, StoreError::NotFound { .. }, "reading what was erased");
    ensure_fails!(store.lease(&key).await, StoreError::NotFound { .. }, "leasing what was erased");
    let to = SessionKey::new("fork");
    ensure_fails!(
        store.fork(&key, Seq(1), &to).await,
        StoreError::NotFound { .. },
        "forking what was erased"
    );
    let listed = store.list(&key.tenant, ListOptions::default()).await?;
    ensure!(listed.len() == 1 && listed.iter().all(|info| info.key == other), "the list is {listed:?}");
    holds(&*store, &other, &rows(1, 2, "first")).await
}

/// A session made under an erased name has its own rows only.
pub async fn an_erased_name_begins_anew(factory: &dyn Factory) -> Check {
    let store = factory.open("erased_anew").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 5).await?;
    store.erase(&key).await?;
    let info = store.create(&key, rows(1, 2, "second")).await?;
    ensure!(info.last == Seq(2), "a session of 2 rows under an erased name ends at {}", info.last);
    holds(&*store, &key, &rows(1, 2, "second")).await?;
    let lease = store.lease(&key).await?;
    store.append(&lease, Seq(2), rows(3, 4, "second"), Flush::Durable).await?;
    holds(&*store, &key, &rows(1, 4, "second")).await
}

/// A lease of an erased session appends nothing to the session that took its name.
pub async fn a_lease_does_not_outlive_its_session(factory: &dyn Factory) -> Check {
    let store = factory.open("erased_lease").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    let old = store.lease(&key).await?;
    store.release(&old).await?;
    store.erase(&key).await?;
    ensure_fails!(
        store.append(&old, Seq(1), vec![row(2, "x")], Flush::Durable).await,
        StoreError::NotFound { .. },
        "appending to what was erased"
    );
    session(&*store, &key, 1).await?;
    let new = store.lease(&key).await?;
    ensure_fails!(
        store.append(&old, Seq(1), vec![row(2, "x")], Flush::Durable).await,
        StoreError::Fenced { .. },
        "appending under the lease of the session erased before"
    );
    store.append(&new, Seq(1), vec![row(2, "first")], Flush::Durable).await?;
    holds(&*store, &key, &rows(1, 2, "first")).await
}

/// A session that somebody writes is not erased.
pub async fn what_is_written_is_not_erased(factory: &dyn Factory) -> Check {
    let store = factory.open("erase_leased").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 2).await?;
    let lease = store.lease(&key).await?;
    ensure_fails!(store.erase(&key).await, StoreError::Leased { .. }, "erasing what is being written");
    store.append(&lease, Seq(2), vec![row(3, "first")], Flush::Durable).await?;
    holds(&*store, &key, &rows(1, 3, "first")).await?;
    store.release(&lease).await?;
    store.erase(&key).await?;
    ensure!(store.find(&key).await?.is_none(), "`find` finds what was erased");
    Ok(())
}

/// A fork stays whole when its source is erased, and the source when the fork is.
pub async fn a_fork_outlives_its_source(factory: &dyn Factory) -> Check {
    let store = factory.open("erase_source").await?;
    let (key, one, two) = (SessionKey::new("s"), SessionKey::new("one"), SessionKey::new("two"));
    session(&*store, &key, 4).await?;
    store.fork(&key, Seq(3), &one).await?;
    store.fork(&one, Seq(2), &two).await?;
    store.erase(&one).await?;
    holds(&*store, &key, &rows(1, 4, "first")).await?;
    store.erase(&key).await?;
    holds(&*store, &two, &rows(1, 2, "first")).await
}

/// Under its lease a session is erased if it ends where the holder thinks, and else nothing is.
pub async fn the_holder_of_a_lease_erases_what_it_has_read(factory: &dyn Factory) -> Check {
    let store = factory.open("erased_leased").await?;
    let (key, other) = (SessionKey::new("s"), SessionKey::new("other"));
    session(&*store, &key, 5).await?;
    session(&*store, &other, 2).await?;
    let lease = store.lease(&key).await?;
    for expected in [0, 4, 6] {
        ensure_fails!(
            store.erase_leased(&lease, Seq(expected)).await,
            StoreError::Conflict { .. },
            "erasing a session of 5 that should end at {expected}"
        );
    }
    store.append(&lease, Seq(5), vec![row(6, "first")], Flush::Durable).await?;
    ensure_fails!(
        store.erase_leased(&lease, Seq(5)).await,
        StoreError::Conflict { .. },
        "erasing a session that went on"
    );
    holds(&*store, &key, &rows(1, 6, "first")).await?;
    store.erase_leased(&lease, Seq(6)).await?;
    ensure!(store.find(&key).await?.is_none(), "`find` finds what was erased");
    ensure_fails!(read(&*store, &key, 0).await, StoreError::NotFound { .. }, "reading what was erased");
    ensure_fails!(
        store.erase_leased(&lease, Seq(6)).await,
        StoreError::NotFound { .. },
        "erasing what was erased"
    );
    holds(&*store, &other, &rows(1, 2, "first")).await?;
    store.create(&key, rows(1, 6, "second")).await?;
    ensure_fails!(
        store.erase_leased(&lease, Seq(6)).await,
        StoreError::Fenced { .. },
        "erasing what took the name of what was erased"
    );
    holds(&*store, &key, &rows(1, 6, "second")).await
}

/// Who is no longer the writer erases nothing.
pub async fn an_erasure_under_an_old_lease_is_fenced(factory: &dyn Factory) -> Check {
    let store = factory.open("erased_fenced").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 3).await?;
    let old = store.lease(&key).await?;
    store.release(&old).await?;
    let mut new = None;
    for _ in 0..3 {
        let erased = store.erase_leased(&old, Seq(3)).await;
        ensure_fails!(erased, StoreError::Fenced { .. }, "erasing under a lease that was given back");
        if let Some(new) = new.take() {
            store.release(&new).await?;
        } else {
            new = Some(store.lease(&key).await?);
        }
    }
    holds(&*store, &key, &rows(1, 3, "first")).await
}
