//! Copies, their independence.

use super::Factory;
use super::help::{Check, append_once, ensure, ensure_fails, holds, row, rows, session};
use crate::id::{Seq, SessionKey};
use crate::store::{Flush, StoreError};

/// A fork holds the rows of its source up to the number given, as they are.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn a_fork_copies_up_to_a_number(factory: &dyn Factory) -> Check {
    let store = factory.open("fork_copies").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 6).await?;
    for upto in [1, 4, 6] {
        let to = SessionKey::new(format!("fork at {upto}"));
        let info = store.fork(&key, Seq(upto), &to).await?;
        ensure!(
            info.key == to && info.last == Seq(upto) && info.updated == row(upto, "").at,
            "a fork at {upto} gives {info:?}"
        );
        holds(&*store, &to, &rows(1, upto, "first")).await?;
        let found = store.find(&to).await?;
        ensure!(found.as_ref() == Some(&info), "`find` gives {found:?} for a fork that is {info:?}");
    }
    holds(&*store, &key, &rows(1, 6, "first")).await
}

/// What is appended to the one is not in the other, either way.
pub async fn a_fork_and_its_source_go_apart(factory: &dyn Factory) -> Check {
    let store = factory.open("fork_apart").await?;
    let (key, to) = (SessionKey::new("s"), SessionKey::new("fork"));
    session(&*store, &key, 3).await?;
    store.fork(&key, Seq(3), &to).await?;
    append_once(&*store, &key, rows(4, 5, "source")).await?;
    holds(&*store, &to, &rows(1, 3, "first")).await?;
    append_once(&*store, &to, rows(4, 8, "fork")).await?;
    holds(&*store, &key, &[rows(1, 3, "first"), rows(4, 5, "source")].concat()).await?;
    holds(&*store, &to, &[rows(1, 3, "first"), rows(4, 8, "fork")].concat()).await
}

/// A session is forked while somebody writes it, and the fork is leased to nobody.
pub async fn a_fork_needs_no_lease_and_has_none(factory: &dyn Factory) -> Check {
    let store = factory.open("fork_lease").await?;
    let (key, to) = (SessionKey::new("s"), SessionKey::new("fork"));
    session(&*store, &key, 2).await?;
    let lease = store.lease(&key).await?;
    store.append(&lease, Seq(2), vec![row(3, "first")], Flush::Ordered).await?;
    store.fork(&key, Seq(3), &to).await?;
    let fork = store.lease(&to).await?;
    store.append(&fork, Seq(3), vec![row(4, "fork")], Flush::Durable).await?;
    store.append(&lease, Seq(3), vec![row(4, "source")], Flush::Durable).await?;
    holds(&*store, &to, &[rows(1, 3, "first"), rows(4, 4, "fork")].concat()).await
}

/// A fork to a name in use fails with `Exists`: also to the source's own.
pub async fn a_fork_takes_no_name_in_use(factory: &dyn Factory) -> Check {
    let store = factory.open("fork_exists").await?;
    let (key, other) = (SessionKey::new("s"), SessionKey::new("other"));
    session(&*store, &key, 3).await?;
    store.create(&other, rows(1, 2, "other")).await?;
    ensure_fails!(
        store.fork(&key, Seq(1), &other).await,
        StoreError::Exists { .. },
        "a fork to a name in use"
    );
    ensure_fails!(store.fork(&key, Seq(1), &key).await, StoreError::Exists { .. }, "a fork to the same name");
    holds(&*store, &key, &rows(1, 3, "first")).await?;
    holds(&*store, &other, &rows(1, 2, "other")).await
}

/// There is no fork of what does not exist, at 0, or past the end; and nothing is left of the attempt.
pub async fn a_fork_stays_within_its_source(factory: &dyn Factory) -> Check {
    let store = factory.open("fork_within").await?;
    let (key, to) = (SessionKey::new("s"), SessionKey::new("fork"));
    ensure_fails!(
        store.fork(&key, Seq(1), &to).await,
        StoreError::NotFound { .. },
        "a fork of what does not exist"
    );
    session(&*store, &key, 3).await?;
    for upto in [0, 4, u64::MAX] {
        ensure_fails!(
            store.fork(&key, Seq(upto), &to).await,
            StoreError::NoEntry { .. },
            "a fork at {upto} of a log that ends at 3"
        );
    }
    ensure!(store.find(&to).await?.is_none(), "a fork that failed left a session");
    Ok(())
}

/// Rows are not copied from tenant to tenant.
pub async fn a_fork_stays_within_its_tenant(factory: &dyn Factory) -> Check {
    let store = factory.open("fork_tenant").await?;
    let (key, to) = (SessionKey::of("acme", "s"), SessionKey::of("globex", "s"));
    session(&*store, &key, 3).await?;
    ensure_fails!(
        store.fork(&key, Seq(2), &to).await,
        StoreError::OtherTenant { .. },
        "a fork to another tenant"
    );
    ensure!(store.find(&to).await?.is_none(), "a fork to another tenant left a session");
    Ok(())
}
