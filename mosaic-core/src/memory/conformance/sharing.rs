//! Two handles, many tasks, opening again.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{join_all, try_join_all};

use super::Factory;
use super::help::{
    Check, add, ann, at, by_vector, by_words, ensure, found, id, insight, insights, listed, vector,
};
use crate::memory::{Change, Filter, MemoryError, Scope};

/// What one handle wrote, the other finds, in whatever way it was changed.
pub async fn two_handles_see_one_store(factory: &dyn Factory) -> Check {
    let (one, two) = (factory.open("shared").await?, factory.open("shared").await?);
    let sees = async |expected: &[u64], what: &str| -> Check {
        for store in [&one, &two, &one] {
            let words = found(&**store, by_words(&ann(), "words")).await?;
            ensure!(words == expected, "after {what} {words:?} is found by words, not {expected:?}");
            let vectors = found(&**store, by_vector(&ann(), "m", &[1.0, 0.5])).await?;
            ensure!(vectors == expected, "after {what} {vectors:?} is found by vectors, not {expected:?}");
        }
        Ok(())
    };
    let with = |n| Change::add(insight(n, &ann(), "words"), vec![vector("m", &[1.0, 0.0])]);
    sees(&[], "nothing").await?;
    one.apply(&ann(), vec![with(1)]).await?;
    sees(&[1], "adding").await?;
    two.apply(&ann(), vec![with(2), with(3)]).await?;
    sees(&[1, 2, 3], "adding by the other").await?;
    one.apply(&ann(), vec![Change::Close { id: id(1), at: at(9), kept: None }]).await?;
    sees(&[2, 3], "closing").await?;
    two.apply(&ann(), vec![Change::Remove { id: id(2) }]).await?;
    sees(&[3], "removing").await?;
    one.apply(&ann(), vec![with(4)]).await?;
    sees(&[3, 4], "adding after removing").await?;
    two.erase(&ann()).await?;
    sees(&[], "erasing").await?;
    one.apply(&ann(), vec![with(5)]).await?;
    sees(&[5], "adding after erasing").await?;
    two.apply(&ann(), vec![Change::DropVectors { model: "m".into() }]).await?;
    let vectors = found(&*one, by_vector(&ann(), "m", &[1.0, 0.5])).await?;
    ensure!(vectors.is_empty(), "after the other dropped vectors {vectors:?} is found");
    two.apply(&ann(), vec![Change::PutVectors { id: id(5), vectors: vec![vector("m", &[1.0, 0.0])] }])
        .await?;
    sees(&[5], "putting vectors").await
}

/// Many who write at once lose nothing, and many who read at once see it.
pub async fn many_write_at_once(factory: &dyn Factory) -> Check {
    let store = factory.open("racing").await?;
    let tasks = (0..32_u64).map(|task| {
        let store = Arc::clone(&store);
        async move {
            let scope = Scope::of("acme").user(format!("user {}", task % 4));
            for n in 0..8 {
                let memory = insight(1 + task * 8 + n, &scope, "some words");
                store.apply(&scope, vec![Change::add(memory, vec![vector("m", &[1.0])])]).await?;
                store.search(by_words(&scope, "words")).await?;
            }
            Ok::<_, MemoryError>(())
        }
    });
    try_join_all(tasks).await?;
    let all = listed(&*store, &Scope::of("acme"), Filter::default()).await?;
    ensure!(all == (1..=256).collect::<Vec<_>>(), "{} of 256 are there", all.len());
    Ok(())
}

/// Of many who supersede one memory, one does, and nothing is left of the others.
pub async fn one_racing_writer_wins(factory: &dyn Factory) -> Check {
    let store = factory.open("winner").await?;
    insights(&*store, &ann(), 1, &["tea"]).await?;
    let tries = (2..=9).map(|n| {
        let store = Arc::clone(&store);
        async move {
            let change = Change::supersede(id(1), insight(n, &ann(), "coffee"), vec![], None);
            (n, store.apply(&ann(), vec![change]).await)
        }
    });
    let ended = join_all(tries).await;
    let won: Vec<u64> = ended.iter().filter(|(_, end)| end.is_ok()).map(|(n, _)| *n).collect();
    ensure!(won.len() == 1, "{won:?} have superseded one memory");
    ensure!(
        ended.iter().all(|(_, end)| matches!(end, Ok(()) | Err(MemoryError::Closed { .. }))),
        "who lost is told something else: {ended:?}"
    );
    let there = listed(&*store, &ann(), Filter::default()).await?;
    ensure!(there == won, "{won:?} has won, and {there:?} is there");
    Ok(())
}

/// A call that is dropped half way leaves all or nothing.
pub async fn a_dropped_change_leaves_all_or_nothing(factory: &dyn Factory) -> Check {
    let store = factory.open("dropped").await?;
    for round in 0..20_u64 {
        let scope = Scope::of("acme").user(format!("user {round}"));
        let changes = (1..=3).map(|n| add(insight(round * 10 + n, &scope, "words"))).collect();
        let call = store.apply(&scope, changes);
        // Dropped after so many turns of the executor.
        let mut call = Box::pin(call);
        for _ in 0..round {
            if (&mut call).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
    }
    for round in 0..20_u64 {
        let scope = Scope::of("acme").user(format!("user {round}"));
        // A read begins after whatever the writer still had before it.
        store.apply(&scope, vec![Change::Touch { ids: vec![id(round * 10 + 1)], at: at(1) }]).await?;
        let there = listed(&*store, &scope, Filter::default()).await?.len();
        ensure!(there == 0 || there == 3, "a call that was dropped left {there} of 3 memories");
    }
    Ok(())
}

/// What was written is there after all handles were let go of and one was opened again.
pub async fn what_was_written_is_there_after_opening_again(factory: &dyn Factory) -> Check {
    let store = factory.open("again").await?;
    let change = Change::add(insight(1, &ann(), "words"), vec![vector("m", &[1.0, 0.0])]);
    store.apply(&ann(), vec![change]).await?;
    let again = factory.open("again").await?;
    drop(store);
    let words = found(&*again, by_words(&ann(), "words")).await?;
    let vectors = found(&*again, by_vector(&ann(), "m", &[1.0, 0.0])).await?;
    ensure!(words == [1] && vectors == [1], "after opening again {words:?} and {vectors:?} are found");
    Ok(())
}
