//! A store that is slow, down or full of garbage fails no call, and delays none for longer than it may.

use std::sync::Arc;
use std::time::Duration;

use super::help::*;
use crate::error::ErrorKind;
use crate::router::BreakerPolicy;
use crate::router::health::{HealthStore, RamHealthStore, Swap};
use crate::runtime::Runtime;
use crate::testing::{Answer, TestRuntime};

fn setting(mood: Mood) -> (TestRuntime, Arc<dyn Runtime>, Arc<Moody>, Arc<dyn HealthStore>) {
    let (runtime, moody) = (TestRuntime::new(1), Arc::new(Moody::default()));
    moody.set(mood);
    (runtime.clone(), Arc::new(runtime), moody.clone(), moody)
}

/// Runs a call, turning the clock to whatever it waits for; how long it took.
async fn timed(runtime: &TestRuntime, process: &Arc<Process>) -> (Result<(), ErrorKind>, Duration) {
    let started = runtime.now();
    let call = {
        let process = process.clone();
        tokio::spawn(async move { process.say().await })
    };
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    while !call.is_finished() {
        assert!(runtime.advance_to_next().await || call.is_finished(), "a call that nothing wakes");
    }
    (call.await.unwrap(), started.until(runtime.now()))
}

#[tokio::test]
async fn a_store_that_fails_or_hangs_fails_no_call_and_the_breaker_works_alone() {
    for mood in [Mood::Fails, Mood::Hangs, Mood::Deaf, Mood::Garbage, Mood::Contrary] {
        let (runtime, clock, _, store) = setting(mood);
        let one = Arc::new(process(&clock, &store, [Answer::text("hi"), failing(), failing()]));
        let most = BreakerPolicy::default().patience;
        let mut waited = Duration::ZERO;
        for (call, expected) in [
            (0, Ok(())),
            (0, Err(ErrorKind::Server)),
            (1, Err(ErrorKind::Overloaded)), // left alone
            (5, Err(ErrorKind::Server)),     // the probe
            (5, Err(ErrorKind::Overloaded)), // left alone for 10 s
            (6, Ok(())),                     // the next one
        ] {
            runtime.advance(secs(call)).await;
            let (said, took) = timed(&runtime, &one).await;
            assert_eq!(said, expected, "{mood:?}");
            waited = waited.max(took);
        }
        assert!(waited <= most, "{mood:?} delayed a call by {waited:?}");
        assert_eq!(one.asked(), 4, "{mood:?}");
    }
}

#[tokio::test]
async fn only_the_first_call_waits_for_a_store_that_hangs() {
    let (runtime, clock, _, store) = setting(Mood::Hangs);
    let one = Arc::new(process(&clock, &store, []));
    let patience = BreakerPolicy::default().patience;
    assert_eq!(timed(&runtime, &one).await, (Ok(()), patience));
    for _ in 0..20 {
        assert_eq!(timed(&runtime, &one).await, (Ok(()), Duration::ZERO));
        runtime.advance(secs(1)).await;
    }
}

#[tokio::test]
async fn a_call_does_not_wait_past_its_deadline() {
    use crate::model::{ChatModel, ModelCall, ModelRequest};
    let (runtime, clock, _, store) = setting(Mood::Hangs);
    let one = process(&clock, &store, []);
    let mut call = ModelCall::new(ModelRequest::default());
    call.deadline = Some(runtime.now().after(Duration::from_millis(100)));
    let router = one.router.clone();
    let started = tokio::spawn(async move { drop(router.stream(call).await.unwrap()) });
    tokio::task::yield_now().await;
    assert!(!started.is_finished());
    runtime.advance(Duration::from_millis(100)).await;
    assert!(started.is_finished());
}

#[tokio::test]
async fn a_probe_does_not_wait_for_its_claim_past_the_deadline_of_its_call() {
    use crate::model::{ChatModel, ModelCall, ModelRequest};
    let (runtime, clock, moody, store) = setting(Mood::Well);
    let one = process(&clock, &store, [failing()]);
    assert!(one.say().await.is_err());
    runtime.advance(secs(9) / 2).await;
    assert!(one.say().await.is_err());
    runtime.advance(secs(1) / 2).await;
    moody.set(Mood::Hangs);
    let mut call = ModelCall::new(ModelRequest::default());
    call.deadline = Some(runtime.now().after(Duration::from_millis(100)));
    let router = one.router.clone();
    let started = tokio::spawn(async move { drop(router.stream(call).await.unwrap()) });
    runtime.advance(Duration::from_millis(99)).await;
    assert!(!started.is_finished());
    runtime.advance(Duration::from_millis(1)).await;
    assert!(started.is_finished());
}

#[tokio::test]
async fn a_cooldown_from_a_clock_that_is_ahead_lasts_no_longer_than_it_was_meant_to() {
    let runtime = TestRuntime::new(1);
    let store: Arc<dyn HealthStore> = Arc::new(RamHealthStore::new());
    let ahead: Arc<dyn Runtime> = Arc::new(Skewed(runtime.clone(), 3_600_000));
    let clock: Arc<dyn Runtime> = Arc::new(runtime.clone());
    assert!(process(&ahead, &store, [limited(20)]).say().await.is_err());
    let two = process(&clock, &store, []);
    assert!(two.say().await.is_err());
    runtime.advance(secs(19)).await;
    assert!(two.say().await.is_err());
    runtime.advance(secs(1)).await;
    two.say().await.unwrap();
}

#[tokio::test]
async fn what_could_not_be_written_is_written_when_the_store_answers_again() {
    for mood in [Mood::Fails, Mood::Hangs, Mood::Deaf] {
        let (runtime, clock, moody, store) = setting(Mood::Well);
        let one = Arc::new(process(&clock, &store, [Answer::text("hi"), limited(60)]));
        let two = process(&clock, &store, []);
        timed(&runtime, &one).await.0.unwrap();
        moody.set(mood);
        assert!(timed(&runtime, &one).await.0.is_err());
        runtime.advance(secs(5)).await;
        moody.set(Mood::Well);
        // The first process only tries; that is enough to tell the second.
        assert!(timed(&runtime, &one).await.0.is_err());
        runtime.advance(secs(2)).await;
        assert_eq!(two.say().await, Err(ErrorKind::RateLimited), "{mood:?}");
        assert_eq!(two.asked(), 0);
    }
}

#[tokio::test]
async fn a_store_that_was_made_anew_shortens_no_cooldown_and_learns_of_it() {
    #[derive(Debug, Default)]
    struct Anew(std::sync::Mutex<Arc<RamHealthStore>>);
    #[async_trait::async_trait]
    impl HealthStore for Anew {
        async fn load(
            &self,
            space: &str,
            since: u64,
        ) -> Result<crate::router::health::HealthPage, crate::StoreError> {
            let store = self.0.lock().unwrap().clone();
            store.load(space, since).await
        }
        async fn swap(
            &self,
            space: &str,
            candidate: &str,
            expected: u64,
            state: String,
        ) -> Result<Swap, crate::StoreError> {
            let store = self.0.lock().unwrap().clone();
            store.swap(space, candidate, expected, state).await
        }
    }
    let (runtime, anew) = (TestRuntime::new(1), Arc::new(Anew::default()));
    let (clock, store): (Arc<dyn Runtime>, Arc<dyn HealthStore>) = (Arc::new(runtime.clone()), anew.clone());
    let one = process(&clock, &store, [limited(60)]);
    assert!(one.say().await.is_err());
    runtime.advance(secs(2)).await;
    assert!(one.say().await.is_err(), "it has seen its own version");
    *anew.0.lock().unwrap() = Arc::default();
    runtime.advance(secs(2)).await;
    assert!(one.say().await.is_err());
    let two = process(&clock, &store, []);
    assert!(two.say().await.is_err());
    assert_eq!((one.asked(), two.asked()), (1, 0));
}

#[tokio::test]
async fn garbage_in_the_store_keeps_nobody_away_and_is_written_over() {
    let (runtime, clock, _, store) = setting(Mood::Well);
    for (candidate, state) in [
        ("only", "not JSON"),
        ("unknown", "{}"),
        ("only", "{\"until\":18446744073709551615,\"at\":0}"),
        ("only", "{\"probe\":{\"owner\":\"me\"},\"at\":1}"),
    ] {
        let there = store.load("router", 0).await.unwrap().rows;
        let version = there.iter().find(|row| &*row.candidate == candidate).map_or(0, |row| row.version);
        store.swap("router", candidate, version, state.into()).await.unwrap();
        let one = process(&clock, &store, [Answer::text("hi"), limited(20)]);
        one.say().await.unwrap();
        assert!(one.say().await.is_err());
        let two = process(&clock, &store, []);
        assert!(two.say().await.is_err(), "{state}");
        assert_eq!(two.asked(), 0);
        runtime.advance(secs(100)).await;
    }
}

#[tokio::test]
async fn a_state_of_a_newer_version_is_read_as_far_as_it_is_known() {
    let (runtime, clock, _, store) = setting(Mood::Well);
    let until = runtime.now().after(secs(20)).0;
    let state = format!("{{\"v\":2,\"until\":{until},\"cause\":\"a_new_kind\",\"at\":{}}}", runtime.now().0);
    store.swap("router", "only", 0, state).await.unwrap();
    let one = process(&clock, &store, []);
    assert_eq!(one.say().await, Err(ErrorKind::Overloaded));
    assert_eq!(one.asked(), 0);
}

#[tokio::test]
async fn clocks_that_differ_by_seconds_move_the_end_of_a_cooldown_by_so_much_and_make_no_second_probe() {
    for skew in [-4_000, 4_000_i64] {
        let runtime = TestRuntime::new(1);
        let store: Arc<dyn HealthStore> = Arc::new(RamHealthStore::new());
        let clock: Arc<dyn Runtime> = Arc::new(runtime.clone());
        let other: Arc<dyn Runtime> = Arc::new(Skewed(runtime.clone(), skew));
        let one = Arc::new(process(&clock, &store, [limited(20), Answer::never()]));
        let two = process(&other, &store, []);
        assert!(one.say().await.is_err());
        assert!(two.say().await.is_err());
        let mut asked_after = None;
        let probe = {
            let one = one.clone();
            tokio::spawn(async move {
                while one.asked() < 2 {
                    let _ = one.say().await;
                    tokio::task::yield_now().await;
                }
            })
        };
        for second in 1..40 {
            runtime.advance(secs(1)).await;
            if two.say().await.is_ok() {
                asked_after = Some(second);
                break;
            }
        }
        match skew {
            // Behind: it would wait until 24 s by the writer's clock, but for no longer than 20 s from when it read that;
            // by then the first one's probe goes on, and nobody makes a second.
            ..0 => assert_eq!((asked_after, two.asked(), one.asked()), (None, 0, 2)),
            // Ahead: it asks 4 s early, alone.
            _ => assert_eq!((asked_after, two.asked(), one.asked()), (Some(16), 1, 1)),
        }
        probe.abort();
    }
}
