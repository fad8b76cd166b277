//! Late heartbeats, lost jobs, stores that fail.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mosaic_core::queue::{Budget, Claim, JobFilter, JobPage, JobState, JobStore, RamQueue};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{Runtime, RuntimeExt};

use crate::faulty::Faulty;
use crate::help::{Diary, SECOND, all, job, over, queue, settle};

#[tokio::test]
async fn a_long_job_whose_heartbeats_are_late_is_not_run_twice() {
    let (runtime, diary, store) = (TestRuntime::new(1), Diary::default(), RamQueue::new());
    let busy = over(Arc::new(store.sibling()), &runtime, &diary, |ctx| async move {
        ctx.runtime.sleep(300 * SECOND).await;
        ctx.confirm().await
    })
    .options(|options| options.visibility = 3600 * SECOND);
    busy.add(job()).await.unwrap();
    let _busy = busy.start();
    settle(&runtime).await;
    // It was to be heard of long ago; another worker is eager to have it.
    let silent = all(&busy).await.remove(0);
    assert_eq!(silent.visible_until, Some(TestRuntime::START.after(3600 * SECOND)));
    let late = TestRuntime::START.after(7200 * SECOND);
    let claim = Claim { kinds: vec!["k".into()], limit: 9, visibility: SECOND };
    assert_eq!(store.claim(claim, late).await.unwrap(), []);
    runtime.advance(300 * SECOND).await;
    assert_eq!(diary.lines(), ["start", "done"]);
}

#[tokio::test]
async fn the_handler_of_a_lost_job_is_dropped_before_its_effects() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let effects = diary.clone();
    let queue = queue(&runtime, &diary, move |ctx| {
        let effects = effects.clone();
        async move {
            ctx.runtime.sleep(60 * SECOND).await;
            effects.write("effect");
            Ok(())
        }
    })
    .options(|options| options.concurrency = 1);
    queue.add(job()).await.unwrap();
    let worker = queue.start();
    settle(&runtime).await;
    queue.store().revoke(&JobFilter::default()).await.unwrap();
    runtime.advance(11 * SECOND).await;
    assert_eq!((worker.running(), diary.count("start"), diary.count("effect")), (1, 2, 0));
    runtime.advance(120 * SECOND).await;
    assert_eq!((diary.count("effect"), diary.count("done")), (1, 1));
}

#[tokio::test]
async fn a_handler_that_asks_learns_that_its_job_is_lost() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let effects = diary.clone();
    let queue = queue(&runtime, &diary, move |ctx| {
        let effects = effects.clone();
        async move {
            ctx.runtime.sleep(SECOND).await;
            ctx.confirm().await?;
            effects.write("effect");
            Ok(())
        }
    });
    queue.add(job()).await.unwrap();
    let run = tokio::spawn({
        let queue = queue.clone();
        async move { queue.run_due_jobs(Budget::jobs(1)).await }
    });
    settle(&runtime).await;
    queue.store().remove(&JobFilter::default()).await.unwrap();
    runtime.advance(SECOND).await;
    assert_eq!(run.await.unwrap().unwrap().lost, 1);
    assert_eq!(diary.count("effect"), 0);
}

#[tokio::test]
async fn where_silence_frees_a_job_an_attempt_that_cannot_be_heard_of_ends_in_time() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let store = Arc::new(Faulty::default());
    store.binding.store(true, Ordering::Relaxed);
    let queue = over(store.clone(), &runtime, &diary, |ctx| async move {
        loop {
            ctx.runtime.sleep(SECOND).await;
        }
    });
    queue.add(job()).await.unwrap();
    let worker = queue.start();
    runtime.advance(15 * SECOND).await;
    store.deaf.store(true, Ordering::Relaxed);
    // Heard of at 10 s, for 30 s.
    runtime.advance(24 * SECOND).await;
    assert_eq!(worker.running(), 1);
    runtime.advance(3 * SECOND).await;
    assert_eq!((worker.running(), diary.lines()), (0, vec!["start".to_owned()]));
}

#[tokio::test]
async fn where_it_does_not_the_attempt_goes_on() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let store = Arc::new(Faulty::default());
    store.deaf.store(true, Ordering::Relaxed);
    let queue = over(store.clone(), &runtime, &diary, |ctx| async move {
        ctx.runtime.sleep(400 * SECOND).await;
        Ok(())
    });
    queue.add(job()).await.unwrap();
    let _worker = queue.start();
    runtime.advance(400 * SECOND).await;
    assert_eq!(diary.lines(), ["start", "done"]);
    assert_eq!(all(&queue).await, []);
}

#[tokio::test]
async fn the_end_of_a_job_is_told_until_the_store_takes_it() {
    let (runtime, diary) = (TestRuntime::new(1), Diary::default());
    let store = Arc::new(Faulty::default());
    store.refusals.store(12, Ordering::Relaxed);
    let queue = over(store.clone(), &runtime, &diary, |_| async { Ok(()) });
    queue.add(job()).await.unwrap();
    let worker = queue.start();
    settle(&runtime).await;
    assert_eq!((worker.running(), all(&queue).await[0].state), (1, JobState::Running));
    runtime.advance(300 * SECOND).await;
    assert_eq!((worker.running(), all(&queue).await, diary.count("start")), (0, vec![], 1));
}

#[tokio::test]
async fn a_job_that_kills_its_process_again_and_again_is_a_dead_letter() {
    let (runtime, store) = (TestRuntime::new(1), RamQueue::new());
    store.enqueue(vec![job().max_attempts(3).job(&runtime).unwrap()]).await.unwrap();
    let claim = || Claim { kinds: vec!["k".into()], limit: 9, visibility: SECOND };
    for attempt in 1..=3 {
        let process = store.sibling();
        let claimed = process.claim(claim(), runtime.now()).await.unwrap().remove(0);
        assert_eq!(claimed.attempt, attempt);
        drop(process);
    }
    assert_eq!(store.claim(claim(), runtime.now()).await.unwrap(), []);
    let dead = store.list(&JobFilter::default(), JobPage::default()).await.unwrap().remove(0);
    assert_eq!(dead.state, JobState::Dead);
    assert!(dead.error.unwrap().message.contains("process"), "it says why");
}
