//! Jobs in the background.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mosaic_core::RuntimeExt;
use mosaic_core::queue::{JobError, JobState, NewJob, Pause, Schedule};
use mosaic_core::testing::TestRuntime;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::faulty::Faulty;
use crate::help::{Diary, SECOND, all, job, over, queue, settle};

#[tokio::test]
async fn a_worker_wakes_for_what_is_added_and_for_what_becomes_due() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Ok(()) }).options(|options| options.poll = 3600 * SECOND);
    let worker = queue.start();
    settle(&runtime).await;
    queue.add(job()).await.unwrap();
    queue.add(job().delay(90 * SECOND)).await.unwrap();
    settle(&runtime).await;
    assert_eq!(diary.count("done"), 1);
    runtime.advance(89 * SECOND).await;
    assert_eq!(diary.count("done"), 1);
    runtime.advance(SECOND).await;
    assert_eq!(diary.count("done"), 2);
    let report = worker.drain(SECOND).await;
    assert_eq!((report.stopped, report.left), (0, 0));
}

#[tokio::test]
async fn no_more_jobs_run_at_once_than_allowed() {
    let (runtime, diary, open) = (TestRuntime::new(1), Diary::default(), Arc::new(Semaphore::new(0)));
    let gate = open.clone();
    let queue = queue(&runtime, &diary, move |_| {
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(())
        }
    })
    .options(|options| options.concurrency = 3);
    for _ in 0..7 {
        queue.add(job()).await.unwrap();
    }
    let worker = queue.start();
    for done in 0..5 {
        settle(&runtime).await;
        assert_eq!((worker.running(), diary.count("start"), diary.count("done")), (3, 3 + done, done));
        open.add_permits(1);
    }
    open.add_permits(9);
    settle(&runtime).await;
    assert_eq!((worker.running(), diary.count("done")), (0, 7));
}

#[tokio::test]
async fn a_failed_or_panicking_job_leaves_the_worker_whole() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |ctx| async move {
        match ctx.payload::<String>()?.as_str() {
            "panic" => panic!("ouch"),
            "fail" => Err(JobError::retry("no")),
            _ => Ok(()),
        }
    });
    for what in ["panic", "fail", "work"] {
        queue.add(NewJob::new("k", what.into()).max_attempts(1)).await.unwrap();
    }
    queue.add(NewJob::new("unknown", json!(1))).await.unwrap();
    let worker = queue.start();
    settle(&runtime).await;
    assert_eq!(worker.running(), 0);
    let mut states: Vec<_> = all(&queue).await.iter().map(|job| (job.kind.to_string(), job.state)).collect();
    states.sort();
    let dead = || ("k".to_owned(), JobState::Dead);
    assert_eq!(states, [dead(), dead(), ("unknown".to_owned(), JobState::Waiting)]);
    queue.add(NewJob::new("k", "work".into())).await.unwrap();
    settle(&runtime).await;
    assert_eq!(diary.count("done"), 2);
}

#[tokio::test]
async fn a_drain_takes_no_more_jobs_and_waits_for_those_that_run() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |ctx| async move {
        ctx.runtime.sleep(10 * SECOND).await;
        Ok(())
    });
    queue.add(job()).await.unwrap();
    let worker = queue.start();
    settle(&runtime).await;
    let drain = tokio::spawn(worker.drain(60 * SECOND));
    settle(&runtime).await;
    queue.add(job()).await.unwrap();
    runtime.advance(10 * SECOND).await;
    let report = drain.await.unwrap();
    assert_eq!((report.stopped, report.left, diary.count("done")), (0, 0, 1));
    runtime.advance(60 * SECOND).await;
    assert_eq!((diary.count("start"), all(&queue).await[0].state), (1, JobState::Waiting));
}

#[tokio::test]
async fn a_drain_that_takes_too_long_stops_what_runs_and_gives_it_back_uncounted() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let tidied = diary.clone();
    let queue = queue(&runtime, &diary, move |ctx| {
        let tidied = tidied.clone();
        async move {
            if ctx.payload::<bool>()? {
                ctx.cancel.cancelled().await;
                ctx.runtime.sleep(SECOND).await;
                tidied.write("tidied");
                return Err(JobError::retry("stopped"));
            }
            std::future::pending().await
        }
    });
    queue.add(NewJob::new("k", true.into())).await.unwrap();
    queue.add(NewJob::new("k", false.into())).await.unwrap();
    let worker = queue.start();
    settle(&runtime).await;
    let drain = tokio::spawn(worker.drain(60 * SECOND));
    runtime.advance(61 * SECOND).await;
    let report = drain.await.unwrap();
    assert_eq!((report.stopped, report.left, diary.count("tidied")), (2, 0, 1));
    assert!(all(&queue).await.iter().all(|job| job.state == JobState::Waiting && job.attempt == 0));
}

#[tokio::test]
async fn a_worker_that_is_dropped_finishes_what_it_has_and_takes_no_more() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |ctx| async move {
        ctx.runtime.sleep(10 * SECOND).await;
        Ok(())
    });
    queue.add(job()).await.unwrap();
    let worker = queue.start();
    settle(&runtime).await;
    drop(worker);
    queue.add(job()).await.unwrap();
    runtime.advance(60 * SECOND).await;
    assert_eq!((diary.count("start"), diary.count("done")), (1, 1));
}

#[tokio::test]
async fn a_pause_stops_starting_and_its_end_wakes_the_worker() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let queue = queue(&runtime, &diary, |_| async { Ok(()) }).options(|options| options.poll = 3600 * SECOND);
    queue.store().pause(&Pause::Everything).await.unwrap();
    let _worker = queue.start();
    queue.add(job()).await.unwrap();
    runtime.advance(60 * SECOND).await;
    assert_eq!(diary.count("start"), 0);
    queue.store().resume(&Pause::Everything).await.unwrap();
    settle(&runtime).await;
    assert_eq!(diary.count("done"), 1);
}

#[tokio::test]
async fn an_idle_worker_looks_now_and_then_and_does_not_spin() {
    let (runtime, diary, store) = (TestRuntime::new(1), Diary::default(), Arc::new(Faulty::default()));
    let queue = over(store.clone(), &runtime, &diary, |_| async { Ok(()) });
    // Due for ever, and nobody can fire it.
    queue.store().put_schedule(Schedule::cron("bad", "every day", job()), TestRuntime::START).await.unwrap();
    let _worker = queue.options(|options| options.poll = 2 * SECOND).start();
    runtime.advance(60 * SECOND).await;
    assert_eq!(store.claims.load(Ordering::Relaxed), 31);
}
