//! Words, vectors, neighbours.

use super::Factory;
use super::help::{
    Check, add, ann, at, by_vector, by_words, ensure, found, id, insight, insights, numbers_of, turn, vector,
};
use crate::memory::{Change, Memory, MemoryBody, SearchQuery};

/// Words are found by their kin, whatever their case, and by any of several.
pub async fn words_are_found_by_their_kin(factory: &dyn Factory) -> Check {
    let store = factory.open("kin").await?;
    insights(&*store, &ann(), 1, &["She paints lakes", "He painted a wall", "They swim", "Café au lait"])
        .await?;
    for (question, expected) in [
        ("painting", &[1, 2][..]),
        ("PAINTED LAKE", &[1, 2]),
        ("swimming in a lake", &[1, 3]),
        ("cafe", &[4]),
        ("violin", &[]),
        ("", &[]),
        ("?!", &[]),
        ("\" OR * NEAR( text:", &[]),
    ] {
        let found = found(&*store, by_words(&ann(), question)).await?;
        ensure!(found == expected, "{question:?} finds {found:?}, not {expected:?}");
    }
    Ok(())
}

/// Who spoke, when, and what a picture shows are found as what was said is; so are both halves of a preference.
pub async fn all_of_a_memory_is_indexed(factory: &dyn Factory) -> Check {
    let store = factory.open("indexed").await?;
    let mut said = turn(1, &ann(), "c", "Look at this!");
    if let Some(place) = &mut said.place {
        place.speaker = Some("Melanie".into());
        place.said_at = Some(crate::Timestamp(1_683_554_160_000));
        place.caption = Some("a sunset over mountains".into());
    }
    let likes = MemoryBody::Preference { key: "breakfast".into(), value: "porridge".into(), confidence: 1.0 };
    let likes = Memory::new(id(2), ann(), likes, at(1));
    store.apply(&ann(), vec![add(said), add(likes)]).await?;
    for (question, expected) in
        [("melanie", 1), ("May 2023", 1), ("mountain", 1), ("look", 1), ("breakfast", 2), ("porridge", 2)]
    {
        let found = found(&*store, by_words(&ann(), question)).await?;
        ensure!(found == [expected], "{question:?} finds {found:?}, not {expected}");
    }
    Ok(())
}

/// Rare words weigh more than common ones, and more matches more than fewer.
pub async fn better_matches_score_higher(factory: &dyn Factory) -> Check {
    let store = factory.open("lexical").await?;
    let texts = ["the dog barks", "the dog sleeps", "a parrot talks", "the dog and the parrot", "dog", "cat"];
    insights(&*store, &ann(), 1, &texts).await?;
    let candidates = store.search(by_words(&ann(), "dog parrot")).await?.candidates;
    let score = |n| {
        candidates.iter().find(|one| one.memory.id == id(n)).and_then(|one| one.lexical).unwrap_or_default()
    };
    ensure!(score(4) > score(3), "both words score {} and one {}", score(4), score(3));
    ensure!(score(3) > score(1), "a rare word scores {} and a common one {}", score(3), score(1));
    ensure!(candidates.iter().all(|one| one.memory.id != id(6)), "what shares no word is found");
    Ok(())
}

/// The best by direction, whatever the lengths; cosines are exact.
pub async fn vectors_are_found_by_direction(factory: &dyn Factory) -> Check {
    let store = factory.open("dense").await?;
    let directions: [(u64, [f32; 3]); 4] =
        [(1, [1.0, 0.0, 0.0]), (2, [50.0, 50.0, 0.0]), (3, [0.0, 0.001, 0.001]), (4, [-2.0, 0.0, 0.0])];
    let changes =
        directions.iter().map(|(n, values)| Change::add(insight(*n, &ann(), "x"), vec![vector("m", values)]));
    store.apply(&ann(), changes.collect()).await?;
    let query = SearchQuery { limit: 2, ..by_vector(&ann(), "m", &[3.0, 1.0, 0.0]) };
    let found = store.search(query.clone()).await?;
    ensure!(numbers_of(&found) == [1, 2], "the two best are {:?}", numbers_of(&found));
    for candidate in &found.candidates {
        let n = super::help::number(candidate.memory.id);
        let values = directions.iter().find(|one| one.0 == n).map(|one| one.1).unwrap_or_default();
        let exact = f64::from(crate::memory::cosine(&values, &[3.0, 1.0, 0.0]));
        let near = candidate.dense.is_some_and(|dense| (dense - exact).abs() < 1e-6);
        ensure!(near, "the cosine of {n} is {:?}, not {exact}", candidate.dense);
        ensure!(candidate.model.as_deref() == Some("m"), "the model is {:?}", candidate.model);
    }
    let all = store.search(SearchQuery { limit: 9, ..query }).await?;
    ensure!(all.candidates.len() == 4, "{} of 4 are found", all.candidates.len());
    Ok(())
}

/// Each arm gives its best, and each candidate has the scores of all arms.
pub async fn arms_are_joined(factory: &dyn Factory) -> Check {
    let store = factory.open("joined").await?;
    let with = |n, text, values: &[f32]| Change::add(insight(n, &ann(), text), vec![vector("m", values)]);
    let changes = vec![
        with(1, "green tea", &[0.0, 1.0]),
        with(2, "black coffee", &[1.0, 0.0]),
        with(3, "plain water", &[0.6, 0.6]),
        add(insight(4, &ann(), "more tea")),
    ];
    store.apply(&ann(), changes).await?;
    let query = by_words(&ann(), "tea").vector(vector("m", &[1.0, 0.1]));
    let found = store.search(SearchQuery { limit: 1, ..query.clone() }).await?;
    ensure!(numbers_of(&found).contains(&2), "the best vector is not in {:?}", numbers_of(&found));
    let all = store.search(query).await?;
    ensure!(all.admitted == 4, "{} of 4 are admitted", all.admitted);
    let has = |n: u64| {
        let one = all.candidates.iter().find(|one| one.memory.id == id(n));
        one.map(|one| (one.lexical.is_some(), one.dense.is_some(), one.hit))
    };
    let found: Vec<_> = (1..=4).map(has).collect();
    let expected =
        [(true, true), (false, true), (false, true), (true, false)].map(|(a, b)| Some((a, b, true)));
    ensure!(found == expected, "lexical, dense and hit are {found:?}, not {expected:?}");
    Ok(())
}

/// A limit is of each arm; 0 finds nothing.
pub async fn limits_are_of_each_arm(factory: &dyn Factory) -> Check {
    let store = factory.open("limits").await?;
    let changes = (1..=40_u8).map(|n| {
        let text = format!("tea {}", "and some more ".repeat(usize::from(n)));
        Change::add(insight(u64::from(n), &ann(), &text), vec![vector("m", &[1.0, f32::from(n)])])
    });
    store.apply(&ann(), changes.collect()).await?;
    for limit in [0, 1, 7] {
        let query = SearchQuery { limit, ..by_words(&ann(), "tea") };
        let words = found(&*store, query).await?.len();
        ensure!(words == limit as usize, "{words} are found by words with a limit of {limit}");
        let query = SearchQuery { limit, ..by_vector(&ann(), "m", &[0.0, 1.0]) };
        let found = found(&*store, query).await?;
        let best: Vec<u64> = (41 - u64::from(limit)..=40).collect();
        ensure!(found == best, "{found:?} are found by vectors with a limit of {limit}, not {best:?}");
    }
    let nothing = store.search(SearchQuery::new(ann())).await?;
    ensure!(nothing.candidates.is_empty(), "a query of nothing finds {:?}", numbers_of(&nothing));
    Ok(())
}

/// Neighbours are those beside a hit in the same conversation and scope, in the order of positions, whatever the order of writing.
pub async fn neighbours_stand_beside_hits(factory: &dyn Factory) -> Check {
    let store = factory.open("neighbours").await?;
    for n in [50, 10, 30, 20, 40, 60] {
        let text = if n == 30 { "the answer" } else { "chatter" };
        store.apply(&ann(), vec![add(turn(n, &ann(), "c", text))]).await?;
    }
    // Beside it by number, but in another conversation, or in another scope.
    store
        .apply(&ann(), vec![add(turn(31, &ann(), "d", "x")), add(turn(29, &ann().agent("cook"), "c", "x"))])
        .await?;
    store.apply(&ann(), vec![add(insight(32, &ann(), "nowhere"))]).await?;
    for (neighbours, expected) in
        [(0, &[30][..]), (1, &[20, 30, 40]), (2, &[10, 20, 30, 40, 50]), (9, &[10, 20, 30, 40, 50, 60])]
    {
        // One an arm: the turn itself is the best by its words and, being in the middle, by those of its window.
        let query = SearchQuery { neighbours, limit: 1, ..by_words(&ann(), "answer") };
        let found = store.search(query).await?;
        let hits: Vec<u64> = found
            .candidates
            .iter()
            .filter(|one| one.lexical.is_some())
            .map(|one| super::help::number(one.memory.id))
            .collect();
        ensure!(hits == [30], "{hits:?} share a word with the question");
        let numbers = numbers_of(&found);
        ensure!(
            expected.iter().all(|n| numbers.contains(n)),
            "with {neighbours} neighbours on either side {numbers:?} is found, not {expected:?}"
        );
        ensure!(
            numbers.iter().all(|n| n % 10 == 0),
            "{numbers:?} holds neighbours from another conversation or scope"
        );
    }
    Ok(())
}

/// Where a store scores windows, a turn is found by the words of those beside it, and by no others.
pub async fn windows_reach_one_turn_far(factory: &dyn Factory) -> Check {
    let store = factory.open("windows").await?;
    let texts = ["hello", "where did you paint?", "in Norway", "fine", "bye"];
    let changes = (1..).zip(texts).map(|(n, text)| add(turn(n, &ann(), "c", text)));
    store.apply(&ann(), changes.collect()).await?;
    let query = SearchQuery { neighbours: 9, ..by_words(&ann(), "painting") };
    let found = store.search(query).await?;
    let windows: Vec<u64> = found
        .candidates
        .iter()
        .filter(|one| one.window.is_some())
        .map(|one| super::help::number(one.memory.id))
        .collect();
    ensure!(windows.is_empty() || windows == [1, 2, 3], "the windows of {windows:?} hold the word");
    ensure!(numbers_of(&found) == [1, 2, 3, 4, 5], "{:?} is found", numbers_of(&found));
    let lexical: Vec<u64> = found
        .candidates
        .iter()
        .filter(|one| one.lexical.is_some())
        .map(|one| super::help::number(one.memory.id))
        .collect();
    ensure!(lexical == [2], "{lexical:?} hold the word");
    Ok(())
}

/// What is closed is neither found nor a neighbour; those beyond it are.
pub async fn closed_neighbours_are_passed_over(factory: &dyn Factory) -> Check {
    let store = factory.open("closed_neighbours").await?;
    let texts = ["far", "near", "answer", "near", "far"];
    let changes = (1..).zip(texts).map(|(n, text)| add(turn(n, &ann(), "c", text)));
    store.apply(&ann(), changes.collect()).await?;
    store.apply(&ann(), vec![Change::Close { id: id(2), at: at(9), kept: None }]).await?;
    let query = SearchQuery { neighbours: 1, limit: 1, ..by_words(&ann(), "answer") };
    let found = found(&*store, query).await?;
    ensure!(
        !found.contains(&2) && found.contains(&1) && found.contains(&4),
        "{found:?} stand beside the answer"
    );
    Ok(())
}
