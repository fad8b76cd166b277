//! What comes back, lists and pages, all or nothing.

use serde_json::json;

use super::Factory;
use super::help::{
    Check, add, ann, at, bob, ensure, ensure_fails, id, insight, insights, listed, numbers, turn,
};
use crate::id::Seq;
use crate::memory::{
    Change, Filter, Memory, MemoryBody, MemoryError, MemoryKind, MemoryPage, SourceRef, Span,
};

/// A memory with everything that one can have.
fn full(n: u64) -> Memory {
    let span = Span { session: "s\"1".into(), from: Seq(3), to: Seq(9) };
    let mut memory = turn(n, &ann().agent("cook").session("s\"1"), "c'1", "She said: \"naïve\" 🦀\n");
    memory.body = MemoryBody::Episode { text: "She said: \"naïve\" 🦀\n".into(), span: Some(span) };
    memory.source = vec![SourceRef { session: "s\"1".into(), seq: Seq(4) }];
    if let Some(place) = &mut memory.place {
        place.speaker = Some("Ann".into());
        place.said_at = Some(at(5));
        place.caption = Some("a cat".into());
    }
    memory.valid_to = Some(at(99));
    memory.importance = 0.1;
    memory.accessed = 7;
    memory.accessed_at = Some(at(50));
    memory.metadata = [("topic".into(), json!("pets")), ("deep".into(), json!({"a": [1, null, 0.5]}))]
        .into_iter()
        .collect();
    memory
}

/// What was added is got, to the last bit.
///
/// # Errors
/// When the store breaks the rule; so with all rules.
pub async fn what_was_added_is_got(factory: &dyn Factory) -> Check {
    let store = factory.open("kept_whole").await?;
    let preference = MemoryBody::Preference { key: "drink".into(), value: "tea".into(), confidence: 0.3 };
    let preference = Memory::new(id(2), ann(), preference, at(2));
    let mut closed = insight(3, &ann(), "it was so");
    (closed.closed_at, closed.superseded_by) = (Some(at(9)), Some(id(2)));
    let all = [full(1), preference, closed];
    store.apply(&ann(), all.iter().cloned().map(add).collect()).await?;
    let ids = all.clone().map(|memory| memory.id);
    for (got, added) in store.get(&ann(), &ids).await?.iter().zip(&all) {
        ensure!(got.as_deref() == Some(added), "{added:?} was added, {got:?} is got");
    }
    let [last, none, first] = [ids[2], id(77), ids[0]];
    let got = store.get(&ann(), &[last, none, first, last]).await?;
    let got: Vec<_> = got.iter().map(|memory| memory.as_ref().map(|memory| memory.id)).collect();
    ensure!(got == [Some(last), None, Some(first), Some(last)], "ids are got in another order: {got:?}");
    Ok(())
}

/// A list is in the order of the ids, whatever the order of writing, and goes on after the id given.
pub async fn lists_are_sorted_and_paged(factory: &dyn Factory) -> Check {
    let store = factory.open("lists").await?;
    for n in [5, 2, 9, 1, 7] {
        store.apply(&ann(), vec![add(insight(n, &ann(), "so"))]).await?;
    }
    store.apply(&bob(), vec![add(insight(3, &bob(), "so"))]).await?;
    for (after, limit, expected) in [
        (None, 100, &[1, 2, 5, 7, 9][..]),
        (None, 2, &[1, 2]),
        (Some(id(2)), 2, &[5, 7]),
        (Some(id(3)), 2, &[5, 7]),
        (Some(id(9)), 2, &[]),
        (None, 0, &[]),
    ] {
        let page = MemoryPage { after, limit, ..MemoryPage::default() };
        let found = numbers(&store.list(&ann(), page).await?);
        ensure!(
            found == expected,
            "after {after:?} with limit {limit} the list is {found:?}, not {expected:?}"
        );
    }
    Ok(())
}

/// A page that a filter thins out is still as long as its limit, if there are as many.
pub async fn a_filtered_page_is_full(factory: &dyn Factory) -> Check {
    let store = factory.open("full_pages").await?;
    let tagged = |n: u64| {
        let mut memory = insight(n, &ann(), "so");
        memory.metadata.insert("third".into(), json!(n.is_multiple_of(3)));
        add(memory)
    };
    store.apply(&ann(), (1..=300).map(tagged).collect()).await?;
    let filter = Filter { metadata: [("third".into(), vec![json!(true)])].into(), ..Filter::default() };
    let page = MemoryPage { filter, after: Some(id(3)), limit: 90 };
    let found = numbers(&store.list(&ann(), page).await?);
    let expected: Vec<u64> = (2..=91).map(|n| n * 3).collect();
    ensure!(found == expected, "the page has {} memories, from {:?}", found.len(), found.first());
    Ok(())
}

/// Filters by kind, by when something was told, and by metadata.
pub async fn filters_admit_what_they_say(factory: &dyn Factory) -> Check {
    let store = factory.open("filters").await?;
    let mut said = turn(1, &ann(), "c", "long ago");
    if let Some(place) = &mut said.place {
        place.said_at = Some(at(1_000));
    }
    let mut tagged = insight(2, &ann(), "tagged");
    tagged.metadata = [("a".into(), json!(1)), ("b".into(), json!("x"))].into_iter().collect();
    store.apply(&ann(), vec![add(said), add(tagged), add(insight(3, &ann(), "plain"))]).await?;
    let tags = |pairs: &[(&str, &[serde_json::Value])]| {
        let metadata = pairs.iter().map(|(name, values)| ((*name).to_owned(), values.to_vec())).collect();
        Filter { metadata, ..Filter::default() }
    };
    let cases = [
        (Filter { kinds: vec![MemoryKind::Episode], ..Filter::default() }, vec![1]),
        (
            Filter { kinds: vec![MemoryKind::Insight, MemoryKind::Preference], ..Filter::default() },
            vec![2, 3],
        ),
        (Filter { since: Some(at(3)), ..Filter::default() }, vec![1, 3]),
        (Filter { before: Some(at(3)), ..Filter::default() }, vec![2]),
        (Filter { since: Some(at(2)), before: Some(at(4)), ..Filter::default() }, vec![2, 3]),
        (tags(&[("a", &[json!(1), json!(2)])]), vec![2]),
        (tags(&[("a", &[json!(1)]), ("b", &[json!("x")])]), vec![2]),
        (tags(&[("a", &[json!(1)]), ("b", &[json!("y")])]), vec![]),
        (tags(&[("a", &[json!("1")])]), vec![]),
        (tags(&[("a", &[])]), vec![]),
        (tags(&[("c", &[json!(null)])]), vec![]),
    ];
    for (filter, expected) in cases {
        let found = listed(&*store, &ann(), filter.clone()).await?;
        ensure!(found == expected, "{filter:?} lists {found:?}, not {expected:?}");
        let query = super::help::by_words(&ann(), "long ago tagged plain");
        let query = crate::memory::SearchQuery { filter: filter.clone(), ..query };
        let found = super::help::found(&*store, query).await?;
        ensure!(found == expected, "{filter:?} finds {found:?}, not {expected:?}");
    }
    Ok(())
}

/// Of changes of which one is refused, none is made.
pub async fn changes_are_made_all_or_none(factory: &dyn Factory) -> Check {
    let store = factory.open("all_or_none").await?;
    insights(&*store, &ann(), 1, &["one"]).await?;
    let changes = vec![
        add(insight(2, &ann(), "two")),
        Change::Close { id: id(1), at: at(9), kept: None },
        Change::Touch { ids: vec![id(1)], at: at(9) },
        add(insight(1, &ann(), "one again")),
    ];
    ensure_fails!(store.apply(&ann(), changes).await, MemoryError::Exists { .. }, "adding an id twice");
    let found = listed(&*store, &ann(), Filter::default()).await?;
    ensure!(found == [1], "after changes that were refused there is {found:?}");
    let one = store.get(&ann(), &[id(1)]).await?;
    ensure!(
        one.iter().flatten().all(|memory| memory.accessed == 0),
        "changes that were refused have counted"
    );
    // What a refused change would have taken is free.
    insights(&*store, &ann(), 2, &["two"]).await?;
    store.apply(&ann(), Vec::new()).await?;
    Ok(())
}

/// A change sees what those before it did.
pub async fn later_changes_see_earlier_ones(factory: &dyn Factory) -> Check {
    let store = factory.open("in_order").await?;
    let changes = vec![
        add(insight(1, &ann(), "tea")),
        Change::supersede(id(1), insight(2, &ann(), "coffee"), vec![], None),
        Change::supersede(id(2), insight(3, &ann(), "water"), vec![], None),
        Change::Touch { ids: vec![id(3), id(3), id(44)], at: at(5) },
        add(insight(4, &ann(), "gone")),
        Change::Remove { id: id(4) },
    ];
    store.apply(&ann(), changes).await?;
    let found = listed(&*store, &ann(), Filter::default()).await?;
    ensure!(found == [3], "{found:?} is left of a chain of changes");
    let got = store.get(&ann(), &[id(1), id(3), id(4)]).await?;
    ensure!(
        got.first().and_then(|one| one.as_ref()?.superseded_by) == Some(id(2)),
        "what was superseded does not say by what"
    );
    let touched =
        got.get(1).and_then(|three| three.as_ref()).map(|three| (three.accessed, three.accessed_at));
    ensure!(touched == Some((2, Some(at(5)))), "two touches count as {touched:?}");
    ensure!(got.get(2).is_some_and(Option::is_none), "what was added and removed is there");
    Ok(())
}

/// Counting uses makes nothing younger.
pub async fn touching_never_goes_back(factory: &dyn Factory) -> Check {
    let store = factory.open("touching").await?;
    insights(&*store, &ann(), 1, &["one"]).await?;
    for time in [9, 5] {
        store.apply(&ann(), vec![Change::Touch { ids: vec![id(1)], at: at(time) }]).await?;
    }
    // In another's scope it is not there.
    store.apply(&bob(), vec![Change::Touch { ids: vec![id(1)], at: at(99) }]).await?;
    let got = store.get(&ann(), &[id(1)]).await?;
    let got: Vec<_> = got.iter().flatten().map(|one| (one.accessed, one.accessed_at)).collect();
    ensure!(got == [(2, Some(at(9)))], "after two touches there is {got:?}");
    Ok(())
}

/// Counts are of what is there.
pub async fn counts_add_up(factory: &dyn Factory) -> Check {
    let store = factory.open("counts").await?;
    let none = store.counts(&ann()).await?;
    ensure!(none == crate::memory::MemoryCounts::default(), "an empty store counts {none:?}");
    let vectors = |n: u64| {
        let all = [super::help::vector("old", &[1.0, 0.0]), super::help::vector("new", &[1.0])];
        all.into_iter().take(usize::try_from(n % 3).unwrap_or_default()).collect()
    };
    let changes = (1..=6).map(|n| Change::add(insight(n, &ann(), "so"), vectors(n)));
    store.apply(&ann(), changes.collect()).await?;
    store.apply(&ann(), vec![Change::Close { id: id(1), at: at(9), kept: None }]).await?;
    insights(&*store, &bob(), 7, &["his"]).await?;
    let counts = store.counts(&ann()).await?;
    let (old, new) = (counts.vectors.get("old").copied(), counts.vectors.get("new").copied());
    ensure!(
        (counts.memories, counts.open, old, new, counts.blocks) == (6, 5, Some(4), Some(2), 0),
        "the counts are {counts:?}"
    );
    let all = store.counts(&crate::memory::Scope::of("acme")).await?;
    ensure!(all.memories == 7, "the tenant has {} memories, not 7", all.memories);
    Ok(())
}

/// Ten thousand memories are kept, found and listed.
pub async fn ten_thousand_memories_are_kept(factory: &dyn Factory) -> Check {
    let store = factory.open("many").await?;
    for from in (1..=10_000).step_by(2_500) {
        let some = (from..from + 2_500).map(|n| add(insight(n, &ann(), &format!("word{n} and common"))));
        store.apply(&ann(), some.collect()).await?;
    }
    let found = super::help::found(&*store, super::help::by_words(&ann(), "word4711")).await?;
    ensure!(found == [4_711], "one word of ten thousand finds {found:?}");
    let mut after = None;
    let mut count = 0;
    loop {
        let page = store.list(&ann(), MemoryPage { after, limit: 3_000, ..MemoryPage::default() }).await?;
        count += page.len();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
    }
    ensure!(count == 10_000, "{count} of 10,000 are listed");
    Ok(())
}
