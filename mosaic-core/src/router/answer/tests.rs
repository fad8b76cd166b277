//! What becomes of an answer that breaks off.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use super::super::tests::{candidate, failing, say};
use super::super::*;
use crate::error::ErrorKind;
use crate::model::{ChatModel, ModelCall, ModelError, ModelEvent, ModelRequest};
use crate::testing::{Answer, ScriptedModel, TestRuntime};

fn cut(text: &str, kind: ErrorKind) -> Answer {
    Answer::text(text).fail(ModelError::new(kind, "gone"))
}

fn router(models: &[&ScriptedModel], mid_answer: MidAnswer) -> Router {
    router_at(&TestRuntime::new(1), models, mid_answer)
}

fn router_at(runtime: &TestRuntime, models: &[&ScriptedModel], mid_answer: MidAnswer) -> Router {
    let retry = RetryPolicy { mid_answer, max_attempts: 3, ..RetryPolicy::default() };
    let mut builder = Router::builder(Arc::new(runtime.clone())).retry(retry);
    for (number, model) in (0..).zip(models) {
        builder = builder.candidate(candidate(&number.to_string(), model).priority(number));
    }
    builder.build().unwrap()
}

/// What a reader sees, a letter for each event that matters: text as it is, `<` for a restart, `@` and who answers.
async fn seen(router: &Router) -> (String, Option<ErrorKind>) {
    let mut seen = String::new();
    let mut stream = router.stream(ModelCall::new(ModelRequest::default())).await.unwrap();
    while let Some(event) = stream.next().await {
        match event {
            Ok(ModelEvent::Text { delta, .. }) => seen += &delta,
            Ok(ModelEvent::Restarted) => seen += "<",
            Ok(ModelEvent::Route(route)) => seen += &format!("@{}", route.chosen.as_deref().unwrap_or("-")),
            Ok(ModelEvent::Done(_)) => seen += ".",
            Ok(_) => {}
            Err(error) => return (seen, Some(error.kind)),
        }
    }
    (seen, None)
}

#[tokio::test]
async fn an_answer_that_breaks_off_fails_unless_told_otherwise() {
    let (one, two) = (ScriptedModel::new([cut("ha", ErrorKind::Transport)]), ScriptedModel::new([]));
    let seen = seen(&router(&[&one, &two], MidAnswer::Fail)).await;
    assert_eq!(seen, ("@0ha@0".to_owned(), Some(ErrorKind::Transport)));
    assert!(two.requests().is_empty());
}

#[tokio::test]
async fn an_answer_that_breaks_off_begins_anew_elsewhere_where_the_host_allows_it_and_says_so() {
    let one = ScriptedModel::new([cut("half", ErrorKind::Transport)]);
    let two = ScriptedModel::new([Answer::text("whole")]);
    let seen = seen(&router(&[&one, &two], MidAnswer::Restart)).await;
    assert_eq!(seen, ("@0half<@1whole@1.".to_owned(), None));
}

#[tokio::test]
async fn beginning_anew_counts_on_the_same_attempts_and_the_same_barred_candidates() {
    let cuts = || ScriptedModel::from_fn(|_| cut("x", ErrorKind::Server));
    let (runtime, one, two) = (TestRuntime::new(1), cuts(), cuts());
    let router = router_at(&runtime, &[&one, &two], MidAnswer::Restart);
    let call = tokio::spawn(async move { seen(&router).await });
    while !call.is_finished() {
        // Backoffs before the same one is asked again.
        runtime.advance(Duration::from_secs(1)).await;
    }
    let (seen, failure) = call.await.unwrap();
    assert_eq!(failure, Some(ErrorKind::Server));
    // Three attempts in all, each of which says so.
    assert_eq!(seen.replace("@0", "").replace("@1", ""), "x<x<x@-");
    let refused = ScriptedModel::new([cut("x", ErrorKind::Auth)]);
    let other = ScriptedModel::new([failing(ErrorKind::Auth)]);
    let (said, route) = say(&super::tests::router(&[&refused, &other], MidAnswer::Restart)).await;
    assert_eq!(said.unwrap_err().kind, ErrorKind::Auth);
    let asked: Vec<&str> = route.attempts.iter().map(|attempt| &*attempt.candidate).collect();
    assert_eq!(asked, ["0", "1"]);
}

#[tokio::test]
async fn an_answer_that_the_filter_stops_in_the_middle_is_shown_to_nobody_else() {
    let one = ScriptedModel::new([cut("half", ErrorKind::ContentFiltered)]);
    let two = ScriptedModel::new([Answer::text("whole")]);
    let seen = seen(&router(&[&one, &two], MidAnswer::Restart)).await;
    assert_eq!(seen, ("@0half@-".to_owned(), Some(ErrorKind::ContentFiltered)));
    assert!(two.requests().is_empty());
}
