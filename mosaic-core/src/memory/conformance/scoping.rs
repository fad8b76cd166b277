//! Tenants, users, agents, sessions.

use super::Factory;
use super::help::{
    Check, add, ann, at, bob, by_vector, by_words, ensure, ensure_fails, found, id, insight, listed, number,
    vector,
};
use crate::memory::{
    Change, Filter, MemoryBlock, MemoryCounts, MemoryError, MemoryStore, MemoryStoreExt, Reach, Scope,
    SearchQuery,
};

/// Names that a careless store mixes up.
const NAMES: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "a ",
    "a/b",
    "a/user b",
    "%",
    "_",
    "*",
    "a'b",
    "a\"b",
    "a;--",
    "a\nb",
    "ä",
    "a\u{308}",
    "日本",
    "🦀",
    "null",
    "\u{10ffff}",
];

fn block(scope: &Scope, name: &str) -> MemoryBlock {
    MemoryBlock {
        scope: scope.clone(),
        name: name.into(),
        purpose: String::new(),
        text: scope.to_string(),
        limit: 9_000,
        version: 0,
        updated_at: at(1),
    }
}

/// Each of these scopes gets a memory, numbered from 1, with words and a vector that all have.
async fn fill(store: &dyn MemoryStore, scopes: &[Scope]) -> Check {
    for (n, scope) in (1..).zip(scopes) {
        let change = Change::add(insight(n, scope, "the same words"), vec![vector("m", &[1.0, 0.0])]);
        store
            .apply(scope, vec![change, Change::PutBlock { block: block(scope, "b"), expected: Some(0) }])
            .await?;
    }
    Ok(())
}

/// Every way to read gives exactly these.
async fn sees(store: &dyn MemoryStore, scope: &Scope, expected: &[u64]) -> Check {
    let numbers = listed(store, scope, Filter::default()).await?;
    ensure!(numbers == expected, "{scope:?} lists {numbers:?}, not {expected:?}");
    for query in [by_words(scope, "same words"), by_vector(scope, "m", &[1.0, 0.0])] {
        let numbers = found(store, query).await?;
        ensure!(numbers == expected, "{scope:?} finds {numbers:?}, not {expected:?}");
    }
    let missing = store.missing_vectors(scope, "other", None, 1_000).await?;
    let missing: Vec<u64> = missing.iter().map(|memory| number(memory.id)).collect();
    ensure!(missing == expected, "{scope:?} lacks vectors of {missing:?}, not {expected:?}");
    let counts = store.counts(scope).await?;
    let blocks = store.blocks(scope, Reach::Within).await?;
    ensure!(
        (counts.memories, counts.blocks, blocks.len())
            == (expected.len() as u64, expected.len() as u64, expected.len()),
        "{scope:?} counts {counts:?} and {} blocks, not {}",
        blocks.len(),
        expected.len()
    );
    let lines = store.export_lines(scope).await?;
    ensure!(lines.lines().count() == 2 * expected.len(), "{scope:?} exports {} lines", lines.lines().count());
    Ok(())
}

/// A reader sees what is in the scope, and nothing else, in every way to read.
pub async fn a_scope_sees_what_is_in_it(factory: &dyn Factory) -> Check {
    let store = factory.open("within").await?;
    let acme = Scope::of("acme");
    let scopes = [
        acme.clone(),                     // 1
        ann(),                            // 2
        ann().agent("cook"),              // 3
        ann().agent("cook").session("s"), // 4
        ann().agent("clerk"),             // 5
        bob(),                            // 6
        bob().agent("cook"),              // 7
        acme.clone().agent("cook"),       // 8
        acme.clone().session("s"),        // 9
        Scope::of("globex").user("ann"),  // 10
        Scope::of("globex"),              // 11
    ];
    fill(&*store, &scopes).await?;
    for (scope, expected) in [
        (acme.clone(), &[1, 2, 3, 4, 5, 6, 7, 8, 9][..]),
        (ann(), &[2, 3, 4, 5]),
        (ann().agent("cook"), &[3, 4]),
        (ann().session("s"), &[4]),
        (ann().agent("clerk").session("s"), &[]),
        (acme.clone().agent("cook"), &[3, 4, 7, 8]),
        (acme.clone().session("s"), &[4, 9]),
        (bob(), &[6, 7]),
        (acme.user("carol"), &[]),
        (Scope::of("globex"), &[10, 11]),
        (Scope::of("initech"), &[]),
    ] {
        sees(&*store, &scope, expected).await?;
    }
    Ok(())
}

/// What is filed more widely holds in a narrower scope too, if one asks so.
pub async fn wider_memories_can_be_inherited(factory: &dyn Factory) -> Check {
    let store = factory.open("inherited").await?;
    let acme = Scope::of("acme");
    let scopes = [
        acme.clone(),
        ann(),
        ann().agent("cook"),
        ann().agent("clerk"),
        ann().session("s"),
        bob(),
        acme.clone().agent("cook"),
        Scope::of("globex"),
    ];
    fill(&*store, &scopes).await?;
    for (scope, expected) in [
        (ann().agent("cook"), &[1, 2, 3, 5, 7][..]),
        (ann().agent("cook").session("t"), &[1, 2, 3, 7]),
        (ann().agent("gardener").session("s"), &[1, 2, 5]),
        (bob(), &[1, 6, 7]),
        (acme.user("carol"), &[1, 7]),
        (Scope::of("globex").user("ann"), &[8]),
    ] {
        for query in [by_words(&scope, "same words"), by_vector(&scope, "m", &[1.0, 0.0])] {
            let query = SearchQuery { reach: Reach::Inherited, ..query };
            let numbers = found(&*store, query).await?;
            ensure!(numbers == expected, "{scope:?} inherits {numbers:?}, not {expected:?}");
        }
        let blocks = store.blocks(&scope, Reach::Inherited).await?;
        ensure!(blocks.len() == expected.len(), "{scope:?} inherits {} blocks", blocks.len());
    }
    Ok(())
}

/// Any text is a name, and no two are the same but those equal byte by byte.
pub async fn any_text_is_a_name(factory: &dyn Factory) -> Check {
    let store = factory.open("any_names").await?;
    let tenants = NAMES.iter().map(|name| Scope::of(*name));
    let users = NAMES.iter().map(|name| Scope::of("t").user(*name));
    let agents = NAMES.iter().map(|name| Scope::of("t").user("u").agent(*name));
    let sessions = NAMES.iter().map(|name| Scope::of("t").user("u").session(*name));
    let scopes: Vec<Scope> = tenants.chain(users).chain(agents).chain(sessions).collect();
    fill(&*store, &scopes).await?;
    for (n, scope) in (1..).zip(&scopes) {
        sees(&*store, scope, &[n]).await?;
    }
    Ok(())
}

/// No call reaches what is outside of its scope.
pub async fn nothing_outside_is_reached(factory: &dyn Factory) -> Check {
    let store = factory.open("outside").await?;
    fill(&*store, &[ann(), bob(), Scope::of("globex").user("ann")]).await?;
    let theirs = [bob(), Scope::of("globex").user("ann"), ann().agent("cook")];
    for scope in &theirs {
        let got = store.get(scope, &[id(1)]).await?;
        ensure!(got == [None], "`get` of {scope:?} gives what is Ann's");
        ensure_fails!(
            store.apply(scope, vec![Change::Close { id: id(1), at: at(9), kept: None }]).await,
            MemoryError::NotFound { .. },
            "closing what is Ann's from {scope:?}"
        );
        let by = insight(50, scope, "instead");
        ensure_fails!(
            store.apply(scope, vec![Change::supersede(id(1), by, vec![], None)]).await,
            MemoryError::NotFound { .. },
            "superseding what is Ann's from {scope:?}"
        );
        ensure_fails!(
            store.apply(scope, vec![add(insight(51, &ann(), "planted"))]).await,
            MemoryError::OutOfScope { .. },
            "adding to Ann's from {scope:?}"
        );
        let planted = Change::PutBlock { block: block(&ann(), "b"), expected: None };
        ensure_fails!(
            store.apply(scope, vec![planted]).await,
            MemoryError::OutOfScope { .. },
            "writing Ann's block from {scope:?}"
        );
        let quiet = vec![
            Change::Remove { id: id(1) },
            Change::Touch { ids: vec![id(1)], at: at(9) },
            Change::PutVectors { id: id(1), vectors: vec![vector("m", &[0.0, 1.0])] },
        ];
        store.apply(scope, quiet).await?;
    }
    store.apply(&ann().agent("cook"), vec![Change::RemoveBlock { name: "b".into() }]).await?;
    store.apply(&ann().agent("cook"), vec![Change::DropVectors { model: "m".into() }]).await?;
    ensure!(
        store.erase(&ann().agent("cook")).await? == MemoryCounts::default(),
        "erasing an empty scope erases something"
    );
    sees(&*store, &ann(), &[1]).await?;
    let got = store.get(&ann(), &[id(1)]).await?;
    ensure!(got.iter().flatten().all(|one| one.accessed == 0), "others have touched what is Ann's");
    store.erase(&bob()).await?;
    store.apply(&Scope::of("globex"), vec![Change::DropVectors { model: "m".into() }]).await?;
    sees(&*store, &ann(), &[1]).await
}

/// The same id may be used by two tenants, and not by two users of one.
pub async fn ids_are_unique_in_a_tenant(factory: &dyn Factory) -> Check {
    let store = factory.open("unique_ids").await?;
    let globex = Scope::of("globex").user("ann");
    for scope in [&ann(), &globex] {
        store.apply(scope, vec![add(insight(1, scope, "the same words"))]).await?;
    }
    ensure_fails!(
        store.apply(&bob(), vec![add(insight(1, &bob(), "mine"))]).await,
        MemoryError::Exists { .. },
        "an id that another user of the tenant has"
    );
    store.apply(&globex, vec![Change::Remove { id: id(1) }]).await?;
    let found = found(&*store, by_words(&ann(), "words")).await?;
    ensure!(found == [1], "after another tenant's memory of the same id was removed, {found:?} is found");
    Ok(())
}

/// What others keep does not show in one's scores.
pub async fn scores_tell_nothing_of_others(factory: &dyn Factory) -> Check {
    let store = factory.open("scores").await?;
    for (n, text) in (1..).zip(["tea in the morning", "coffee at noon", "tea and cake"]) {
        store.apply(&ann(), vec![add(insight(n, &ann(), text))]).await?;
    }
    let before = store.search(by_words(&ann(), "tea at noon")).await?;
    let others = [bob(), Scope::of("globex").user("ann")];
    for (n, scope) in (10..).zip(others.iter().cycle().take(40)) {
        store.apply(scope, vec![add(insight(n, scope, "noon noon tea"))]).await?;
    }
    let after = store.search(by_words(&ann(), "tea at noon")).await?;
    ensure!(before == after, "others wrote, and the answer changed from {before:?} to {after:?}");
    Ok(())
}
