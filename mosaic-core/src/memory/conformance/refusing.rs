//! What is refused: by every store alike, saying why, and without a trace.

use serde_json::json;

use super::Factory;
use super::help::{Check, ann, at, by_vector, by_words, ensure, ensure_fails, id, insight, turn, vector};
use crate::error::ErrorKind;
use crate::memory::{
    Change, Filter, Memory, MemoryBody, MemoryCounts, MemoryError, MemoryPage, Reach, Scope, SearchQuery,
    check,
};
use crate::runtime::Timestamp;

fn with(change: impl FnOnce(&mut Memory)) -> Change {
    let mut memory = turn(1, &ann(), "c", "so it is");
    change(&mut memory);
    Change::add(memory, vec![vector("m", &[1.0, 0.0])])
}

fn text(text: impl Into<std::sync::Arc<str>>) -> Change {
    let text = text.into();
    with(|memory| memory.body = MemoryBody::Insight { text })
}

fn preference(key: &str, value: &str, confidence: f32) -> Change {
    with(|memory| memory.body = MemoryBody::Preference { key: key.into(), value: value.into(), confidence })
}

fn values(values: Vec<f32>) -> Change {
    Change::add(insight(1, &ann(), "x"), vec![crate::memory::Vector::new("m", values)])
}

/// Bad input is refused as `invalid_request`, and leaves nothing.
pub async fn bad_memories_are_refused(factory: &dyn Factory) -> Check {
    let store = factory.open("refusing").await?;
    let bad = [
        ("an empty text", text("")),
        ("a text of spaces", text(" \n\t")),
        ("a text of 10 MB", text("word ".repeat(2 << 20))),
        ("a NUL", text("a\0b")),
        ("an empty key", preference("", "tea", 1.0)),
        ("an empty value", preference("drink", "", 1.0)),
        ("a confidence of 2", preference("drink", "tea", 2.0)),
        ("a confidence that is no number", preference("drink", "tea", f32::NAN)),
        ("importance below 0", with(|memory| memory.importance = -0.1)),
        ("importance that is no number", with(|memory| memory.importance = f32::NAN)),
        ("validity that ends before it begins", with(|memory| memory.valid_to = Some(at(0)))),
        ("validity of no length", with(|memory| memory.valid_to = Some(memory.valid_from))),
        ("closed before it was recorded", with(|memory| memory.closed_at = Some(at(0)))),
        ("superseded and not closed", with(|memory| memory.superseded_by = Some(id(9)))),
        ("a time beyond all times", with(|memory| memory.valid_from = Timestamp(u64::MAX))),
        (
            "metadata of a megabyte",
            with(|memory| drop(memory.metadata.insert("x".into(), json!("x".repeat(1 << 20))))),
        ),
        ("a name of a megabyte", with(|memory| memory.scope.session = Some("x".repeat(1 << 20).into()))),
        ("no numbers", values(vec![])),
        ("a number that is none", values(vec![1.0, f32::NAN])),
        ("an infinite number", values(vec![f32::INFINITY])),
        ("a vector of a million numbers", values(vec![0.5; 1 << 20])),
        (
            "two vectors of one model",
            Change::add(insight(1, &ann(), "x"), vec![vector("m", &[1.0]), vector("m", &[1.0])]),
        ),
        (
            "vectors to put that are none",
            Change::PutVectors { id: id(1), vectors: vec![vector("m", &[f32::NAN])] },
        ),
        ("a memory that supersedes itself", Change::supersede(id(1), insight(1, &ann(), "x"), vec![], None)),
    ];
    for (what, change) in bad {
        let refused =
            store.apply(&ann(), vec![Change::add(insight(5, &ann(), "good"), vec![]), change]).await;
        match &refused {
            Err(error @ MemoryError::Invalid { .. }) => {
                ensure!(error.kind() == ErrorKind::InvalidRequest, "{what} is of kind {}", error.kind());
                ensure!(error.to_string().len() < 9_000, "{what} is told with all of it");
            }
            other => return Err(super::Broken(format!("{what} is not refused: {other:?}"))),
        }
    }
    ensure!(store.counts(&ann()).await? == MemoryCounts::default(), "what was refused left something");
    store.apply(&ann(), vec![text("x".repeat(check::MAX_TEXT))]).await?;
    Ok(())
}

/// A question that makes no sense is refused too.
pub async fn bad_questions_are_refused(factory: &dyn Factory) -> Check {
    let store = factory.open("bad_questions").await?;
    for query in [
        by_vector(&ann(), "m", &[f32::NAN]),
        by_vector(&ann(), "m", &[]),
        by_vector(&ann(), "m", &[1.0]).vector(vector("m", &[1.0])),
        by_words(&ann(), &"word ".repeat(2 << 20)),
        SearchQuery { limit: u32::MAX, ..by_words(&ann(), "x") },
        SearchQuery { neighbours: u32::MAX, ..by_words(&ann(), "x") },
    ] {
        ensure_fails!(
            store.search(query).await,
            MemoryError::Invalid { .. },
            "a question that makes no sense"
        );
    }
    Ok(())
}

/// A scope that nobody wrote is empty, in every way to read it, before and after somebody else wrote.
pub async fn an_unknown_scope_is_empty(factory: &dyn Factory) -> Check {
    let store = factory.open("unknown").await?;
    let nobody = Scope::of("acme").user("nobody");
    for _ in 0..2 {
        let found = store.search(by_words(&nobody, "x").vector(vector("m", &[1.0]))).await?;
        ensure!(found.candidates.is_empty() && found.admitted == 0, "nobody's memories are found");
        ensure!(store.get(&nobody, &[id(1)]).await? == [None], "nobody's memories are got");
        ensure!(store.get(&nobody, &[]).await?.is_empty(), "no ids give something");
        ensure!(store.list(&nobody, MemoryPage::default()).await?.is_empty(), "nobody's memories are listed");
        ensure!(
            store.missing_vectors(&nobody, "m", None, 9).await?.is_empty(),
            "nobody's vectors are missing"
        );
        ensure!(store.blocks(&nobody, Reach::Inherited).await?.is_empty(), "nobody has blocks");
        ensure!(store.erase(&nobody).await? == MemoryCounts::default(), "nobody's memories are erased");
        store
            .apply(&ann(), vec![Change::add(insight(1, &ann(), "x"), vec![vector("m", &[1.0])])])
            .await
            .or_else(|error| if matches!(error, MemoryError::Exists { .. }) { Ok(()) } else { Err(error) })?;
    }
    let there = super::help::listed(&*store, &ann(), Filter::default()).await?;
    ensure!(there == [1], "what is Ann's is {there:?}");
    Ok(())
}
