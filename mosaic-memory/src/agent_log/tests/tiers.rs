//! What moves, and what is asked before and after.

use super::*;

#[tokio::test]
async fn what_is_old_moves_and_what_is_young_stays() {
    let world = World::new().policy(|policy| policy.hot_age = age(48)).filled().await;
    let report = world.log.tier("acme").await.unwrap();
    // Row 48 began in the middle of... the third day begins with it: the two days before it are over.
    assert_eq!((report.moved, report.sealed), (48, 2));
    let (hot, cold) = world.places().await;
    assert_eq!((hot.len(), cold.len()), (72, 48));
    world.check(&rows()).await;
    let bytes: u64 = sealed(world.store.segments(&all()).await.unwrap()).map(|segment| segment.bytes).sum();
    let lines = to_lines(&rows()[..48]).unwrap().len() as u64;
    assert!(bytes * 3 < lines, "{bytes} bytes are no third of {lines}");
    assert_eq!(world.log.tier("acme").await.unwrap(), TierReport::default(), "a second pass does nothing");
}

#[tokio::test]
async fn the_oldest_move_when_there_are_too_many_in_segments_of_a_size() {
    let world = World::new().policy(|policy| (policy.hot_rows, policy.segment_rows) = (50, 9)).filled().await;
    let report = world.log.tier("acme").await.unwrap();
    assert_eq!((report.moved, report.sealed), (70, 9), "24 of a day are three segments");
    let (hot, cold) = world.places().await;
    assert_eq!(hot, rows()[70..]);
    assert_eq!(cold, rows()[..70]);
    world.check(&rows()).await;
}

/// Many questions.
fn questions() -> Vec<LogFilter> {
    let hour = |n: u64| row(n).at;
    let tomorrow = Day(Day::of(hour(0)).0 + 1);
    vec![
        all(),
        LogFilter::of(ann()),
        LogFilter::of(acme().agent("cook")),
        LogFilter::of(acme().session("s1")),
        LogFilter::of(ann().session("s1")),
        all().run(row(13).run),
        all().failed(),
        all().name("two").from(hour(10)).until(hour(61)),
        all().day(tomorrow),
        LogFilter::of(ann()).from(hour(30)),
        all().until(hour(90)),
    ]
}

#[tokio::test]
async fn questions_are_answered_as_if_nothing_had_moved() {
    let still = World::new().filled().await;
    let moved = World::new().policy(|policy| policy.hot_rows = 45).filled().await;
    moved.log.tier("acme").await.unwrap();
    let dropped =
        World::new().policy(|policy| (policy.hot_rows, policy.warm_age) = (45, age(48))).filled().await;
    let report = dropped.log.tier("acme").await.unwrap();
    assert_eq!(report.summaries_before, Some(Day::of(row(48).at)));
    for filter in questions() {
        let due = still.store.all_rows(&filter).await.unwrap();
        for world in [&moved, &dropped] {
            assert_eq!(world.log.all_rows(&filter).await.unwrap(), due, "{filter:?}");
            for by in [SUMMARY, &[], &[LogKey::Session, LogKey::User], &[LogKey::Name]] {
                let (found, due) = (world.log.totals(&filter, by).await.unwrap(), LogTable::of(&due, by));
                assert_eq!(found, due, "{filter:?} by {by:?}");
            }
            for first in [LogQuery::new(filter.clone()), LogQuery::new(filter.clone()).oldest()] {
                for limit in [1, 13, 500] {
                    let mut query = first.clone().limit(limit);
                    let mut pages = Vec::new();
                    loop {
                        let page = world.log.rows(&query).await.unwrap();
                        assert_eq!(page, query.page(due.clone()), "{query:?}");
                        let Some(last) = page.last() else { break };
                        query = query.after(last.id);
                        pages.extend(page);
                    }
                    assert_eq!(pages.len(), due.len());
                }
            }
        }
    }
    assert_eq!(
        moved.log.export_lines(&ann()).await.unwrap(),
        still.store.export_lines(&ann()).await.unwrap()
    );
}

#[tokio::test]
async fn old_segments_are_removed_for_good_where_the_policy_says_so() {
    let world = World::new()
        .policy(|policy| {
            (policy.hot_rows, policy.warm_age, policy.cold_age) = (0, age(24), Some(age(48)));
        })
        .filled()
        .await;
    let report = world.log.tier("acme").await.unwrap();
    assert_eq!((report.moved, report.removed), (120, 2));
    let (hot, cold) = world.places().await;
    assert_eq!((hot.len(), &cold[..]), (0, &rows()[48..]));
    assert_eq!(world.archive.list("").await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_row_that_is_recorded_again_after_it_moved_is_there_once() {
    let world = World::new().policy(|policy| policy.hot_rows = 0).filled().await;
    world.log.tier("acme").await.unwrap();
    let lines = to_lines(&rows()[..30]).unwrap();
    assert_eq!(world.log.import_lines(&acme(), &lines).await.unwrap(), 0, "they are in the archive");
    assert!(world.store.all_rows(&all()).await.unwrap().is_empty());
    // Behind its back: the next pass sees that the archive has them.
    world.store.put(rows()[..30].to_vec()).await.unwrap();
    assert_eq!(world.log.all_rows(&all()).await.unwrap(), rows(), "shown once also before that");
    let report = world.log.tier("acme").await.unwrap();
    assert_eq!((report.repeated, report.moved), (30, 0));
    world.check(&rows()).await;
    // Some of a day were not there yet.
    let mut late = row(30);
    late.seq = mosaic_core::Seq(500);
    late.id = mosaic_core::agent_log::LogRowId::derive(late.at, &late.scope, late.run, late.seq, 0);
    let lines = to_lines([&row(30), &late]).unwrap();
    assert_eq!(world.log.import_lines(&acme(), &lines).await.unwrap(), 1);
    assert_eq!(world.log.tier("acme").await.unwrap().moved, 1);
    assert_eq!(world.log.all_rows(&all()).await.unwrap().len(), 121);
}
