//! Models, and embedding anew while both serve.

use super::Factory;
use super::help::{
    Check, add, ann, at, bob, by_vector, ensure, ensure_fails, found, id, insight, insights, numbers, vector,
};
use crate::memory::{Change, MemoryError, Scope, SearchQuery};

/// Vectors of one model have one length in a tenant, until none is left.
pub async fn a_model_has_one_width(factory: &dyn Factory) -> Check {
    let store = factory.open("widths").await?;
    store.apply(&ann(), vec![Change::add(insight(1, &ann(), "x"), vec![vector("m", &[1.0, 0.0])])]).await?;
    let wrong = vec![vector("m", &[1.0, 0.0, 0.0])];
    for change in [
        Change::add(insight(2, &ann(), "x"), wrong.clone()),
        Change::PutVectors { id: id(1), vectors: wrong.clone() },
        Change::supersede(id(1), insight(3, &ann(), "x"), wrong.clone(), None),
    ] {
        ensure_fails!(
            store.apply(&ann(), vec![change]).await,
            MemoryError::Width { .. },
            "a vector of another width"
        );
    }
    ensure_fails!(
        store.apply(&bob(), vec![Change::add(insight(4, &bob(), "x"), wrong.clone())]).await,
        MemoryError::Width { .. },
        "another width from another user"
    );
    ensure_fails!(
        store.search(by_vector(&ann(), "m", &[1.0])).await,
        MemoryError::Width { expected: 2, found: 1, .. },
        "a question of another width"
    );
    let globex = Scope::of("globex");
    store.apply(&globex, vec![Change::add(insight(1, &globex, "x"), wrong.clone())]).await?;
    let nothing = found(&*store, by_vector(&ann(), "unheard of", &[1.0])).await?;
    ensure!(nothing.is_empty(), "a model that nobody used finds {nothing:?}");

    store.apply(&ann(), vec![Change::DropVectors { model: "m".into() }]).await?;
    let gone = found(&*store, by_vector(&ann(), "m", &[1.0, 0.0])).await?;
    ensure!(gone.is_empty(), "vectors that were dropped find {gone:?}");
    store.apply(&ann(), vec![Change::PutVectors { id: id(1), vectors: wrong }]).await?;
    let back = found(&*store, by_vector(&ann(), "m", &[1.0, 0.0, 0.0])).await?;
    ensure!(back == [1], "after a model came back with another width {back:?} is found");
    Ok(())
}

/// A vector that is put replaces that of its model, and no other.
pub async fn vectors_are_replaced(factory: &dyn Factory) -> Check {
    let store = factory.open("replaced").await?;
    let both = vec![vector("a", &[1.0, 0.0]), vector("b", &[1.0, 0.0])];
    store.apply(&ann(), vec![Change::add(insight(1, &ann(), "x"), both)]).await?;
    let first = store.search(by_vector(&ann(), "a", &[0.0, 1.0])).await?;
    ensure!(first.candidates.len() == 1, "one is found");
    store
        .apply(&ann(), vec![Change::PutVectors { id: id(1), vectors: vec![vector("a", &[0.0, 1.0])] }])
        .await?;
    for (model, expected) in [("a", 1.0), ("b", 0.0)] {
        let found = store.search(by_vector(&ann(), model, &[0.0, 1.0])).await?;
        let dense = found.candidates.first().and_then(|one| one.dense).unwrap_or(f64::NAN);
        ensure!((dense - expected).abs() < 1e-6, "by `{model}` the cosine is {dense}, not {expected}");
    }
    Ok(())
}

/// Embedding anew: what is missing is told page by page, whoever stops and goes on, and both models serve meanwhile.
pub async fn two_models_serve_while_one_replaces_the_other(factory: &dyn Factory) -> Check {
    let store = factory.open("anew").await?;
    let old = |n: u8| vec![vector("old", &[1.0, f32::from(n)])];
    let changes = (1..=10_u8).map(|n| Change::add(insight(u64::from(n), &ann(), "x"), old(n)));
    store.apply(&ann(), changes.collect()).await?;
    store.apply(&ann(), vec![Change::Close { id: id(3), at: at(20), kept: None }]).await?;

    let mut after = None;
    for expected in [&[1, 2, 3, 4][..], &[5, 6, 7, 8]] {
        let page = store.missing_vectors(&ann(), "new", after, 4).await?;
        ensure!(numbers(&page) == expected, "{:?} are to be embedded, not {expected:?}", numbers(&page));
        after = page.last().map(|memory| memory.id);
        let vectors = |memory: &crate::memory::Memory| Change::PutVectors {
            id: memory.id,
            vectors: vec![vector("new", &[0.0, 0.0, 1.0])],
        };
        store.apply(&ann(), page.iter().map(|memory| vectors(memory)).collect()).await?;
    }
    // Half way: each is found once, by the new model where it has that.
    let query = by_vector(&ann(), "new", &[0.0, 0.0, 1.0]).vector(vector("old", &[1.0, 1.0]));
    let both = store.search(query.clone()).await?;
    let by: Vec<_> = both.candidates.iter().map(|one| one.model.as_deref().unwrap_or("none")).collect();
    ensure!(
        by == ["new", "new", "new", "new", "new", "new", "new", "old", "old"],
        "half way the models are {by:?} (3 is closed)"
    );
    // Somebody stopped here; who begins again finds what is left, and what was added since.
    insights(&*store, &ann(), 11, &["added by an old program"]).await?;
    let rest = numbers(&store.missing_vectors(&ann(), "new", None, 100).await?);
    ensure!(rest == [9, 10, 11], "{rest:?} are left");
    for n in rest {
        let change = Change::PutVectors { id: id(n), vectors: vec![vector("new", &[0.0, 1.0, 0.0])] };
        store.apply(&ann(), vec![change]).await?;
    }
    store.apply(&ann(), vec![Change::DropVectors { model: "old".into() }]).await?;
    let found = store.search(SearchQuery { limit: 100, ..query }).await?;
    ensure!(
        found.candidates.len() == 10
            && found.candidates.iter().all(|one| one.model.as_deref() == Some("new")),
        "after the old model went, {} are found",
        found.candidates.len()
    );
    let counts = store.counts(&ann()).await?;
    ensure!(counts.vectors == [("new".into(), 11)].into(), "the counts are {:?}", counts.vectors);
    Ok(())
}

/// Models are arms of their own: one whose cosines are all higher does not crowd out the other.
pub async fn no_model_crowds_out_another(factory: &dyn Factory) -> Check {
    let store = factory.open("crowded").await?;
    let near = |n: u8| vec![vector("near", &[1.0, f32::from(n) / 100.0])];
    let far = |n: u8| vec![vector("far", &[1.0, f32::from(n)])];
    let changes = (1..=5_u8).map(|n| Change::add(insight(u64::from(n), &ann(), "x"), near(n)));
    let more = (6..=10_u8).map(|n| Change::add(insight(u64::from(n), &ann(), "x"), far(n)));
    store.apply(&ann(), changes.chain(more).collect()).await?;
    let query = by_vector(&ann(), "near", &[1.0, 0.0]).vector(vector("far", &[1.0, 0.0]));
    let best = found(&*store, SearchQuery { limit: 2, ..query }).await?;
    ensure!(best == [1, 2, 6, 7], "the best two of each of two models are {best:?}");
    Ok(())
}

/// Vectors for a memory that is gone are dropped without a word: it was removed while it was being embedded.
pub async fn vectors_of_what_is_gone_are_dropped(factory: &dyn Factory) -> Check {
    let store = factory.open("too_late").await?;
    store.apply(&ann(), vec![add(insight(1, &ann(), "x")), add(insight(2, &ann(), "x"))]).await?;
    store.apply(&ann(), vec![Change::Remove { id: id(1) }]).await?;
    let put = |n| Change::PutVectors { id: id(n), vectors: vec![vector("m", &[1.0])] };
    store.apply(&ann(), vec![put(1), put(2)]).await?;
    let found = found(&*store, by_vector(&ann(), "m", &[1.0])).await?;
    ensure!(found == [2], "{found:?} is found");
    Ok(())
}
