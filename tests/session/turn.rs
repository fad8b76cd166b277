//! A turn without trouble, and with the trouble that models make.

use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{ErrorKind, ModelError, RunEnd, Seq, SessionError, StopReason, Usage};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::support::{agent, engine, kinds};

#[tokio::test]
async fn an_input_gets_an_answer_and_both_are_stored() {
    let model =
        ScriptedModel::new([Answer::text("Hello.").usage(Usage { input: 3, output: 2, ..Usage::default() })]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let reply = session.send("Hi").await.unwrap().finish().await.unwrap();

    assert_eq!(reply.text, "Hello.");
    assert_eq!((reply.usage.input, reply.usage.output), (3, 2));
    assert_eq!(reply.end, Some(RunEnd::Done));
    assert_eq!(reply.entries, (Seq(3), Seq(5)));
    let entries = session.entries(Seq(1)).await.unwrap();
    assert_eq!(kinds(&entries), ["created", "bound", "input", "assistant", "run_end"]);
}

#[tokio::test]
async fn the_next_turn_sees_the_one_before() {
    let model = ScriptedModel::new([Answer::text("one"), Answer::text("two")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    session.send("1").await.unwrap().finish().await.unwrap();
    session.send("2").await.unwrap().finish().await.unwrap();

    let requests = model.requests();
    assert_eq!(requests[0].groups.len(), 1);
    assert_eq!(requests[1].groups.len(), 3);
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again() {
    tokio::time::pause();
    let overloaded = || Answer::error(ModelError::new(ErrorKind::Overloaded, "busy"));
    let model = ScriptedModel::new([overloaded(), overloaded(), Answer::text("at last")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let reply = session.send("Hi").await.unwrap().finish().await.unwrap();

    assert_eq!(reply.text, "at last");
    let entries = session.entries(Seq(3)).await.unwrap();
    assert_eq!(kinds(&entries), ["input", "model_failed", "model_failed", "assistant", "run_end"]);
}

#[tokio::test]
async fn a_failure_that_stays_ends_the_run_with_its_kind() {
    tokio::time::pause();
    let model = ScriptedModel::from_fn(|_| Answer::error(ModelError::new(ErrorKind::Server, "broken")));
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let error = session.send("Hi").await.unwrap().finish().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(model.requests().len(), 4, "the default is four tries");
}

#[tokio::test]
async fn a_wrong_key_is_not_tried_again() {
    let model = ScriptedModel::new([Answer::error(ModelError::new(ErrorKind::Auth, "no"))]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let error = session.send("Hi").await.unwrap().finish().await.unwrap_err();

    assert!(matches!(error, SessionError::Run { ref report, .. } if report.kind == ErrorKind::Auth));
}

#[tokio::test]
async fn a_stream_without_its_end_is_incomplete_and_tried_again() {
    tokio::time::pause();
    let model = ScriptedModel::new([Answer::text("half").without_end(), Answer::text("whole")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let reply = session.send("Hi").await.unwrap().finish().await.unwrap();

    assert_eq!(reply.text, "whole");
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq)]
struct Plan {
    city: String,
    days: u32,
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_is_asked_for_again() {
    let model = ScriptedModel::new([
        Answer::text("Oslo, two days"),
        Answer::text("```json\n{\"city\":\"Oslo\",\"days\":2}\n```"),
    ]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let plan: Plan = session.ask("Where to?").await.unwrap();

    assert_eq!(plan, Plan { city: "Oslo".into(), days: 2 });
    assert_eq!(model.requests()[1].groups.len(), 3, "the notice is part of the conversation");
    assert!(model.requests()[0].output.is_some());
}

#[tokio::test]
async fn an_answer_that_never_fits_is_a_decode_error() {
    let model = ScriptedModel::from_fn(|_| Answer::text("no"));
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let error = session.ask::<Plan>("Where to?").await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(model.requests().len(), 3);
}

#[tokio::test]
async fn a_filtered_answer_is_an_error() {
    let model = ScriptedModel::new([Answer::text("").stop(StopReason::ContentFilter)]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let error = session.send("Hi").await.unwrap().finish().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::ContentFiltered);
}

#[tokio::test]
async fn undo_takes_a_turn_out_of_the_conversation_but_not_out_of_the_log() {
    let model = ScriptedModel::new([Answer::text("one"), Answer::text("two"), Answer::text("three")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();
    let first = session.send("1").await.unwrap().finish().await.unwrap();
    session.send("2").await.unwrap().finish().await.unwrap();

    session.rewind(first.entries.1).await.unwrap();
    session.send("3").await.unwrap().finish().await.unwrap();

    assert_eq!(model.requests()[2].groups.len(), 3, "`2` and `two` are gone");
    let entries = session.entries(Seq(1)).await.unwrap();
    assert!(kinds(&entries).contains(&"rewind"));
    assert!(session.rewind(Seq(4)).await.is_err(), "in the middle of a run");
}
