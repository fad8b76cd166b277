//! What a router promises.

mod spans;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use super::*;
use crate::error::ErrorKind;
use crate::model::{ChatModel, ModelCall, ModelError, ModelEvent, ModelRequest};
use crate::runtime::Runtime;
use crate::testing::{Answer, ScriptedModel, TestRuntime};

pub(super) fn failing(kind: ErrorKind) -> Answer {
    Answer::error(ModelError::new(kind, "no"))
}

fn limited(seconds: u64) -> Answer {
    let error = ModelError::new(ErrorKind::RateLimited, "slow down");
    Answer::error(error.with_retry_after(Some(Duration::from_secs(seconds))))
}

pub(super) fn candidate(id: &str, model: &ScriptedModel) -> Candidate {
    Candidate::new(id, Arc::new(model.clone()))
}

pub(super) async fn say(router: &Router) -> (Result<String, ModelError>, RouteDecision) {
    let (mut text, mut route) = (String::new(), RouteDecision::default());
    let mut stream = router.stream(ModelCall::new(ModelRequest::default())).await.unwrap();
    while let Some(event) = stream.next().await {
        match event {
            Ok(ModelEvent::Text { delta, .. }) => text += &delta,
            Ok(ModelEvent::Route(decision)) => route = (*decision).clone(),
            Ok(_) => {}
            Err(error) => return (Err(error), route),
        }
    }
    (Ok(text), route)
}

#[tokio::test]
async fn a_healthy_candidate_is_asked_at_once_when_another_fails() {
    let runtime = TestRuntime::new(1);
    let (bad, good) =
        (ScriptedModel::new([failing(ErrorKind::Server)]), ScriptedModel::new([Answer::text("hi")]));
    let router = Router::builder(Arc::new(runtime.clone()))
        .candidate(candidate("bad", &bad))
        .candidate(candidate("good", &good).priority(1))
        .build()
        .unwrap();
    let (said, route) = say(&router).await;
    assert_eq!((said.unwrap().as_str(), route.chosen.as_deref()), ("hi", Some("good")));
    assert_eq!(route.attempts.len(), 2);
    assert_eq!(route.waited_ms, 0);
}

#[tokio::test]
async fn a_failure_on_the_second_attempt_opens_the_breaker_too() {
    // litellm#32574, PR #34416
    let one = ScriptedModel::new([failing(ErrorKind::Server)]);
    let two = ScriptedModel::new([limited(20)]);
    let router = Router::builder(Arc::new(TestRuntime::new(1)))
        .candidate(candidate("one", &one))
        .candidate(candidate("two", &two).priority(1))
        .retry(RetryPolicy { max_attempts: 2, ..RetryPolicy::default() })
        .build()
        .unwrap();
    assert!(say(&router).await.0.is_err());
    let decision = router.explain(&ModelRequest::default(), &RouteHints::new());
    let cooling = |rejected: &Rejected| &*rejected.candidate == "two" && rejected.why.until().is_some();
    assert!(decision.rejected.iter().any(cooling), "{decision}");
}

#[tokio::test]
async fn a_call_waits_for_a_cooldown_to_end_when_nobody_else_is_left() {
    // litellm#3646, #7669
    let runtime = TestRuntime::new(1);
    let model = ScriptedModel::new([limited(10), Answer::text("hi")]);
    let router =
        Router::builder(Arc::new(runtime.clone())).candidate(candidate("only", &model)).build().unwrap();
    let call = tokio::spawn(async move { say(&router).await });
    while !call.is_finished() {
        assert!(runtime.advance_to_next().await || call.is_finished());
    }
    let (said, route) = call.await.unwrap();
    assert_eq!(said.unwrap(), "hi");
    assert!(route.waited_ms >= 10_000, "{route}");
    assert!(runtime.now() >= TestRuntime::START.after(Duration::from_secs(10)));
}

#[tokio::test]
async fn an_error_when_nobody_is_left_keeps_its_429_and_its_retry_after() {
    // litellm#40958
    let model = ScriptedModel::new([limited(100)]);
    let router =
        Router::builder(Arc::new(TestRuntime::new(1))).candidate(candidate("only", &model)).build().unwrap();
    for _ in 0..2 {
        let error = say(&router).await.0.unwrap_err();
        assert_eq!(error.kind, ErrorKind::RateLimited);
        assert_eq!(error.retry_after, Some(Duration::from_secs(100)));
    }
    assert_eq!(model.requests().len(), 1, "a cooled candidate is never served: litellm PR #34834");
}

#[tokio::test]
async fn an_invalid_request_is_not_tried_elsewhere_and_opens_nothing() {
    let (one, two) = (ScriptedModel::new([failing(ErrorKind::InvalidRequest)]), ScriptedModel::new([]));
    let router = Router::builder(Arc::new(TestRuntime::new(1)))
        .candidate(candidate("one", &one))
        .candidate(candidate("two", &two).priority(1))
        .build()
        .unwrap();
    assert_eq!(say(&router).await.0.unwrap_err().kind, ErrorKind::InvalidRequest);
    assert!(two.requests().is_empty());
    assert!(router.explain(&ModelRequest::default(), &RouteHints::new()).rejected.is_empty());
}

#[tokio::test]
async fn a_list_of_fallbacks_is_followed_in_its_order_and_not_by_priority() {
    let bad = || ScriptedModel::new([failing(ErrorKind::Server)]);
    let router = Router::builder(Arc::new(TestRuntime::new(1)))
        .candidate(candidate("first", &bad()))
        .candidate(candidate("second", &ScriptedModel::new([Answer::text("hi")])).priority(1))
        .candidate(candidate("third", &bad()).priority(2))
        .candidate(candidate("fourth", &bad()).priority(3))
        .fallbacks(Fallbacks { failure: Fallback::to(["fourth", "second"]), ..Fallbacks::default() })
        .build()
        .unwrap();
    let (said, route) = say(&router).await;
    let asked: Vec<&str> = route.attempts.iter().map(|attempt| &*attempt.candidate).collect();
    assert_eq!((said.unwrap().as_str(), asked), ("hi", vec!["first", "fourth", "second"]));
}

#[tokio::test]
async fn a_decision_with_scores_that_are_no_numbers_is_read_again() {
    let score = |standing: &Standing<'_>| match standing.candidate.id() {
        "one" => f64::MIN,
        "two" => f64::MAX,
        _ => 0.0,
    };
    let model = || ScriptedModel::new([]);
    let router = Router::builder(Arc::new(TestRuntime::new(1)))
        .candidate(candidate("one", &model()))
        .candidate(candidate("two", &model()))
        .candidate(candidate("three", &model()))
        .strategy(Strategy::of(Score::by(score)))
        .build()
        .unwrap();
    let decision = router.explain(&ModelRequest::default(), &RouteHints::new());
    let text = serde_json::to_string(&decision).unwrap();
    assert_eq!(serde_json::from_str::<RouteDecision>(&text).unwrap(), decision);
}

#[test]
fn bad_configuration_is_refused() {
    let builder = || Router::builder(Arc::new(TestRuntime::new(1)));
    let one = || candidate("one", &ScriptedModel::new([]));
    assert_eq!(builder().build().unwrap_err(), RouterError::NoCandidates);
    let twice = builder().candidate(one()).candidate(one()).build().unwrap_err();
    assert!(matches!(twice, RouterError::DuplicateCandidate { .. }));
    assert!(matches!(builder().candidate(one().weight(f64::NAN)).build(), Err(RouterError::Weight { .. })));
    assert!(matches!(builder().candidate(one().max_parallel(0)).build(), Err(RouterError::ZeroLimit { .. })));
}

#[tokio::test]
async fn a_call_whose_deadline_is_near_waits_for_a_busy_candidate() {
    let runtime = TestRuntime::new(1);
    let model = ScriptedModel::new([Answer::text("one"), Answer::text("two")]);
    let router = Router::builder(Arc::new(runtime.clone()))
        .candidate(candidate("only", &model).max_parallel(1))
        .build()
        .unwrap();
    let held = router.stream(ModelCall::new(ModelRequest::default())).await.unwrap();
    let mut call = ModelCall::new(ModelRequest::default());
    call.deadline = Some(runtime.now().after(Duration::from_secs(5)));
    let waiting = tokio::spawn(async move {
        let stream = router.stream(call).await.unwrap();
        stream.filter_map(async |event| event.err()).collect::<Vec<_>>().await
    });
    tokio::task::yield_now().await;
    drop(held);
    let errors = waiting.await.unwrap();
    assert!(errors.is_empty(), "{errors:?}");
}

#[tokio::test]
async fn what_nobody_knows_is_asked_of_the_model_that_was_named_first_and_of_no_fallback() {
    let abilities = |unsure: bool| {
        let mut info = crate::model::ModelInfo::new("acme", if unsure { "vague" } else { "plain" });
        info.capabilities = Some(Default::default());
        if unsure {
            info.unsure = [crate::model::Capability::StructuredOutput].into();
        }
        ScriptedModel::new([]).with_info(info)
    };
    let request = ModelRequest {
        output: Some(Arc::new(crate::model::OutputSpec {
            name: "plan".to_owned(),
            schema: serde_json::json!({"type": "object"}),
        })),
        ..ModelRequest::default()
    };
    let decide = |first: &ScriptedModel, second: &ScriptedModel| {
        Router::builder(Arc::new(TestRuntime::new(1)))
            .candidate(candidate("first", first))
            .candidate(candidate("second", second))
            .build()
            .unwrap()
            .explain(&request, &RouteHints::new())
    };
    let (vague, plain) = (abilities(true), abilities(false));
    let decision = decide(&vague, &plain);
    assert_eq!(decision.chosen.as_deref(), Some("first"));
    let capability = crate::model::Capability::StructuredOutput;
    assert!(decision.rejected.iter().any(|of| of.why == Rejection::Lacks { capability }));
    let decision = decide(&plain, &vague);
    assert_eq!(decision.chosen, None);
    assert!(decision.rejected.iter().any(|of| of.why == Rejection::Unsure { capability }));
}
