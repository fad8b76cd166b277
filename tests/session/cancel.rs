//! Cancelling is complete: nothing goes on, and what was said is kept.

use async_trait::async_trait;
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{
    Body, Event, Input, InputDelivery, RunEnd, Seq, StopReason, Tool, ToolContext, ToolError, ToolOutput,
    ToolSpec, ToolStatus,
};
use serde_json::{Value, json};

use crate::support::{agent, engine, kinds, results};

#[tokio::test]
async fn a_cancelled_answer_keeps_its_text_and_is_marked() {
    let model = ScriptedModel::new([Answer::text("The first half").then_never(), Answer::text("again")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let mut run = session.send("go").await.unwrap();
    while let Some(event) = run.next().await {
        if matches!(event, Event::Text { .. }) {
            run.cancel("enough").await.unwrap();
        }
    }
    let reply = run.finish().await.unwrap();

    assert_eq!(reply.end, Some(RunEnd::Cancelled { reason: "enough".into() }));
    assert_eq!(reply.text, "The first half");
    assert_eq!(model.cancelled(), 1, "the stream was dropped");
    let entries = session.entries(Seq(3)).await.unwrap();
    assert_eq!(kinds(&entries), ["input", "cancel", "assistant", "run_end"]);
    assert!(matches!(&entries[2].body, Body::Assistant { stop: StopReason::Cancelled, .. }));
    session.send("more").await.unwrap().finish().await.unwrap();
    assert_eq!(model.requests()[1].groups.len(), 3, "the partial answer is part of the conversation");
}

/// Never ends by itself.
#[derive(Debug)]
struct Endless(ToolSpec);

#[async_trait]
impl Tool for Endless {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, _ctx: &ToolContext, _input: Value) -> Result<ToolOutput, ToolError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_cancelled_run_stops_its_tools_and_gives_every_call_an_end() {
    let calls = (0..3).fold(Answer::new(), |answer, _| answer.then_call("endless", json!({})));
    let model = ScriptedModel::new([calls]);
    let tool = Endless(ToolSpec::new("endless", "Never ends.", json!({"type": "object"})));
    let limits = mosaic_core::Limits { parallel_tools: 2, ..Default::default() };
    let agent = agent(&model).tool(tool).limits(limits).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();

    let mut run = session.send("go").await.unwrap();
    while let Some(event) = run.next().await {
        if let Event::Entry { entry } = event
            && matches!(entry.body, Body::ToolStart { .. })
        {
            run.cancel("").await.unwrap();
        }
    }

    let status: Vec<ToolStatus> =
        results(&session.entries(Seq(3)).await.unwrap()).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(status, [ToolStatus::Cancelled, ToolStatus::Cancelled, ToolStatus::NotRun]);
}

#[tokio::test]
async fn a_follow_up_waits_for_the_run_before_it() {
    let gate = mosaic_core::testing::Gate::new();
    let model = ScriptedModel::new([Answer::text("one").hold(&gate), Answer::text("two")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let first = session.send("1").await.unwrap();
    let second = session.send("2").await.unwrap();
    gate.open();

    assert_eq!(first.finish().await.unwrap().text, "one");
    assert_eq!(second.finish().await.unwrap().text, "two");
    assert_eq!(model.requests()[1].groups.len(), 3);
}

#[tokio::test]
async fn a_steering_input_joins_the_run() {
    let gate = mosaic_core::testing::Gate::new();
    let model = ScriptedModel::new([Answer::text("to Oslo").hold(&gate), Answer::text("to Bergen")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();

    let run = session.send("Where?").await.unwrap();
    let steer = Input { delivery: InputDelivery::Steer, ..Input::from("Not Oslo.") };
    let same = session.send(steer).await.unwrap();
    gate.open();

    assert_eq!(run.id(), same.id());
    assert_eq!(run.finish().await.unwrap().text, "to Bergen");
    assert_eq!(model.requests()[1].groups.len(), 3);
}

#[tokio::test]
async fn closing_waits_for_what_runs_and_takes_nothing_new() {
    let gate = mosaic_core::testing::Gate::new();
    let model = ScriptedModel::new([Answer::text("done").hold(&gate)]);
    let engine = engine();
    let session = engine.session("a", &agent(&model).build().unwrap()).await.unwrap();
    let run = session.send("go").await.unwrap();

    let closing = tokio::spawn({
        let engine = engine.clone();
        async move { engine.close().await }
    });
    tokio::task::yield_now().await;
    assert!(session.send("too late").await.is_err() || !closing.is_finished());
    gate.open();

    assert_eq!(run.finish().await.unwrap().text, "done");
    assert!(closing.await.unwrap().unwrap().abandoned.is_empty());
    assert!(engine.session("b", &agent(&model).build().unwrap()).await.is_err());
}
