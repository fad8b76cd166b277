//! Compare-and-append, numbering, reading one's writes.

use super::Factory;
use super::help::{Check, ensure, ensure_fails, holds, read, row, rows, session};
use crate::id::{Seq, SessionKey};
use crate::store::{Flush, StoreError};

/// An append that expects another last number than there is fails with `Conflict`, which tells both numbers.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn an_append_in_the_wrong_place_conflicts(factory: &dyn Factory) -> Check {
    let store = factory.open("wrong_place").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 5).await?;
    let lease = store.lease(&key).await?;
    for wrong in [0, 1, 4, 6, 1_000] {
        let result = store.append(&lease, Seq(wrong), rows(wrong + 1, wrong + 2, "x"), Flush::Durable).await;
        match result {
            Err(StoreError::Conflict { expected, last, .. }) => {
                ensure!(
                    (expected, last) == (Seq(wrong), Seq(5)),
                    "an append after {wrong} to a log that ends at 5 tells ({expected}, {last})"
                );
            }
            other => {
                ensure_fails!(
                    other,
                    StoreError::Conflict { .. },
                    "an append after {wrong} to a log that ends at 5"
                )
            }
        }
    }
    let last = store.append(&lease, Seq(5), rows(6, 7, "first"), Flush::Durable).await?;
    ensure!(last == Seq(7), "an append of 6 and 7 returns {last}");
    Ok(())
}

/// An append that is refused leaves nothing behind, also when only its later rows are wrong.
pub async fn a_conflict_writes_nothing(factory: &dyn Factory) -> Check {
    let store = factory.open("conflict_writes_nothing").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 3).await?;
    let lease = store.lease(&key).await?;
    for (expected, new) in [
        (Seq(2), rows(3, 9, "x")),
        (Seq(4), rows(5, 6, "x")),
        (Seq(3), vec![row(4, "x"), row(5, "x"), row(9, "x")]),
    ] {
        ensure!(
            store.append(&lease, expected, new, Flush::Durable).await.is_err(),
            "a wrong append was taken"
        );
    }
    holds(&*store, &key, &rows(1, 3, "first")).await?;
    let info = store.find(&key).await?;
    ensure!(
        info.as_ref().is_some_and(|info| info.last == Seq(3)),
        "after refused appends `find` gives {info:?}"
    );
    Ok(())
}

/// Rows with a gap, a double or in the wrong order are refused.
pub async fn gaps_are_refused(factory: &dyn Factory) -> Check {
    let store = factory.open("gaps").await?;
    let key = SessionKey::new("s");
    for numbers in [[1, 3], [1, 1], [2, 1]] {
        let new = numbers.map(|n| row(n, "x")).to_vec();
        ensure_fails!(
            store.create(&key, new).await,
            StoreError::Misnumbered { .. },
            "creating a session of rows {numbers:?}"
        );
    }
    session(&*store, &key, 2).await?;
    let lease = store.lease(&key).await?;
    for numbers in [[3, 5], [3, 3], [4, 3], [3, 2]] {
        let new = numbers.map(|n| row(n, "x")).to_vec();
        ensure_fails!(
            store.append(&lease, Seq(2), new, Flush::Ordered).await,
            StoreError::Misnumbered { .. },
            "appending rows {numbers:?} after 2"
        );
    }
    holds(&*store, &key, &rows(1, 2, "first")).await
}

/// The first row of a session is 1, the first of an append the one after `expected`.
pub async fn a_wrong_first_number_is_refused(factory: &dyn Factory) -> Check {
    let store = factory.open("wrong_first").await?;
    let key = SessionKey::new("s");
    for first in [0, 2] {
        ensure_fails!(
            store.create(&key, rows(first, 3, "x")).await,
            StoreError::Misnumbered { .. },
            "creating a session that begins at {first}"
        );
    }
    session(&*store, &key, 2).await?;
    let lease = store.lease(&key).await?;
    for first in [0, 2, 4] {
        ensure_fails!(
            store.append(&lease, Seq(2), vec![row(first, "x")], Flush::Durable).await,
            StoreError::Misnumbered { .. },
            "appending row {first} after 2"
        );
    }
    holds(&*store, &key, &rows(1, 2, "first")).await
}

/// A session of no rows is refused: it would have no time of its making.
pub async fn a_session_needs_a_first_row(factory: &dyn Factory) -> Check {
    let store = factory.open("needs_first_row").await?;
    let key = SessionKey::new("s");
    ensure_fails!(
        store.create(&key, vec![]).await,
        StoreError::Misnumbered { .. },
        "creating a session of no rows"
    );
    ensure!(store.find(&key).await?.is_none(), "a session of no rows was made");
    Ok(())
}

/// Creating a session that exists fails with `Exists`, and leaves what is there.
pub async fn a_session_is_created_once(factory: &dyn Factory) -> Check {
    let store = factory.open("created_once").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 3).await?;
    ensure_fails!(
        store.create(&key, rows(1, 7, "second")).await,
        StoreError::Exists { .. },
        "creating a session twice"
    );
    holds(&*store, &key, &rows(1, 3, "first")).await
}

/// An append of no rows returns the last number, and is checked like any other.
pub async fn an_append_without_rows_changes_nothing(factory: &dyn Factory) -> Check {
    let store = factory.open("no_rows").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 3).await?;
    let lease = store.lease(&key).await?;
    for flush in [Flush::Durable, Flush::Ordered] {
        let last = store.append(&lease, Seq(3), vec![], flush).await?;
        ensure!(last == Seq(3), "an append of nothing after 3 returns {last}");
        ensure_fails!(
            store.append(&lease, Seq(2), vec![], flush).await,
            StoreError::Conflict { .. },
            "an append of nothing in the wrong place"
        );
    }
    holds(&*store, &key, &rows(1, 3, "first")).await?;
    store.release(&lease).await?;
    ensure_fails!(
        store.append(&lease, Seq(3), vec![], Flush::Durable).await,
        StoreError::Fenced { .. },
        "an append of nothing under a released lease"
    );
    Ok(())
}

/// What an ordered append returned for is read at once, and stays when a durable one follows.
pub async fn ordered_rows_are_read_at_once(factory: &dyn Factory) -> Check {
    let store = factory.open("ordered_rows").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    let lease = store.lease(&key).await?;
    for seq in 2..20 {
        let flush = if seq % 5 == 0 { Flush::Durable } else { Flush::Ordered };
        store.append(&lease, Seq(seq - 1), vec![row(seq, "first")], flush).await?;
        let found = read(&*store, &key, seq).await?;
        ensure!(found == [row(seq, "first")], "row {seq}, just appended, is read as {found:?}");
        let info = store.find(&key).await?;
        ensure!(
            info.as_ref().is_some_and(|info| info.last == Seq(seq)),
            "after row {seq} `find` gives {info:?}"
        );
    }
    holds(&*store, &key, &rows(1, 19, "first")).await
}
