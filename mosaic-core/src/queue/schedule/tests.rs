use serde_json::json;

use super::*;
use crate::testing::TestRuntime;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn job() -> NewJob {
    NewJob::new("tick", json!({}))
}

/// 2026-01-01 00:00:00 UTC, a Thursday, and so much later.
fn at(days: u64, hours: u64, minutes: u64) -> Timestamp {
    TestRuntime::START.after(Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60))
}

async fn plan(schedule: &Schedule, next: Timestamp, now: Timestamp) -> Option<Firing> {
    let runtime = TestRuntime::new(1);
    runtime.advance(TestRuntime::START.until(now)).await;
    Scheduled { schedule: schedule.clone(), next }.plan(&runtime).unwrap()
}

#[test]
fn equal_steps_are_counted_from_1970_so_that_all_processes_agree() {
    let schedule = Schedule::every("s", MINUTE, job());
    assert_eq!(schedule.next(at(0, 0, 0)).unwrap(), at(0, 0, 1));
    assert_eq!(schedule.next(Timestamp(at(0, 0, 1).0 - 1)).unwrap(), at(0, 0, 1));
}

#[tokio::test]
async fn what_is_due_makes_its_job_with_a_key_of_schedule_and_time() {
    let schedule = Schedule::every("s", MINUTE, job());
    assert_eq!(plan(&schedule, at(0, 0, 5), Timestamp(at(0, 0, 5).0 - 1)).await, None);
    let firing = plan(&schedule, at(0, 0, 5), at(0, 0, 5)).await.unwrap();
    let job = firing.job.unwrap();
    assert_eq!((firing.due, firing.next, job.run_at), (at(0, 0, 5), at(0, 0, 6), at(0, 0, 5)));
    assert_eq!(&*job.dedup.unwrap().key, format!("s@{}", at(0, 0, 5).0));
}

#[tokio::test]
async fn missed_times_are_one_job_at_the_last_of_them_or_none() {
    let schedule = Schedule::every("s", DAY, job());
    let late = at(4, 9, 0);
    let firing = plan(&schedule, at(1, 0, 0), late).await.unwrap();
    assert_eq!((firing.due, firing.next), (at(1, 0, 0), at(5, 0, 0)));
    assert_eq!(firing.job.unwrap().run_at, at(4, 0, 0));

    let skipping = schedule.missed(Missed::Skip);
    let firing = plan(&skipping, at(1, 0, 0), late).await.unwrap();
    assert_eq!((firing.next, firing.job), (at(5, 0, 0), None));
    // One that is not much late was not missed.
    assert!(plan(&skipping, at(1, 0, 0), at(4, 0, 1)).await.unwrap().job.is_some());
}

#[tokio::test]
async fn a_schedule_that_says_no_times_is_refused() {
    let never = Schedule::every("s", Duration::ZERO, job());
    assert!(matches!(never.next(at(0, 0, 0)), Err(QueueError::Schedule { .. })));
    let beyond = Schedule::every("s", Duration::MAX, job());
    assert!(matches!(beyond.next(at(0, 0, 0)), Err(QueueError::Schedule { .. })));
    let nameless = Schedule::every("", MINUTE, job());
    assert!(matches!(nameless.next(at(0, 0, 0)), Err(QueueError::Invalid { .. })));
    let endless = Schedule::every("s".repeat(300), MINUTE, job());
    assert!(matches!(endless.next(at(0, 0, 0)), Err(QueueError::Invalid { .. })));
    let long = Schedule::every("s".repeat(200), MINUTE, job());
    assert!(
        plan(&long, at(0, 0, 1), at(0, 0, 1)).await.unwrap().job.is_some(),
        "a name that is taken can be fired"
    );
}

#[cfg(not(feature = "cron"))]
#[test]
fn without_cron_an_expression_says_what_is_missing() {
    let error = Schedule::cron("s", "0 3 * * *", job()).next(at(0, 0, 0)).unwrap_err();
    assert!(error.to_string().contains("feature `cron`"), "{error}");
}

#[cfg(feature = "cron")]
mod cron {
    use super::*;

    fn times(expression: &str, from: Timestamp, n: usize) -> Vec<Timestamp> {
        let schedule = Schedule::cron("s", expression, job());
        std::iter::successors(Some(from), |last| Some(schedule.next(*last).unwrap()))
            .skip(1)
            .take(n)
            .collect()
    }

    #[test]
    fn expressions_are_read_in_utc() {
        assert_eq!(times("0 3 * * *", at(0, 0, 0), 2), [at(0, 3, 0), at(1, 3, 0)]);
        assert_eq!(times("0 3 * * *", at(0, 3, 0), 1), [at(1, 3, 0)], "the next is after, not at");
        assert_eq!(times("30 4 * * MON", at(0, 0, 0), 2), [at(4, 4, 30), at(11, 4, 30)]);
        assert_eq!(times("*/20 * * * *", at(0, 0, 1), 3), [at(0, 0, 20), at(0, 0, 40), at(0, 1, 0)]);
        let seconds = times("*/10 * * * * *", at(0, 0, 0), 1);
        assert_eq!(seconds, [at(0, 0, 0).after(Duration::from_secs(10))]);
    }

    /// The clocks of Europe change on 29 March 2026 and 25 October 2026; those of UTC do not.
    #[test]
    fn no_hour_of_a_year_is_missing_and_none_comes_twice() {
        let hours = times("0 * * * *", at(0, 0, 0), 365 * 24);
        assert!(hours.windows(2).all(|pair| pair[0].until(pair[1]) == Duration::from_secs(3600)));
        assert_eq!(hours.last(), Some(&at(365, 0, 0)));
    }

    #[test]
    fn the_29th_of_february_comes_every_four_years() {
        let leap = times("0 0 29 2 *", at(0, 0, 0), 2);
        assert_eq!(leap[0], at(365 + 365 + 31 + 28, 0, 0));
        assert_eq!(leap[0].until(leap[1]), DAY * 1461);
    }

    #[tokio::test]
    async fn missed_times_are_found_without_counting_them() {
        let schedule = Schedule::cron("s", "* * * * * *", job());
        let now = Timestamp(at(3650, 0, 0).0 + 1);
        let firing = plan(&schedule, at(0, 0, 0), now).await.unwrap();
        assert_eq!(firing.job.unwrap().run_at, at(3650, 0, 0));
    }

    #[test]
    fn a_bad_expression_is_refused_with_its_name() {
        let long = "1,".repeat(10_000);
        for bad in ["", "x", "* * *", "61 * * * *", "* * * * * * * *", "0 0 31 2 *", "\0", &long] {
            let error = Schedule::cron("nightly", bad, job()).next(at(0, 0, 0)).unwrap_err();
            assert!(matches!(error, QueueError::Schedule { .. }), "{bad:?}: {error}");
            assert!(error.to_string().contains("`nightly`"), "{error}");
        }
    }
}
