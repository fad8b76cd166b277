//! Two handles, many tasks, opening again.

use futures_util::future::join_all;

use super::Factory;
use super::help::{Check, DAY, all, announce, ensure, found, moved, register, row, rows, summaries, table};
use crate::agent_log::{AgentLogError, AgentLogStoreExt, LogTable, Registered, TierChange};

/// What one handle does, the other sees at once.
pub async fn two_handles_see_the_same(factory: &dyn Factory) -> Check {
    let (one, two) = (factory.open("handles").await?, factory.open("handles").await?);
    one.put(rows(1, 3)).await?;
    ensure!(two.all_rows(&all()).await? == rows(1, 3), "the other does not see rows");
    ensure!(two.put(rows(3, 4)).await? == 1, "the other adds what is there");
    one.apply("acme", vec![announce("x", DAY)]).await?;
    two.apply("acme", moved("x", &rows(1, 2))).await?;
    ensure!(found(&*one, &all()).await? == [3, 4], "the first sees what the other moved");
    ensure!(summaries(&*one).await? == table(&rows(1, 2)), "the first does not see summaries");
    ensure!(two.erase(&super::help::acme()).await? == 2, "the other does not erase what the first put");
    ensure!(one.all_rows(&all()).await?.is_empty(), "the first sees erased rows");
    Ok(())
}

/// Of several who would move the same rows one does, and all rows stand in one place.
pub async fn rows_are_moved_by_one_of_many(factory: &dyn Factory) -> Check {
    let store = factory.open("racing").await?;
    store.put(rows(1, 20)).await?;
    let movers = (0..8).map(|n| async move {
        let store = factory.open("racing").await?;
        let name = format!("x{n}");
        store.apply("acme", vec![announce(&name, DAY)]).await?;
        store.apply("acme", moved(&name, &rows(5, 15))).await
    });
    let moves = join_all(movers).await;
    let done = moves.iter().filter(|moved| moved.is_ok()).count();
    ensure!(done == 1, "{done} of eight moved the same rows");
    let conflicts = moves.iter().filter(|moved| matches!(moved, Err(AgentLogError::Conflict { .. }))).count();
    ensure!(conflicts == 7, "of seven who came late {conflicts} are told of a conflict: {moves:?}");
    ensure!(summaries(&*store).await? == table(&rows(5, 15)), "moved rows are not counted once");
    let sealed = register(&*store).await?;
    let sealed = sealed.iter().filter(|found| matches!(found, Registered::Sealed { .. })).count();
    ensure!(sealed == 1, "{sealed} segments are sealed");
    ensure!(found(&*store, &all()).await?.len() == 9, "rows that were not moved are gone");
    Ok(())
}

/// What several count at once adds up.
pub async fn counts_of_many_add_up(factory: &dyn Factory) -> Check {
    let counters = (0..8_u64).map(|n| async move {
        let store = factory.open("counting_at_once").await?;
        for _ in 0..3 {
            let table = table(&rows(1, 5 + n % 2));
            store.apply("acme", vec![TierChange::Count { table }]).await?;
        }
        Ok::<_, AgentLogError>(())
    });
    for counted in join_all(counters).await {
        counted?;
    }
    let mut due = LogTable::default();
    for n in 0..24 {
        due.extend(table(&rows(1, 5 + n % 2)));
    }
    let found = summaries(&*factory.open("counting_at_once").await?).await?;
    ensure!(found == due, "24 counts come to {found:?}, not {due:?}");
    Ok(())
}

/// Of several who put the same rows each row is added once.
pub async fn a_row_is_added_by_one_of_many(factory: &dyn Factory) -> Check {
    let store = factory.open("putting").await?;
    let writers = (0..8).map(|n| async move {
        let store = factory.open("putting").await?;
        store.put(rows(1 + n, 40)).await
    });
    let mut added = 0;
    for put in join_all(writers).await {
        added += put?;
    }
    ensure!(added == 40, "40 rows were told as added {added} times");
    ensure!(store.all_rows(&all()).await? == rows(1, 40), "rows are missing, or there twice");
    Ok(())
}

/// What was put and moved is there when the place is opened anew.
pub async fn what_was_put_is_there_after_opening_again(factory: &dyn Factory) -> Check {
    let store = factory.open("reopening").await?;
    store.put(rows(1, 5)).await?;
    store.apply("acme", vec![announce("x", DAY)]).await?;
    store.apply("acme", moved("x", &[row(2)])).await?;
    drop(store);
    let store = factory.open("reopening").await?;
    ensure!(found(&*store, &all()).await? == [1, 3, 4, 5], "rows are gone, or back again");
    ensure!(summaries(&*store).await? == table(&[row(2)]), "summaries are gone");
    ensure!(register(&*store).await?.len() == 1, "the register is gone");
    Ok(())
}
