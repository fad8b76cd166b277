//! An agent over a router: where its calls went is shown while it runs, and kept.

use std::sync::Arc;

use mosaic_core::router::{Candidate, RouteDecision, Router};
use mosaic_core::testing::{Answer, Gate, ScriptedModel};
use mosaic_core::{Agent, Body, Cursor, ErrorKind, Event, ModelError, Seq, TokioRuntime};

use crate::support::{drain, engine};

fn failing(kind: ErrorKind) -> Answer {
    Answer::error(ModelError::new(kind, "no"))
}

fn routed(candidates: &[(&str, &ScriptedModel)]) -> Agent {
    let mut router = Router::builder(Arc::new(TokioRuntime::current().unwrap()));
    for (priority, (id, model)) in (0..).zip(candidates) {
        router = router.candidate(Candidate::new(*id, Arc::new((*model).clone())).priority(priority));
    }
    Agent::builder("test").model(router.build().unwrap()).build().unwrap()
}

fn asked(decision: &RouteDecision) -> Vec<&str> {
    decision.attempts.iter().map(|attempt| &*attempt.candidate).collect()
}

/// Decisions, pieces of text, and entries of answers, as a reader saw them.
fn seen(events: &[Event]) -> Vec<&'static str> {
    let name = |event: &Event| match event {
        Event::Route { .. } => Some("route"),
        Event::Text { .. } => Some("text"),
        Event::Entry { entry } => Some(entry.body.kind()).filter(|kind| *kind != "input"),
        _ => None,
    };
    events.iter().filter_map(name).collect()
}

#[tokio::test]
async fn a_run_shows_where_its_call_went_and_the_entry_keeps_it() {
    let bad = ScriptedModel::new([failing(ErrorKind::Server)]);
    let good = ScriptedModel::new([Answer::text("hi")]);
    let session = engine().session("a", &routed(&[("bad", &bad), ("good", &good)])).await.unwrap();

    let events = drain(&mut session.send("go").await.unwrap()).await;

    let mut decisions = events.iter().filter_map(|event| match event {
        Event::Route { step: 1, decision } => Some(decision.clone()),
        _ => None,
    });
    let last = decisions.next_back().unwrap();
    assert_eq!((last.chosen.as_deref(), asked(&last)), (Some("good"), vec!["bad", "good"]));
    let entries = session.entries(Seq(1)).await.unwrap();
    let Body::Assistant { route: Some(kept), .. } = &entries[3].body else { panic!("{entries:?}") };
    assert_eq!(*kept, last);
}

#[tokio::test]
async fn a_call_that_failed_keeps_who_was_asked() {
    let broken = || ScriptedModel::from_fn(|_| failing(ErrorKind::Auth));
    let session = engine().session("a", &routed(&[("one", &broken()), ("two", &broken())])).await.unwrap();

    let events = drain(&mut session.send("go").await.unwrap()).await;

    assert_eq!(seen(&events), ["route", "model_failed", "run_end"]);
    let entries = session.entries(Seq(1)).await.unwrap();
    let Body::ModelFailed { route: Some(kept), .. } = &entries[3].body else { panic!("{entries:?}") };
    assert_eq!((kept.chosen.as_deref(), asked(kept)), (None, vec!["one", "two"]));
}

#[tokio::test]
async fn the_decision_is_shown_while_the_answer_is_written_and_again_at_its_end() {
    let gate = Gate::new();
    let model = ScriptedModel::new([Answer::text("a").hold(&gate).then_text("b")]);
    let session = engine().session("a", &routed(&[("only", &model)])).await.unwrap();
    let mut run = session.send("go").await.unwrap();

    let mut events = Vec::new();
    while !matches!(events.last(), Some(Event::Text { .. })) {
        events.push(run.next().await.unwrap());
    }
    assert_eq!(seen(&events), ["route", "text"]);
    gate.open();
    assert_eq!(seen(&drain(&mut run).await).last_chunk(), Some(&["route", "text", "assistant", "run_end"]));
}

#[tokio::test]
async fn a_reader_that_comes_late_gets_the_last_decision_of_each_step() {
    let model = ScriptedModel::new([Answer::text("one"), Answer::text("two")]);
    let session = engine().session("a", &routed(&[("only", &model)])).await.unwrap();
    let run = session.send("go").await.unwrap();
    let id = run.id();
    run.finish().await.unwrap();
    session.send("another run").await.unwrap().finish().await.unwrap();

    let events = drain(&mut session.follow(id, Cursor::after(Seq(2))).await.unwrap()).await;

    assert_eq!(seen(&events), ["route", "text", "assistant", "run_end"]);
}
