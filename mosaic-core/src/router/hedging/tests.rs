//! What hedging promises.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::super::tests::{candidate, failing, say};
use super::super::*;
use crate::error::ErrorKind;
use crate::model::{Capability, ModelError, ModelInfo};
use crate::testing::{Answer, Gate, ScriptedModel, TestRuntime};

type Said = (Result<String, ModelError>, RouteDecision);

fn retry(hedge: Hedge) -> RetryPolicy {
    RetryPolicy { hedge: Some(hedge), ..RetryPolicy::default() }
}

fn held(gate: &Gate, text: &str) -> Answer {
    Answer::new().hold(gate).then_text(text)
}

fn router(runtime: &TestRuntime, models: &[&ScriptedModel], hedge: Hedge) -> Router {
    let mut builder = Router::builder(Arc::new(runtime.clone())).retry(retry(hedge));
    for (number, model) in (0..).zip(models) {
        builder = builder.candidate(candidate(&number.to_string(), model).priority(number));
    }
    builder.build().unwrap()
}

fn start(router: &Router) -> JoinHandle<Said> {
    let router = router.clone();
    tokio::spawn(async move { say(&router).await })
}

fn outcomes(route: &RouteDecision) -> Vec<(&str, bool)> {
    let outrun = |attempt: &RouteAttempt| attempt.outcome == AttemptOutcome::Outrun;
    route.attempts.iter().map(|attempt| (&*attempt.candidate, outrun(attempt))).collect()
}

#[tokio::test]
async fn a_second_candidate_is_asked_when_the_first_takes_long_and_the_slow_one_is_cancelled() {
    let runtime = TestRuntime::new(1);
    let (slow, quick) = (ScriptedModel::new([Answer::never()]), ScriptedModel::new([Answer::text("hi")]));
    let router = router(&runtime, &[&slow, &quick], Hedge::after(Duration::from_secs(2)));
    let call = start(&router);
    runtime.advance(Duration::from_millis(1_999)).await;
    assert_eq!((slow.requests().len(), quick.requests().len()), (1, 0));
    runtime.advance(Duration::from_millis(1)).await;
    let (said, route) = call.await.unwrap();
    assert_eq!((said.unwrap().as_str(), route.chosen.as_deref()), ("hi", Some("1")));
    assert_eq!(outcomes(&route), [("0", true), ("1", false)]);
    assert_eq!(slow.cancelled(), 1);
    assert!(route.to_string().contains("asked `0`: outrun after 2000 ms"), "{route}");
    // Whoever was outrun is free again, and known to be slow.
    let slow = &router.0.deployments[0];
    assert_eq!(slow.in_flight.load(std::sync::atomic::Ordering::Relaxed), 0);
    assert_eq!(slow.latency.first_average(), Some(Duration::from_secs(2)));
}

#[tokio::test]
async fn the_first_one_still_wins_when_it_speaks_first() {
    let runtime = TestRuntime::new(1);
    let gate = Gate::new();
    let (first, second) = (ScriptedModel::new([held(&gate, "one")]), ScriptedModel::new([Answer::never()]));
    let router = router(&runtime, &[&first, &second], Hedge::after(Duration::from_secs(2)));
    let call = start(&router);
    runtime.advance(Duration::from_secs(5)).await;
    gate.open();
    let (said, route) = call.await.unwrap();
    assert_eq!(said.unwrap(), "one");
    assert_eq!(outcomes(&route), [("0", false), ("1", true)]);
    assert_eq!(second.cancelled(), 1);
}

#[tokio::test]
async fn a_failure_of_one_leaves_the_other_running() {
    let runtime = TestRuntime::new(1);
    let (gate, breaks) = (Gate::new(), Gate::new());
    let dies = Answer::new().hold(&breaks).fail(ModelError::new(ErrorKind::Server, "no"));
    let (first, second) = (ScriptedModel::new([dies]), ScriptedModel::new([held(&gate, "two")]));
    let router = router(&runtime, &[&first, &second], Hedge::after(Duration::from_secs(2)));
    let call = start(&router);
    runtime.advance(Duration::from_secs(3)).await;
    breaks.open();
    runtime.advance(Duration::from_secs(1)).await;
    gate.open();
    let (said, route) = call.await.unwrap();
    assert_eq!((said.unwrap().as_str(), route.attempts.len()), ("two", 2));
    assert_eq!(route.attempts[0].outcome, AttemptOutcome::Failed { kind: ErrorKind::Server });
    assert!(matches!(route.attempts[1].outcome, AttemptOutcome::Answered { .. }));
}

#[tokio::test]
async fn when_one_of_two_fails_nobody_waits_for_the_slow_one_alone() {
    let runtime = TestRuntime::new(1);
    let breaks = Gate::new();
    let dies = Answer::new().hold(&breaks).fail(ModelError::new(ErrorKind::Server, "no"));
    let (first, second) = (ScriptedModel::new([dies]), ScriptedModel::new([Answer::never()]));
    let third = ScriptedModel::new([Answer::text("three")]);
    let hedge = Hedge { share: 1.0, ..Hedge::after(Duration::from_secs(2)) };
    let router = router(&runtime, &[&first, &second, &third], hedge);
    let call = start(&router);
    runtime.advance(Duration::from_secs(3)).await;
    assert_eq!((second.requests().len(), third.requests().len()), (1, 0));
    breaks.open();
    runtime.advance(Duration::from_millis(1)).await;
    assert!(call.is_finished(), "the third was not asked at once");
    assert_eq!(call.await.unwrap().0.unwrap(), "three");
}

#[tokio::test]
async fn a_hedge_that_finds_nobody_changes_nothing_of_what_is_explained() {
    let runtime = TestRuntime::new(1);
    let gate = Gate::new();
    let only = ScriptedModel::new([held(&gate, "one")]);
    let router = router(&runtime, &[&only], Hedge::after(Duration::from_secs(2)));
    let call = start(&router);
    runtime.advance(Duration::from_secs(5)).await;
    gate.open();
    let (said, route) = call.await.unwrap();
    assert_eq!((said.unwrap().as_str(), &*route.rejected), ("one", &[][..]));
    assert_eq!(route.scores.len(), 1);
}

#[tokio::test]
async fn hedges_count_as_attempts_and_no_more_than_so_many_are_made() {
    let runtime = TestRuntime::new(1);
    let never = || ScriptedModel::new([Answer::never()]);
    let models = [never(), never(), never(), never()];
    let all: Vec<&ScriptedModel> = models.iter().collect();
    let hedge = Hedge { most: 2, share: 1.0, ..Hedge::after(Duration::from_secs(1)) };
    let router = router(&runtime, &all, hedge);
    let call = start(&router);
    runtime.advance(Duration::from_secs(60)).await;
    let asked: Vec<usize> = models.iter().map(|model| model.requests().len()).collect();
    // One hedge was there at the start and the call earned another.
    assert_eq!(asked, [1, 1, 1, 0]);
    call.abort();
}

#[tokio::test]
async fn only_a_share_of_the_calls_is_hedged() {
    let runtime = TestRuntime::new(1);
    let slow = ScriptedModel::from_fn(|_| Answer::never());
    let quick = ScriptedModel::from_fn(|_| Answer::text("hi"));
    let router = router(&runtime, &[&slow, &quick], Hedge::after(Duration::from_secs(1)));
    let calls: Vec<_> = (0..40).map(|_| start(&router)).collect();
    runtime.advance(Duration::from_secs(10)).await;
    // A tenth of the calls, and the one that there is at the start.
    assert_eq!(quick.requests().len(), 5);
    calls.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn a_hedge_never_goes_to_a_model_that_may_not_be_able_or_may_not_be_well() {
    let runtime = TestRuntime::new(1);
    let slow = ScriptedModel::from_fn(|_| Answer::never());
    // Nobody knows whether it can: the model that is named first may be asked all the same, but not beside another.
    let mut info = ModelInfo::new("acme", "vague");
    info.capabilities = Some(Default::default());
    info.unsure = [Capability::StructuredOutput].into();
    let vague = ScriptedModel::new([]).with_info(info);
    let down = ScriptedModel::new([failing(ErrorKind::Auth)]);
    let router = Router::builder(Arc::new(runtime.clone()))
        .candidate(candidate("vague", &vague).priority(1))
        .candidate(candidate("slow", &slow).capabilities([Capability::StructuredOutput]))
        .candidate(candidate("down", &down).priority(2).capabilities([Capability::StructuredOutput]))
        .retry(retry(Hedge::after(Duration::from_secs(1))))
        .build()
        .unwrap();
    // `down` has failed, and its time is over: a call that has nobody else would probe it.
    let policy = BreakerPolicy::default();
    let error = ModelError::new(ErrorKind::Auth, "no");
    router.0.deployments[2].breaker.failed(&error, &policy, None, crate::runtime::Runtime::now(&runtime));
    runtime.advance(Duration::from_secs(400)).await;
    let mut call = crate::model::ModelCall::new(Default::default());
    call.request.output = Some(Arc::new(crate::model::OutputSpec {
        name: "plan".to_owned(),
        schema: serde_json::json!({"type": "object"}),
    }));
    let asked = tokio::spawn(async move { crate::model::ChatModel::stream(&router, call).await });
    runtime.advance(Duration::from_secs(30)).await;
    assert_eq!([slow.requests().len(), vague.requests().len(), down.requests().len()], [1, 0, 0]);
    asked.abort();
}

#[tokio::test]
async fn a_percentile_learns_from_the_answers() {
    let runtime = TestRuntime::new(1);
    let slow = ScriptedModel::from_fn(|_| Answer::never());
    let quick = ScriptedModel::from_fn(|_| Answer::text("hi"));
    let router = router(&runtime, &[&slow, &quick], Hedge::after_p95(Duration::from_millis(200)));
    for _ in 0..30 {
        router.0.deployments[0].first_events.add(Duration::from_millis(900));
    }
    let call = start(&router);
    runtime.advance(Duration::from_millis(890)).await;
    assert_eq!(quick.requests().len(), 0);
    runtime.advance(Duration::from_millis(200)).await;
    assert_eq!(call.await.unwrap().0.unwrap(), "hi");
}

#[test]
fn senseless_hedges_are_refused() {
    let build = |hedge| {
        Router::builder(Arc::new(TestRuntime::new(1)))
            .candidate(candidate("one", &ScriptedModel::new([])))
            .retry(retry(hedge))
            .build()
    };
    let fine = Hedge::after(Duration::from_secs(1));
    assert!(build(Hedge { most: 0, ..fine.clone() }).is_err());
    assert!(build(Hedge { share: 0.0, ..fine.clone() }).is_err());
    let after = HedgeAfter::Percentile { of: 1.5, least: Duration::ZERO };
    assert!(build(Hedge { after, ..fine.clone() }).unwrap_err().to_string().contains("1.5"));
    assert!(build(fine).is_ok());
}
