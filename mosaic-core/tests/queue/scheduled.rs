//! Schedules, fired by workers.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::queue::{Budget, Missed, NewJob, QueueError, RamQueue, Schedule};
use mosaic_core::testing::TestRuntime;
use serde_json::json;

use crate::help::{Diary, SECOND, all, job, over, queue, settle};

#[tokio::test]
async fn two_workers_on_one_store_fire_each_time_once() {
    let (runtime, diary, store) = (TestRuntime::new(1), Diary::default(), RamQueue::new());
    let workers: Vec<_> = [store.sibling(), store]
        .into_iter()
        .map(|store| {
            let queue = over(Arc::new(store), &runtime, &diary, |_| async { Ok(()) });
            (queue.start(), queue)
        })
        .collect();
    for (_, queue) in &workers {
        queue.schedule(Schedule::every("tick", 60 * SECOND, job())).await.unwrap();
    }
    runtime.advance(600 * SECOND).await;
    assert_eq!(diary.count("done"), 10);
}

#[tokio::test]
async fn times_that_passed_while_nothing_ran_are_one_job_or_none() {
    for (missed, due) in [(Missed::FireOnce, 1), (Missed::Skip, 0)] {
        let (runtime, diary) = (TestRuntime::new(1), Diary::default());
        let queue = queue(&runtime, &diary, |_| async { Ok(()) });
        queue.schedule(Schedule::every("daily", 86_400 * SECOND, job()).missed(missed)).await.unwrap();
        runtime.advance(5 * 86_400 * SECOND + 3600 * SECOND).await;
        assert_eq!(queue.run_due_jobs(Budget::jobs(99)).await.unwrap().done, due);
        runtime.advance(23 * 3600 * SECOND).await;
        assert_eq!(queue.run_due_jobs(Budget::jobs(99)).await.unwrap().done, 1, "the next time is on time");
    }
}

#[tokio::test]
async fn a_schedule_that_cannot_be_is_refused() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Ok(()) });
    let bad = Schedule::every("s", Duration::ZERO, job());
    assert!(matches!(queue.schedule(bad).await, Err(QueueError::Schedule { .. })));
    let bad = Schedule::cron("s", "every day", job());
    assert!(matches!(queue.schedule(bad).await, Err(QueueError::Schedule { .. })));
    let bad = Schedule::every("s", SECOND, NewJob::new("", json!(1)));
    assert!(matches!(queue.schedule(bad).await, Err(QueueError::Invalid { .. })));
    assert_eq!(queue.store().schedules(None, None).await.unwrap(), []);
}

#[tokio::test]
async fn a_schedule_that_went_bad_does_not_keep_others_from_firing() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Ok(()) });
    // As an older version may have left it.
    let bad = Schedule::cron("a", "every day", job());
    queue.store().put_schedule(bad, TestRuntime::START).await.unwrap();
    queue.schedule(Schedule::every("b", 60 * SECOND, job())).await.unwrap();
    let _worker = queue.start();
    runtime.advance(60 * SECOND).await;
    assert_eq!(diary.count("done"), 1);
    settle(&runtime).await;
    assert_eq!(all(&queue).await, []);
}
