//! Removing, erasing, export and import.

use serde_json::json;

use super::Factory;
use super::help::{
    Check, add, ann, at, bob, by_vector, by_words, ensure, ensure_fails, found, id, insight, insights,
    listed, turn, vector,
};
use crate::memory::{
    Change, Filter, Imported, MemoryBlock, MemoryCounts, MemoryError, MemoryStore, MemoryStoreExt, Reach,
    Scope,
};

fn block(scope: &Scope) -> Change {
    let block = MemoryBlock {
        scope: scope.clone(),
        name: "human".into(),
        purpose: String::new(),
        text: "x".into(),
        limit: 9,
        version: 0,
        updated_at: at(1),
    };
    Change::PutBlock { block, expected: None }
}

async fn fill(store: &dyn MemoryStore) -> Check {
    let mut tagged = turn(2, &ann().agent("cook"), "c", "in the second sentence");
    tagged.metadata.insert("n".into(), json!([1, "x"]));
    let changes = vec![
        Change::add(
            insight(1, &ann(), "in the first sentence"),
            vec![vector("m", &[0.1, 1e-20]), vector("k", &[3.5])],
        ),
        add(tagged),
        Change::supersede(
            id(1),
            insight(3, &ann(), "in the third sentence"),
            vec![vector("m", &[1.0, 2.0])],
            None,
        ),
        block(&ann()),
        block(&ann().agent("cook")),
    ];
    store.apply(&ann(), changes).await?;
    let his = Change::add(insight(4, &bob(), "in his sentence"), vec![vector("m", &[1.0, 2.0])]);
    store.apply(&bob(), vec![his, block(&bob())]).await?;
    Ok(())
}

/// What is removed is gone from everything.
pub async fn removed_is_gone(factory: &dyn Factory) -> Check {
    let store = factory.open("removing").await?;
    fill(&*store).await?;
    for _ in 0..2 {
        store.apply(&ann(), vec![Change::Remove { id: id(3) }]).await?;
        let listed = listed(&*store, &ann(), Filter::default()).await?;
        let by_words = found(&*store, by_words(&ann(), "sentence")).await?;
        let by_vector = found(&*store, by_vector(&ann(), "m", &[1.0, 2.0])).await?;
        ensure!(
            (&*listed, &*by_words, &*by_vector) == (&[2][..], &[2][..], &[][..]),
            "after 3 was removed {listed:?} is listed, {by_words:?} found by words, {by_vector:?} by vectors"
        );
    }
    let counts = store.counts(&ann()).await?;
    ensure!(counts.memories == 2 && counts.vectors.values().sum::<u64>() == 2, "the counts are {counts:?}");
    insights(&*store, &ann(), 3, &["again a sentence"]).await?;
    let again = found(&*store, by_words(&ann(), "sentence")).await?;
    ensure!(again == [2, 3], "after its id was used again {again:?} is found");
    Ok(())
}

/// Erasing leaves nothing of a scope, and everything of the others.
pub async fn erased_is_gone(factory: &dyn Factory) -> Check {
    let store = factory.open("erasing").await?;
    fill(&*store).await?;
    // Read first, so that whatever a store keeps at hand is at hand.
    found(&*store, by_words(&ann(), "sentence")).await?;
    let cook = store.erase(&ann().agent("cook")).await?;
    ensure!((cook.memories, cook.blocks) == (1, 1), "erasing an agent's tells {cook:?}");
    let rest = found(&*store, by_words(&ann(), "sentence")).await?;
    ensure!(rest == [3], "after an agent's was erased {rest:?} is found");

    let erased = store.erase(&ann()).await?;
    ensure!(
        (erased.memories, erased.open, erased.blocks, erased.vectors.values().sum::<u64>()) == (2, 1, 1, 3),
        "erasing a user tells {erased:?}"
    );
    ensure!(store.counts(&ann()).await? == MemoryCounts::default(), "erased memories are counted");
    ensure!(store.export_lines(&ann()).await?.is_empty(), "erased memories are exported");
    for query in [by_words(&ann(), "sentence"), by_vector(&ann(), "m", &[1.0, 2.0])] {
        let found = found(&*store, query).await?;
        ensure!(found.is_empty(), "erased memories are found: {found:?}");
    }
    ensure!(store.erase(&ann()).await? == MemoryCounts::default(), "what is erased is erased again");
    let his = found(&*store, by_words(&bob(), "sentence")).await?;
    ensure!(his == [4], "erasing Ann leaves {his:?} of Bob");

    // A user who comes back begins anew.
    insights(&*store, &ann(), 1, &["a new sentence"]).await?;
    let found = found(&*store, by_words(&ann(), "sentence")).await?;
    ensure!(found == [1], "a user who came back has {found:?}");
    store.erase(&Scope::of("acme")).await?;
    ensure!(store.counts(&Scope::of("acme")).await? == MemoryCounts::default(), "erased tenants are counted");
    Ok(())
}

/// What is exported can be imported, elsewhere or here, as often as one likes, and is the same.
pub async fn exports_can_be_imported(factory: &dyn Factory) -> Check {
    let store = factory.open("exporting").await?;
    fill(&*store).await?;
    let lines = store.export_lines(&ann()).await?;
    ensure!(lines.lines().count() == 5, "{} lines are exported, not 5", lines.lines().count());
    let again = store.import_lines(&ann(), &lines).await?;
    ensure!(again == Imported { added: 0, present: 5 }, "importing what is there: {again:?}");

    let other = factory.open("importing").await?;
    let done = other.import_lines(&ann(), &lines).await?;
    ensure!(done == Imported { added: 5, present: 0 }, "importing elsewhere: {done:?}");
    let back = other.export_lines(&ann()).await?;
    ensure!(back == lines, "what comes back is not what was exported:\n{back}\n{lines}");
    let found = found(&*other, by_vector(&ann(), "m", &[1.0, 2.0])).await?;
    ensure!(found == [3], "after an import {found:?} is found");
    let blocks = other.blocks(&ann(), Reach::Within).await?.len();
    ensure!(blocks == 2, "{blocks} blocks are imported");
    Ok(())
}

/// Nothing is imported into a scope where it does not belong, and a line that is none is told by its number.
pub async fn imports_are_checked(factory: &dyn Factory) -> Check {
    let store = factory.open("import_source").await?;
    fill(&*store).await?;
    let lines = store.export_lines(&ann()).await?;
    let other = factory.open("import_checks").await?;
    ensure_fails!(
        other.import_lines(&bob(), &lines).await,
        MemoryError::OutOfScope { .. },
        "importing Ann's memories as Bob's"
    );
    for (broken, line) in [("{\"record\":\"memory\"}", 1), ("\n\n{", 3), ("{\"record\":\"poem\"}", 1)] {
        match other.import_lines(&ann(), broken).await {
            Err(MemoryError::Line { line: found, .. }) if found == line => {}
            other => return Err(super::Broken(format!("{broken:?} is imported: {other:?}"))),
        }
    }
    ensure!(other.counts(&ann()).await? == MemoryCounts::default(), "a refused import leaves something");
    Ok(())
}
