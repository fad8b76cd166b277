//! Closing, superseding, and what was believed when.

use super::Factory;
use super::help::{
    Check, add, ann, at, by_vector, by_words, ensure, ensure_fails, found, id, insight, insights, listed,
    vector,
};
use crate::memory::{AsOf, Change, Filter, Kept, MemoryError, MemoryStore, SearchQuery};
use crate::runtime::Timestamp;

async fn believed(store: &dyn MemoryStore, as_of: AsOf) -> Result<Vec<u64>, super::Broken> {
    let filter = Filter { as_of, ..Filter::default() };
    let listed = listed(store, &ann(), filter.clone()).await?;
    for query in [by_words(&ann(), "drinks"), by_vector(&ann(), "m", &[1.0, 1.0])] {
        let found = found(store, SearchQuery { filter: filter.clone(), ..query }).await?;
        ensure!(found == listed, "as of {as_of:?} {listed:?} is listed and {found:?} found");
    }
    Ok(listed)
}

fn drinks(n: u64, what: &str) -> Change {
    Change::add(insight(n, &ann(), &format!("Ann drinks {what}")), vec![vector("m", &[1.0, 0.5])])
}

/// Closing keeps a memory for questions about the past.
pub async fn what_is_closed_was_believed_then(factory: &dyn Factory) -> Check {
    let store = factory.open("closing").await?;
    store.apply(&ann(), vec![drinks(10, "tea")]).await?;
    store.apply(&ann(), vec![Change::Close { id: id(10), at: at(20), kept: None }]).await?;
    for (recorded, expected) in [(9, &[][..]), (10, &[10]), (19, &[10]), (20, &[]), (99, &[])] {
        let as_of = AsOf { valid: None, recorded: Some(at(recorded)) };
        let found = believed(&*store, as_of).await?;
        ensure!(found == expected, "at {recorded} {found:?} was believed, not {expected:?}");
    }
    ensure!(believed(&*store, AsOf::default()).await?.is_empty(), "what is closed is still believed");
    Ok(())
}

/// What did we believe in May? Two times, four questions.
pub async fn two_times_are_told_apart(factory: &dyn Factory) -> Check {
    let store = factory.open("two_times").await?;
    let (january, march, may, june) = (1, 3, 5, 6);
    store.apply(&ann(), vec![drinks(january, "tea")]).await?;
    let mut coffee = insight(june, &ann(), "Ann drinks coffee");
    coffee.valid_from = at(may);
    let kept = Some(Kept { id: id(100), until: at(may) });
    let vectors = vec![vector("m", &[0.5, 1.0])];
    store.apply(&ann(), vec![Change::supersede(id(january), coffee, vectors, kept)]).await?;

    for (as_of, expected, question) in [
        (AsOf::then(at(may)), vec![january], "what did we believe in May"),
        (AsOf::valid(at(may)), vec![june], "what do we now know of May"),
        (AsOf::valid(at(march)), vec![100], "what do we now know of March"),
        (AsOf::then(at(june)), vec![june], "what did we believe in June"),
        (
            AsOf { valid: Some(at(march)), recorded: Some(at(june)) },
            vec![100],
            "what did we in June know of March",
        ),
        (AsOf::then(at(0)), vec![], "what did we believe before all"),
        (AsOf { valid: None, recorded: None }, vec![june, 100], "what do we believe of any time"),
    ] {
        let found = believed(&*store, as_of).await?;
        ensure!(found == expected, "{question}: {found:?}, not {expected:?}");
    }
    store.apply(&ann(), vec![Change::Touch { ids: vec![id(january)], at: at(june) }]).await?;
    let got = store.get(&ann(), &[id(january), id(100)]).await?;
    let [Some(tea), Some(rest)] = got.as_slice() else {
        return Err(super::Broken("what was closed, or what is kept of it, is gone".into()));
    };
    ensure!(
        (tea.closed_at, tea.superseded_by) == (Some(at(june)), Some(id(june))),
        "what was superseded says {:?}, {:?}",
        tea.closed_at,
        tea.superseded_by
    );
    let filter = Filter { as_of: AsOf::then(at(may)), ..Filter::default() };
    let found = store.search(SearchQuery { filter, ..by_words(&ann(), "drinks") }).await?.candidates;
    let found: Vec<_> = found.iter().map(|candidate| &candidate.memory).collect();
    ensure!(found == [tea], "a search gives {found:?} of what is {tea:?}");
    ensure!((tea.accessed, tea.accessed_at) == (1, Some(at(june))), "a use was not noted: {tea:?}");
    ensure!(
        rest.text() == tea.text()
            && (rest.valid_from, rest.valid_to, rest.recorded_at, rest.closed_at)
                == (tea.valid_from, Some(at(may)), at(june), None),
        "what is kept is {rest:?}"
    );
    Ok(())
}

/// Of two who close the same memory, one does.
pub async fn a_memory_is_closed_once(factory: &dyn Factory) -> Check {
    let store = factory.open("closed_once").await?;
    insights(&*store, &ann(), 1, &["tea"]).await?;
    let closing = |n| Change::supersede(id(1), insight(n, &ann(), "coffee"), vec![], None);
    store.apply(&ann(), vec![closing(2)]).await?;
    ensure_fails!(
        store.apply(&ann(), vec![closing(3)]).await,
        MemoryError::Closed { .. },
        "superseding twice"
    );
    let again = Change::Close { id: id(1), at: at(9), kept: None };
    ensure_fails!(
        store.apply(&ann(), vec![again]).await,
        MemoryError::Closed { .. },
        "closing what is superseded"
    );
    let unknown = Change::Close { id: id(9), at: at(9), kept: None };
    ensure_fails!(
        store.apply(&ann(), vec![unknown]).await,
        MemoryError::NotFound { .. },
        "closing what is not there"
    );
    let found = listed(&*store, &ann(), Filter::default()).await?;
    ensure!(found == [2], "after two tried to supersede there is {found:?}");
    Ok(())
}

/// What yields says to which other, and does so only while that one is believed.
pub async fn what_yields_leaves_another_behind(factory: &dyn Factory) -> Check {
    let store = factory.open("yielding").await?;
    let tea = (1..=3).map(|n| drinks(n, "tea")).collect();
    store.apply(&ann(), tea).await?;
    let to = |n, to, kept| Change::Yield { id: id(n), to: id(to), at: at(9), kept };
    let kept = Some(Kept { id: id(100), until: at(3) });
    store.apply(&ann(), vec![to(1, 3, kept)]).await?;
    let got = store.get(&ann(), &[id(1), id(3), id(100)]).await?;
    let [Some(one), Some(three), Some(rest)] = got.as_slice() else {
        return Err(super::Broken("what yielded, the other or what is kept of it is gone".into()));
    };
    ensure!(
        (one.closed_at, one.superseded_by) == (Some(at(9)), Some(id(3))),
        "what yielded says {:?}, {:?}",
        one.closed_at,
        one.superseded_by
    );
    ensure!((three.closed_at, three.superseded_by) == (None, None), "the other was changed too: {three:?}");
    ensure!(
        (rest.valid_from, rest.valid_to, rest.closed_at) == (one.valid_from, Some(at(3)), None),
        "what is kept is {rest:?}"
    );
    ensure_fails!(
        store.apply(&ann(), vec![to(1, 3, None)]).await,
        MemoryError::Closed { .. },
        "yielding twice"
    );
    ensure_fails!(
        store.apply(&ann(), vec![to(2, 1, None)]).await,
        MemoryError::Closed { .. },
        "yielding to what is closed"
    );
    ensure_fails!(
        store.apply(&ann(), vec![to(2, 77, None)]).await,
        MemoryError::NotFound { .. },
        "yielding to what is not there"
    );
    ensure_fails!(
        store.apply(&ann(), vec![to(2, 2, None)]).await,
        MemoryError::Invalid { .. },
        "yielding to itself"
    );
    // One after the other in one call: the second sees the first, so neither pair is lost.
    ensure_fails!(
        store.apply(&ann(), vec![to(2, 3, None), to(3, 2, None)]).await,
        MemoryError::Closed { .. },
        "two that yield to each other"
    );
    let found = believed(&*store, AsOf::default()).await?;
    ensure!(found == [2, 3, 100], "{found:?} is believed");
    Ok(())
}

/// A clock that went back makes no memory that ends before it begins.
pub async fn a_clock_may_go_back(factory: &dyn Factory) -> Check {
    let store = factory.open("clock").await?;
    insights(&*store, &ann(), 50, &["tea"]).await?;
    store.apply(&ann(), vec![add(insight(20, &ann(), "older"))]).await?;
    store.apply(&ann(), vec![Change::Close { id: id(50), at: at(10), kept: None }]).await?;
    let got = store.get(&ann(), &[id(50)]).await?;
    let closed = got.iter().flatten().map(|memory| memory.closed_at).next().flatten();
    ensure!(closed == Some(at(50)), "recorded at 50 and closed at 10, it is closed at {closed:?}");
    store.apply(&ann(), vec![Change::supersede(id(20), insight(7, &ann(), "new"), vec![], None)]).await?;
    let found = listed(&*store, &ann(), Filter::default()).await?;
    ensure!(found == [7], "{found:?} is believed");
    // The beginning and the end of time are times.
    let mut first = insight(60, &ann(), "from the first moment");
    (first.valid_from, first.recorded_at) = (Timestamp(0), Timestamp(0));
    let mut last = insight(61, &ann(), "from the last moment");
    (last.valid_from, last.recorded_at) = (crate::memory::check::MAX_TIME, crate::memory::check::MAX_TIME);
    store.apply(&ann(), vec![add(first), add(last)]).await?;
    let then = Filter { as_of: AsOf::then(Timestamp(0)), ..Filter::default() };
    let found = listed(&*store, &ann(), then).await?;
    ensure!(found == [60], "at the beginning of time there was {found:?}");
    Ok(())
}

/// What is kept of a closed memory lies within the time in which it was so.
pub async fn what_is_kept_was_so(factory: &dyn Factory) -> Check {
    let store = factory.open("kept_parts").await?;
    let mut memory = insight(5, &ann(), "for a while");
    memory.valid_to = Some(at(9));
    store.apply(&ann(), vec![Change::add(memory, vec![vector("m", &[1.0, 0.0])])]).await?;
    let closing =
        |until| Change::Close { id: id(5), at: at(20), kept: Some(Kept { id: id(6), until: at(until) }) };
    for until in [4, 5, 10] {
        ensure_fails!(
            store.apply(&ann(), vec![closing(until)]).await,
            MemoryError::Invalid { .. },
            "keeping what was so from 5 to 9 until {until}"
        );
    }
    store.apply(&ann(), vec![closing(9)]).await?;
    let found = listed(&*store, &ann(), Filter::default()).await?;
    ensure!(found == [6], "{found:?} is kept");
    let query = by_vector(&ann(), "m", &[1.0, 0.0]);
    let found = super::help::found(&*store, query).await?;
    ensure!(found == [6], "by the vector of what was closed {found:?} is found");
    Ok(())
}
