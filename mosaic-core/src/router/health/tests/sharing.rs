//! What one process learns, the others know.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;

use super::help::*;
use crate::error::ErrorKind;
use crate::model::{ChatModel, ModelCall, ModelError, ModelRequest};
use crate::router::health::{Health, HealthStore, RamHealthStore};
use crate::router::{BreakerPolicy, Candidate, Fallback, Fallbacks, RetryPolicy, Router};
use crate::runtime::Runtime;
use crate::testing::{Answer, Gate, ScriptedModel, TestRuntime};

fn setting() -> (TestRuntime, Arc<dyn Runtime>, Arc<dyn HealthStore>) {
    let runtime = TestRuntime::new(1);
    (runtime.clone(), Arc::new(runtime), Arc::new(RamHealthStore::new()))
}

async fn stored(store: &Arc<dyn HealthStore>) -> Health {
    let page = store.load("router", 0).await.unwrap();
    serde_json::from_str(&page.rows[0].state).unwrap()
}

#[tokio::test]
async fn a_candidate_that_one_process_has_left_alone_is_not_asked_by_another() {
    // litellm PR #34836, #34834: a cooled deployment was served for windows of 10 s, because a cache kept what was read.
    let (runtime, clock, store) = setting();
    let (one, two) = (process(&clock, &store, [limited(20)]), process(&clock, &store, []));
    // The second process has been asking all the time.
    for _ in 0..4 {
        two.say().await.unwrap();
        runtime.advance(secs(1) / 4).await;
    }
    let asked = two.asked();
    assert_eq!(one.say().await, Err(ErrorKind::RateLimited));
    // Within the time between two looks it may not know; after that it does, to the millisecond.
    runtime.advance(secs(1)).await;
    while runtime.now() < TestRuntime::START.after(secs(21)) {
        assert_eq!(two.say().await, Err(ErrorKind::RateLimited));
        runtime.advance(secs(1) / 4).await;
    }
    assert_eq!(two.asked(), asked);
    // litellm PR #34416: an entry lived for 600 s. Here it is over when it is over.
    two.say().await.unwrap();
}

#[tokio::test]
async fn a_process_that_has_idled_looks_before_it_asks() {
    let (runtime, clock, store) = setting();
    let (one, two) = (process(&clock, &store, [limited(20)]), process(&clock, &store, []));
    two.say().await.unwrap();
    runtime.advance(secs(600)).await;
    assert!(one.say().await.is_err());
    assert!(two.is_open_to_calls(), "it has not looked yet");
    assert!(two.say().await.is_err());
    assert_eq!(two.asked(), 1);
}

#[tokio::test]
async fn a_process_that_has_just_started_knows_what_the_others_know() {
    let (_, clock, store) = setting();
    let one = process(&clock, &store, [limited(20)]);
    assert!(one.say().await.is_err());
    let two = process(&clock, &store, []);
    assert!(two.say().await.is_err());
    assert_eq!(two.asked(), 0);
}

#[tokio::test]
async fn a_fallback_that_fails_on_the_second_attempt_is_left_alone_by_all() {
    // litellm PR #34416: fallbacks were not cooled; litellm#32574: no cooldown on a second attempt.
    let (_, clock, store) = setting();
    let fallback = ScriptedModel::new([limited(20)]);
    let router = |first: Answer, second: &ScriptedModel| {
        Router::builder(clock.clone())
            .candidate(Candidate::new("first", Arc::new(ScriptedModel::new([first]))))
            .candidate(Candidate::new("second", Arc::new(second.clone())).priority(1))
            .retry(RetryPolicy { max_wait: secs(0), ..RetryPolicy::default() })
            .fallbacks(Fallbacks { failure: Fallback::to(["second"]), ..Fallbacks::default() })
            .health(store.clone())
            .build()
            .unwrap()
    };
    let other = ScriptedModel::new([Answer::text("hi")]);
    for (first, second) in [(failing(), &fallback), (failing(), &other)] {
        let mut call = ModelCall::new(ModelRequest::default());
        call.route.max_attempts = Some(2);
        let stream = router(first, second).stream(call).await.unwrap();
        stream.collect::<Vec<_>>().await;
    }
    assert_eq!((fallback.requests().len(), other.requests().len()), (1, 0));
}

#[tokio::test]
async fn one_probe_over_all_processes_finds_out() {
    let (runtime, clock, store) = setting();
    let gate = Gate::new();
    let one = process(&clock, &store, [failing(), Answer::new().hold(&gate).then_text("well")]);
    let two = process(&clock, &store, []);
    assert!(one.say().await.is_err());
    runtime.advance(secs(9) / 2).await;
    assert!(two.say().await.is_err());
    runtime.advance(secs(1) / 2).await;
    assert!(two.is_open_to_calls(), "as far as it knows it may find out");
    let probe = tokio::spawn(async move { one.say().await });
    runtime.advance(secs(0)).await;
    // At the very moment at which both might: only the first one's claim is written.
    assert_eq!(two.say().await, Err(ErrorKind::Overloaded));
    runtime.advance(secs(3)).await;
    assert!(two.say().await.is_err());
    assert_eq!(two.asked(), 0);
    gate.open();
    probe.await.unwrap().unwrap();
    runtime.advance(secs(1)).await;
    two.say().await.unwrap();
}

#[tokio::test]
async fn a_probe_that_may_not_go_takes_nothing_of_a_limit() {
    let (runtime, clock, store) = setting();
    let gate = Gate::new();
    let one = process(&clock, &store, [failing(), Answer::new().hold(&gate).then_text("well")]);
    let model = ScriptedModel::new([Answer::text("hi")]);
    let candidate = Candidate::new("only", Arc::new(model.clone()));
    let two = Router::builder(clock.clone())
        .candidate(candidate.requests_per_minute(1).tokens_per_minute(1_024))
        .retry(RetryPolicy { max_wait: secs(0), ..RetryPolicy::default() })
        .health(store.clone())
        .build()
        .unwrap();
    let call = async || {
        let stream = two.stream(ModelCall::new(ModelRequest::default())).await.unwrap();
        stream.filter_map(async |event| event.err().map(|error| error.kind)).collect::<Vec<_>>().await
    };
    assert!(one.say().await.is_err());
    runtime.advance(secs(9) / 2).await;
    assert_eq!(call().await, [ErrorKind::Overloaded], "it looks, and leaves the candidate alone");
    runtime.advance(secs(1) / 2).await;
    let probe = tokio::spawn(async move { one.say().await });
    runtime.advance(secs(0)).await;
    assert_eq!(call().await, [ErrorKind::Overloaded]);
    gate.open();
    probe.await.unwrap().unwrap();
    runtime.advance(secs(2)).await;
    assert_eq!(call().await, []);
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn a_probe_that_fails_keeps_all_away_for_twice_as_long() {
    let (runtime, clock, store) = setting();
    let (one, two) = (process(&clock, &store, [failing(), failing()]), process(&clock, &store, []));
    assert!(one.say().await.is_err());
    runtime.advance(secs(5)).await;
    assert!(one.say().await.is_err());
    for _ in 0..9 {
        runtime.advance(secs(1)).await;
        assert!(two.say().await.is_err());
    }
    assert_eq!((one.asked(), two.asked()), (2, 0));
    runtime.advance(secs(1)).await;
    two.say().await.unwrap();
}

#[tokio::test]
async fn the_probe_of_a_process_that_died_expires() {
    let (runtime, clock, store) = setting();
    let (one, two) = (process(&clock, &store, [failing(), Answer::never()]), process(&clock, &store, []));
    assert!(one.say().await.is_err());
    runtime.advance(secs(5)).await;
    let probe = tokio::spawn(async move {
        let said = one.say().await;
        drop(one);
        said
    });
    runtime.advance(secs(59)).await;
    assert!(two.say().await.is_err());
    assert_eq!(two.asked(), 0);
    assert!(!probe.is_finished(), "as one that hangs: it does not say that it is gone");
    runtime.advance(secs(1)).await;
    two.say().await.unwrap();
}

#[tokio::test]
async fn a_probe_that_is_dropped_lets_another_process_find_out_at_once() {
    let (runtime, clock, store) = setting();
    let (one, two) = (process(&clock, &store, [failing(), Answer::never()]), process(&clock, &store, []));
    assert!(one.say().await.is_err());
    runtime.advance(secs(5)).await;
    let probe = tokio::spawn(async move { one.say().await });
    runtime.advance(secs(1)).await;
    assert!(two.say().await.is_err());
    probe.abort();
    runtime.advance(secs(1)).await;
    two.say().await.unwrap();
}

#[tokio::test]
async fn a_probe_that_streams_for_minutes_keeps_nobody_away_and_no_second_one_is_made() {
    let (runtime, clock, store) = setting();
    let gate = Gate::new();
    let long = || Answer::text("it begins").hold(&gate).then_text("and ends");
    let one = process(&clock, &store, [failing(), long(), Answer::text("hi")]);
    let two = process(&clock, &store, [long(), Answer::text("hi")]);
    assert!(one.say().await.is_err());
    runtime.advance(secs(5)).await;
    let mut stream = one.router.stream(ModelCall::new(ModelRequest::default())).await.unwrap();
    stream.next().await.unwrap().unwrap();
    assert_eq!(stored(&store).await.until, None, "its first event has closed the breaker");
    runtime.advance(secs(120)).await;
    one.say().await.unwrap();
    gate.open();
    two.say().await.unwrap();
    assert!(stream.filter_map(async |event| event.err()).collect::<Vec<_>>().await.is_empty());
    assert_eq!(stored(&store).await, Health { at: runtime.now(), ..Health::default() });
}

#[tokio::test]
async fn a_candidate_that_begins_and_breaks_off_is_left_alone_for_longer_each_time() {
    let (runtime, clock, store) = setting();
    let breaks =
        || Answer::text("it begins").fail(ModelError::new(ErrorKind::Transport, "and the connection breaks"));
    let one = process(&clock, &store, [failing(), breaks(), breaks(), breaks()]);
    assert!(one.say().await.is_err());
    for alone in [5, 10, 20] {
        runtime.advance(secs(alone - 1)).await;
        let asked = one.asked();
        assert!(one.say().await.is_err());
        assert_eq!(one.asked(), asked, "{alone}");
        runtime.advance(secs(1)).await;
        assert!(one.say().await.is_err());
        assert_eq!(one.asked(), asked + 1);
    }
    assert_eq!(stored(&store).await.opened, 4);
}

#[tokio::test]
async fn a_call_that_goes_well_writes_nothing() {
    let runtime: Arc<dyn Runtime> = Arc::new(TestRuntime::new(1));
    let moody = Arc::new(Moody::default());
    let store: Arc<dyn HealthStore> = moody.clone();
    let policy = BreakerPolicy { failures: 3, ..strict() };
    let one = process_with(&runtime, &store, policy, [failing(), Answer::text("hi"), failing()]);
    for _ in 0..5 {
        let _ = one.say().await;
    }
    assert_eq!(moody.swaps.load(Ordering::Relaxed), 0, "nor does a failure that is counted, not yet three");
    assert_eq!(moody.loads.load(Ordering::Relaxed), 1, "one load an interval, however many calls");
}

#[tokio::test]
async fn routers_of_other_names_are_not_concerned() {
    let (_, clock, store) = setting();
    let router = |name: &str, model: &ScriptedModel| {
        Router::builder(clock.clone())
            .name(name)
            .candidate(Candidate::new("only", Arc::new(model.clone())))
            .breaker(strict())
            .health(store.clone())
            .build()
            .unwrap()
    };
    let (bad, good) = (ScriptedModel::new([limited(100)]), ScriptedModel::new([Answer::text("hi")]));
    let call = || ModelCall::new(ModelRequest::default());
    router("chat", &bad).stream(call()).await.unwrap().collect::<Vec<_>>().await;
    router("search", &good).stream(call()).await.unwrap().collect::<Vec<_>>().await;
    assert_eq!(good.requests().len(), 1);
}
