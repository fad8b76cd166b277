//! Many writers, dropped futures.
//!
//! Tasks race here on purpose: which of them wins is not fixed, that exactly one does is.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::join_all;

use super::help::{Check, ensure, holds, read, row, rows, same, session};
use super::{Broken, Factory};
use crate::id::{Seq, SessionKey};
use crate::store::{Flush, StoreError};

/// Fifty sessions written at once hold what was written to each.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn many_sessions_are_written_at_once(factory: &dyn Factory) -> Check {
    let store = factory.open("many_sessions").await?;
    race(50, |n| {
        let store = store.clone();
        async move {
            let (key, text) = (SessionKey::new(n.to_string()), n.to_string());
            store.create(&key, rows(1, 1, &text)).await?;
            let lease = store.lease(&key).await?;
            for seq in (2..20).step_by(3) {
                let flush = if seq % 2 == 0 { Flush::Ordered } else { Flush::Durable };
                store.append(&lease, Seq(seq - 1), rows(seq, seq + 2, &text), flush).await?;
            }
            store.release(&lease).await
        }
    })
    .await?
    .into_iter()
    .collect::<Result<(), StoreError>>()?;
    for n in 0..50 {
        holds(&*store, &SessionKey::new(n.to_string()), &rows(1, 19, &n.to_string())).await?;
    }
    Ok(())
}

/// Of several appends after the same row exactly one is taken; the others conflict.
pub async fn one_racing_writer_wins(factory: &dyn Factory) -> Check {
    let store = factory.open("racing_writers").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    let lease = store.lease(&key).await?;
    let mut expected = rows(1, 1, "first");
    for round in 0..10 {
        let last = expected.len() as u64;
        let results = race(8, |n| {
            let (store, lease) = (store.clone(), lease.clone());
            async move {
                store
                    .append(&lease, Seq(last), rows(last + 1, last + 2, &n.to_string()), Flush::Durable)
                    .await
            }
        })
        .await?;
        let winner = only_winner(&results, |error| matches!(error, StoreError::Conflict { .. }))?;
        expected.extend(rows(last + 1, last + 2, &winner.to_string()));
        same(&read(&*store, &key, 0).await?, &expected, &format!("the log after round {round}"))?;
    }
    Ok(())
}

/// Of several that lease a session at once exactly one gets it.
pub async fn one_racing_lease_wins(factory: &dyn Factory) -> Check {
    let store = factory.open("racing_leases").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    for _ in 0..10 {
        let mut results = race(8, |_| {
            let (store, key) = (store.clone(), key.clone());
            async move { store.lease(&key).await }
        })
        .await?;
        let winner = only_winner(&results, |error| matches!(error, StoreError::Leased { .. }))?;
        store.release(&results.swap_remove(winner)?).await?;
    }
    Ok(())
}

/// Of several that create a session at once exactly one does, with all its rows.
pub async fn one_racing_create_wins(factory: &dyn Factory) -> Check {
    let store = factory.open("racing_creates").await?;
    for name in 0..10 {
        let key = SessionKey::new(name.to_string());
        let results = race(8, |n| {
            let (store, key) = (store.clone(), key.clone());
            async move { store.create(&key, rows(1, 3, &n.to_string())).await }
        })
        .await?;
        let winner = only_winner(&results, |error| matches!(error, StoreError::Exists { .. }))?;
        holds(&*store, &key, &rows(1, 3, &winner.to_string())).await?;
    }
    Ok(())
}

/// Who reads while somebody appends sees a beginning of the log, whole.
pub async fn a_reader_beside_a_writer_sees_no_gap(factory: &dyn Factory) -> Check {
    let store = factory.open("reader_beside").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 700).await?;
    let writer = {
        let (store, key) = (store.clone(), key.clone());
        tokio::spawn(async move {
            let lease = store.lease(&key).await?;
            for seq in 701..1_000 {
                store.append(&lease, Seq(seq - 1), vec![row(seq, "first")], Flush::Ordered).await?;
                tokio::task::yield_now().await;
            }
            Ok::<(), StoreError>(())
        })
    };
    let (mut least, mut reads) = (700, 0);
    // Some reads at the least: a fast writer may be done before the first.
    while !writer.is_finished() || reads < 4 {
        reads += 1;
        let found = read(&*store, &key, 0).await?;
        ensure!(found.len() >= least, "a log of {least} rows has shrunk to {}", found.len());
        least = found.len();
        same(&found, &rows(1, least as u64, "first"), "the log beside a writer")?;
        tokio::task::yield_now().await;
    }
    writer.await.map_err(|error| Broken(format!("the writer died: {error}")))??;
    holds(&*store, &key, &rows(1, 999, "first")).await
}

/// An append whose future is dropped, however far it got, is either whole or not there, and the log goes on.
pub async fn a_dropped_append_leaves_all_or_nothing(factory: &dyn Factory) -> Check {
    let store = factory.open("dropped_append").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    let lease = store.lease(&key).await?;
    let mut last = Seq(1);
    for polls in 0..30 {
        let batch = rows(last.0 + 1, last.0 + 3, "first");
        poll_some(store.append(&lease, last, batch, Flush::Durable), polls).await;
        // What was dropped may still be on its way: the next append finds out which it is.
        last = match store.append(&lease, last, vec![], Flush::Durable).await {
            Ok(last) => last,
            Err(StoreError::Conflict { last: now, .. }) if now == Seq(last.0 + 3) => now,
            Err(other) => {
                return Err(Broken(format!(
                    "after an append of 3 rows was dropped at poll {polls}: {other}"
                )));
            }
        };
        holds(&*store, &key, &rows(1, last.0, "first")).await?;
    }
    Ok(())
}

/// A session whose `create` is dropped is either whole or not there.
pub async fn a_dropped_create_leaves_all_or_nothing(factory: &dyn Factory) -> Check {
    let store = factory.open("dropped_create").await?;
    for polls in 0..30 {
        let key = SessionKey::new(polls.to_string());
        poll_some(store.create(&key, rows(1, 3, "first")), polls).await;
        match store.create(&key, rows(1, 2, "second")).await {
            Ok(_) => holds(&*store, &key, &rows(1, 2, "second")).await?,
            Err(StoreError::Exists { .. }) => holds(&*store, &key, &rows(1, 3, "first")).await?,
            Err(other) => return Err(Broken(format!("after `create` was dropped at poll {polls}: {other}"))),
        }
    }
    Ok(())
}

/// A lease whose future is dropped is not held: nobody could give it back.
pub async fn a_dropped_lease_is_not_held(factory: &dyn Factory) -> Check {
    let store = factory.open("dropped_lease").await?;
    let key = SessionKey::new("s");
    session(&*store, &key, 1).await?;
    for polls in 0..30 {
        if poll_some(store.lease(&key), polls).await {
            // It was finished, so the lease was handed out: to us, who threw it away. More polls show nothing more.
            return Ok(());
        }
        match store.lease(&key).await {
            Ok(lease) => store.release(&lease).await?,
            Err(error) => return Err(Broken(format!("after `lease` was dropped at poll {polls}: {error}"))),
        }
    }
    Ok(())
}

/// Runs tasks at once and gives their results in the order of their numbers.
async fn race<T, F>(tasks: usize, task: impl Fn(usize) -> F) -> Result<Vec<T>, Broken>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(tasks));
    let spawned = (0..tasks).map(|n| {
        let (start, task) = (start.clone(), task(n));
        tokio::spawn(async move {
            start.wait().await;
            task.await
        })
    });
    let results = join_all(spawned.collect::<Vec<_>>()).await;
    results
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| Broken(format!("a racing task died: {error}")))
}

/// Which one succeeded; breaks the rule unless it is one, and the others failed as they should.
fn only_winner<T>(
    results: &[Result<T, StoreError>],
    loses: fn(&StoreError) -> bool,
) -> Result<usize, Broken> {
    let mut winners = Vec::new();
    for (n, result) in results.iter().enumerate() {
        match result {
            Ok(_) => winners.push(n),
            Err(error) => ensure!(loses(error), "a loser of the race failed with: {error}"),
        }
    }
    match winners[..] {
        [winner] => Ok(winner),
        _ => {
            Err(Broken(format!("{} of {} racing calls succeeded, one is due", winners.len(), results.len())))
        }
    }
}

/// Polls a future so often, letting other tasks run in between, and drops it. Tells whether it was finished.
async fn poll_some<F: Future>(future: F, polls: usize) -> bool {
    let mut future = std::pin::pin!(future);
    for _ in 0..polls {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}
