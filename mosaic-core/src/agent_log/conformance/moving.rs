//! The register of segments, moves, summaries.

use super::Factory;
use super::help::{
    Check, DAY, acme, all, ann, announce, condemn, ensure, ensure_fails, forget, found, hour, moved,
    register, row, rows, segment, summaries, table,
};
use crate::agent_log::{
    AgentLogError, Day, LogFilter, LogKey, LogKind, LogTable, Registered, SUMMARY, TierChange,
};
use crate::memory::Scope;

/// Every change in every state: the table of the module.
pub async fn a_segment_goes_from_state_to_state(factory: &dyn Factory) -> Check {
    let seal = |name: &str| TierChange::Seal { segment: segment(name, &rows(1, 3)) };
    // How a state is come to, and in it which of announce, seal, condemn, forget are taken.
    let table = [
        ("none", 0, [true, false, false, true]),
        ("announced", 1, [false, true, true, false]),
        ("sealed", 2, [false, false, true, false]),
        ("condemned", 3, [false, false, false, true]),
    ];
    for (state, steps, taken) in table {
        for (n, taken) in taken.into_iter().enumerate() {
            let store = factory.open(&format!("states_{state}_{n}")).await?;
            for step in [announce("x", DAY), seal("x"), condemn("x")].into_iter().take(steps) {
                store.apply("acme", vec![step]).await?;
            }
            let before = register(&*store).await?;
            let changes = [announce("x", DAY), seal("x"), condemn("x"), forget("x")];
            for change in changes.into_iter().skip(n).take(1) {
                let applied = store.apply("acme", vec![change.clone()]).await;
                if taken {
                    applied?;
                } else {
                    ensure_fails!(
                        applied,
                        AgentLogError::Conflict { .. },
                        "{change:?} of a segment that is {state}"
                    );
                    let after = register(&*store).await?;
                    ensure!(after == before, "a conflict left {after:?}, there was {before:?}");
                }
            }
        }
    }
    let store = factory.open("states").await?;
    store.apply("acme", vec![announce("x", DAY)]).await?;
    let due = [Registered::Announced { name: "x".into() }];
    ensure!(register(&*store).await? == due, "announced is {:?}", register(&*store).await?);
    store.apply("acme", vec![seal("x")]).await?;
    let due = [Registered::Sealed { segment: segment("x", &rows(1, 3)) }];
    ensure!(register(&*store).await? == due, "sealed is {:?}", register(&*store).await?);
    store.apply("acme", vec![condemn("x")]).await?;
    let due = [Registered::Condemned { name: "x".into(), since: hour(9) }];
    ensure!(register(&*store).await? == due, "condemned is {:?}", register(&*store).await?);
    store.apply("acme", vec![forget("x")]).await?;
    ensure!(register(&*store).await?.is_empty(), "forgotten is {:?}", register(&*store).await?);
    Ok(())
}

/// Rows that are moved are gone from the rows, stand in the register and in the summaries.
pub async fn a_move_is_seen_whole(factory: &dyn Factory) -> Check {
    let store = factory.open("move").await?;
    store.put(rows(1, 9)).await?;
    store.apply("acme", vec![announce("x", DAY)]).await?;
    ensure!(found(&*store, &all()).await?.len() == 9, "announcing moved rows");
    store.apply("acme", moved("x", &rows(2, 6))).await?;
    let left = found(&*store, &all()).await?;
    ensure!(left == [1, 7, 8, 9], "after 2 to 6 were moved there are {left:?}");
    let (found, due) = (summaries(&*store).await?, table(&rows(2, 6)));
    ensure!(found == due, "the summaries are {found:?}, not {due:?}");
    let segments = register(&*store).await?;
    let due = [Registered::Sealed { segment: segment("x", &rows(2, 6)) }];
    ensure!(segments == due, "the register is {segments:?}");
    let here = store.totals(&all(), SUMMARY).await?;
    let rest: Vec<_> = rows(1, 1).into_iter().chain(rows(7, 9)).collect();
    ensure!(here == table(&rest), "what is left comes to {here:?}");
    Ok(())
}

/// Where one change does not fit, none is made, wherever it stands.
pub async fn a_move_that_does_not_fit_changes_nothing(factory: &dyn Factory) -> Check {
    let store = factory.open("misfit").await?;
    store.put(rows(1, 5)).await?;
    store.apply("acme", vec![announce("x", DAY)]).await?;
    let before = register(&*store).await?;
    let gone = TierChange::Take { ids: vec![row(4).id, row(6).id] };
    let twice = TierChange::Take { ids: vec![row(4).id, row(4).id] };
    for misfit in [gone, twice, announce("x", DAY), condemn("y"), forget("x")] {
        for place in 0..=3 {
            let mut changes = moved("x", &rows(1, 3));
            // Once the segment is sealed, forgetting and announcing it are misfits still.
            changes.insert(place, misfit.clone());
            let applied = store.apply("acme", changes).await;
            ensure_fails!(applied, AgentLogError::Conflict { .. }, "{misfit:?} at place {place}");
            let found = found(&*store, &all()).await?;
            ensure!(found == [1, 2, 3, 4, 5], "after a conflict there are {found:?}");
            ensure!(summaries(&*store).await?.0.is_empty(), "a conflict leaves summaries");
            ensure!(register(&*store).await? == before, "a conflict leaves {:?}", register(&*store).await?);
        }
    }
    Ok(())
}

/// A store does not know what left it: whoever puts must look, or a later pass does.
pub async fn what_was_taken_can_be_put_again(factory: &dyn Factory) -> Check {
    let store = factory.open("again").await?;
    store.put(rows(1, 3)).await?;
    store.apply("acme", vec![TierChange::Take { ids: vec![row(2).id] }]).await?;
    ensure!(store.put(rows(1, 3)).await? == 1, "a row that was taken is not added again");
    ensure!(found(&*store, &all()).await? == [1, 2, 3], "a row that was taken is not there again");
    Ok(())
}

/// What is counted twice stands there twice; what is taken away whole is gone.
pub async fn summaries_add_up_and_down(factory: &dyn Factory) -> Check {
    let store = factory.open("counting").await?;
    let count = |from, upto| TierChange::Count { table: table(&rows(from, upto)) };
    let uncount = |from, upto| TierChange::Uncount { table: table(&rows(from, upto)) };
    store.apply("acme", vec![count(1, 40)]).await?;
    store.apply("acme", vec![count(30, 60), count(50, 50)]).await?;
    let mut due = table(&rows(1, 40));
    due.extend(table(&rows(30, 60)));
    due.extend(table(&rows(50, 50)));
    ensure!(summaries(&*store).await? == due, "three counts come to {:?}", summaries(&*store).await?);
    store.apply("acme", vec![uncount(30, 60), uncount(50, 50)]).await?;
    ensure!(summaries(&*store).await? == table(&rows(1, 40)), "less two: {:?}", summaries(&*store).await?);
    store.apply("acme", vec![uncount(1, 40), uncount(1, 3)]).await?;
    ensure!(summaries(&*store).await?.0.is_empty(), "less all: {:?}", summaries(&*store).await?);
    ensure!(store.tenants().await?.is_empty(), "a tenant without anything is listed");
    Ok(())
}

/// Summaries by filter and key; days that are asked for in part are left out, as are sessions and runs.
pub async fn summaries_of_whole_days_are_found(factory: &dyn Factory) -> Check {
    let store = factory.open("summaries").await?;
    let there = table(&rows(0, 120));
    store.apply("acme", vec![TierChange::Count { table: there.clone() }]).await?;
    let tomorrow = Day(DAY.0 + 1);
    let session = LogFilter::of(Scope { session: Some("s1".into()), ..acme() });
    for filter in [
        all(),
        all().day(tomorrow),
        all().from(tomorrow.start()),
        all().from(hour(1)).until(hour(100)),
        all().from(hour(1)).until(hour(23)),
        LogFilter::of(ann()).kind(LogKind::Model).name("one"),
        LogFilter::of(acme().agent("cook")).failed(),
        session,
        all().run(row(1).run),
    ] {
        for by in [SUMMARY, &[], &[LogKey::User, LogKey::Day], &[LogKey::Session, LogKey::Name]] {
            let mut due = LogTable::default();
            for (group, totals) in there.0.iter().filter(|(group, _)| filter.fits_summary(group)) {
                due.add(group.clone().only(by), *totals);
            }
            let found = store.summaries(&filter, by).await?;
            ensure!(found == due, "{filter:?} by {by:?} gives {found:?}, not {due:?}");
        }
    }
    Ok(())
}

/// Summaries before a day, and the mark at the segments of these days.
pub async fn dropped_summaries_are_gone(factory: &dyn Factory) -> Check {
    let store = factory.open("dropping").await?;
    let (old, new) = (rows(0, 20), rows(30, 40));
    for (name, of) in [("old", &old), ("new", &new)] {
        store.put(of.clone()).await?;
        store.apply("acme", vec![announce(name, segment(name, of).day)]).await?;
        store.apply("acme", moved(name, of)).await?;
    }
    for _ in 0..2 {
        store.apply("acme", vec![TierChange::DropSummaries { before: Day(DAY.0 + 1) }]).await?;
        ensure!(summaries(&*store).await? == table(&new), "there are {:?}", summaries(&*store).await?);
        let mut uncounted = segment("old", &old);
        uncounted.counted = false;
        let due =
            [Registered::Sealed { segment: uncounted }, Registered::Sealed { segment: segment("new", &new) }];
        ensure!(register(&*store).await? == due, "the register is {:?}", register(&*store).await?);
    }
    Ok(())
}

/// The register is in the order of days and names, and a day is found by any of its moments.
pub async fn segments_are_found_by_their_day(factory: &dyn Factory) -> Check {
    let store = factory.open("segments").await?;
    for (name, day) in [("b", 2), ("c", 0), ("a", 2), ("d", 1)] {
        store.apply("acme", vec![announce(name, Day(DAY.0 + day))]).await?;
    }
    for (filter, due) in [
        (all(), &["c", "d", "a", "b"][..]),
        (all().from(hour(47)), &["d", "a", "b"]),
        (all().from(hour(48)), &["a", "b"]),
        (all().until(hour(24)), &["c"]),
        (all().until(hour(25)).from(hour(23)), &["c", "d"]),
        (all().from(hour(72)), &[]),
        (LogFilter::of(ann()).name("other").kind(LogKind::Run).day(DAY), &["c"]),
    ] {
        let found = store.segments(&filter).await?;
        let names: Vec<&str> = found.iter().map(|found| &**found.name()).collect();
        ensure!(names == due, "{filter:?} meets {names:?}, not {due:?}");
    }
    Ok(())
}

/// Tenants have registers, summaries and rows of their own.
pub async fn moves_of_others_are_their_own(factory: &dyn Factory) -> Check {
    let store = factory.open("move_scope").await?;
    store.put(rows(1, 3)).await?;
    store.apply("acme", vec![announce("x", DAY)]).await?;
    let take = TierChange::Take { ids: vec![row(1).id] };
    for change in [take, TierChange::Seal { segment: segment("x", &rows(1, 3)) }, condemn("x")] {
        let applied = store.apply("globex", vec![change.clone()]).await;
        ensure_fails!(applied, AgentLogError::Conflict { .. }, "{change:?} by another tenant");
    }
    store.apply("globex", vec![announce("y", DAY), TierChange::Count { table: table(&rows(1, 3)) }]).await?;
    ensure!(summaries(&*store).await?.0.is_empty(), "another tenant's summaries are shown");
    ensure!(register(&*store).await?.len() == 1, "another tenant's register is shown");
    store.apply("globex", vec![TierChange::DropSummaries { before: Day(u32::MAX) }]).await?;
    store.apply("acme", moved("x", &rows(1, 3))).await?;
    store.apply("globex", vec![TierChange::DropSummaries { before: Day(u32::MAX) }]).await?;
    ensure!(summaries(&*store).await? == table(&rows(1, 3)), "another tenant dropped summaries");
    Ok(())
}
