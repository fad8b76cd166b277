//! Jobs that the host runs by hand.

use std::time::Duration;

use mosaic_core::queue::{Backoff, Budget, Enqueued, JobError, JobState, MAX_PAYLOAD, NewJob, QueueError};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{ErrorKind, ErrorReport, Runtime, RuntimeExt, Timestamp};
use serde_json::json;

use crate::help::{Diary, SECOND, all, job, queue, settle};

#[tokio::test]
async fn due_jobs_are_run_until_the_budget_is_used_up() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Ok(()) });
    for _ in 0..3 {
        queue.add(job()).await.unwrap();
    }
    queue.add(job().delay(60 * SECOND)).await.unwrap();

    let report = queue.run_due_jobs(Budget::jobs(2)).await.unwrap();
    assert_eq!((report.done, report.next_due), (2, Some(TestRuntime::START)));
    let report = queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
    assert_eq!((report.done, report.next_due), (1, Some(TestRuntime::START.after(60 * SECOND))));
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 0);
}

#[tokio::test]
async fn no_job_is_started_when_the_time_is_used_up() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |ctx| async move {
        ctx.runtime.sleep(10 * SECOND).await;
        Ok(())
    });
    for _ in 0..5 {
        queue.add(job()).await.unwrap();
    }
    let run = tokio::spawn(async move { queue.run_due_jobs(Budget::time(25 * SECOND)).await });
    runtime.advance(60 * SECOND).await;
    assert_eq!(run.await.unwrap().unwrap().done, 3);
}

#[tokio::test]
async fn a_failure_is_tried_again_after_longer_and_longer_waits_and_is_a_dead_letter_in_the_end() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Err(JobError::retry("no")) });
    let backoff = Backoff { first_ms: 1000, factor: 10, most_ms: 60_000 };
    queue.add(job().max_attempts(4).backoff(backoff)).await.unwrap();
    let mut waits = Vec::new();
    loop {
        let report = queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
        assert_eq!(report.retried + report.dead, 1);
        let Some(due) = report.next_due else { break };
        waits.push(runtime.now().until(due).as_millis());
        runtime.advance(runtime.now().until(due)).await;
    }
    assert!(matches!(waits[..], [500..=1000, 5000..=10_000, 30_000..=60_000]), "{waits:?}");
    let dead = all(&queue).await.remove(0);
    assert_eq!((dead.state, dead.attempt), (JobState::Dead, 4));
    assert!(dead.error.unwrap().message.contains("no"));
}

#[tokio::test]
async fn what_no_other_attempt_can_mend_is_a_dead_letter_at_once() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |ctx| async move { ctx.payload::<u64>().map(drop) });
    queue.add(job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().dead, 1);
    let error = all(&queue).await.remove(0).error.unwrap();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_handler_that_names_a_wait_gets_it() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async {
        let report =
            ErrorReport { retry_after_ms: Some(7_777), ..ErrorReport::new(ErrorKind::RateLimited, "x") };
        Err(report.into())
    });
    queue.add(job()).await.unwrap();
    let next = queue.run_due_jobs(Budget::jobs(9)).await.unwrap().next_due;
    assert_eq!(next, Some(TestRuntime::START.after(Duration::from_millis(7_777))));
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { panic!("ouch") });
    queue.add(job()).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().retried, 1);
    assert!(all(&queue).await.remove(0).error.unwrap().message.contains("ouch"));
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_stopped_and_counts() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| std::future::pending());
    queue.add(job().timeout(90 * SECOND).max_attempts(1)).await.unwrap();
    let run = tokio::spawn({
        let queue = queue.clone();
        async move { queue.run_due_jobs(Budget::jobs(9)).await }
    });
    runtime.advance(89 * SECOND).await;
    assert!(!run.is_finished());
    runtime.advance(SECOND).await;
    assert_eq!(run.await.unwrap().unwrap().dead, 1);
    assert_eq!(all(&queue).await.remove(0).error.unwrap().kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn a_run_that_is_dropped_gives_its_job_back() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| std::future::pending());
    queue.add(job()).await.unwrap();
    let run = tokio::spawn({
        let queue = queue.clone();
        async move { queue.run_due_jobs(Budget::jobs(9)).await }
    });
    settle(&runtime).await;
    assert_eq!(all(&queue).await[0].state, JobState::Running);
    run.abort();
    settle(&runtime).await;
    let job = all(&queue).await.remove(0);
    assert_eq!((job.state, job.attempt), (JobState::Waiting, 0));
}

#[tokio::test]
async fn a_queue_without_handlers_runs_nothing() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Ok(()) });
    queue.add(NewJob::new("unknown", json!(1))).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 0);
    assert_eq!(all(&queue).await[0].state, JobState::Waiting);
}

#[tokio::test]
async fn what_cannot_be_a_job_is_refused_and_says_why() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Ok(()) });
    let far = Duration::from_secs(u64::MAX);
    let bad = [
        (NewJob::new("", json!(1)), "kind"),
        (NewJob::new("k\0", json!(1)), "kind"),
        (NewJob::new("k".repeat(256), json!(1)), "kind"),
        (job().tenant("t".repeat(256)), "tenant"),
        (job().dedup("\0"), "deduplication key"),
        (job().delay(far), "time"),
        (job().run_at(Timestamp(u64::MAX)), "time"),
        (job().max_attempts(0), "number of attempts"),
        (job().max_attempts(u32::MAX), "number of attempts"),
        (job().timeout(Duration::ZERO), "timeout"),
        (NewJob::new("k", json!("x".repeat(MAX_PAYLOAD))), "payload"),
    ];
    for (job, wrong) in bad {
        match queue.add(job).await {
            Err(QueueError::Invalid { what, .. }) => assert_eq!(what, wrong),
            other => panic!("{wrong}: {other:?}"),
        }
    }
    assert_eq!(all(&queue).await, []);
    // A time that has passed is now, and the longest timeout is as good as none.
    queue.add(job().run_at(Timestamp(0)).timeout(far)).await.unwrap();
    assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 1);
}

#[tokio::test]
async fn many_are_added_or_none() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Ok(()) });
    assert!(queue.add_all([job(), job().max_attempts(0)]).await.is_err());
    assert_eq!(all(&queue).await, []);
    let added = queue.add_all([job().dedup("a"), job().dedup("a")]).await.unwrap();
    assert!(matches!(added[..], [Enqueued::Added(one), Enqueued::Duplicate(two)] if one == two));
}
