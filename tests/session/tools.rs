//! Tools: in parallel, in order, and whatever they do becomes a result that the model sees.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{
    Approval, Body, Decision, ErrorKind, Event, GroupBody, Limits, Seq, StopReason, Tool, ToolContext,
    ToolError, ToolOutput, ToolSpec, ToolStatus,
};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::{Fake, agent, engine, engine_over, kinds, results};

#[tokio::test]
async fn a_call_is_run_and_its_result_goes_back_to_the_model() {
    let model = ScriptedModel::new([Answer::call("add", json!({"n": 1})), Answer::text("done")]);
    let tool = Fake::ok("add");
    let session = engine().session("a", &agent(&model).tool(tool.clone()).build().unwrap()).await.unwrap();

    let reply = session.send("go").await.unwrap().finish().await.unwrap();

    assert_eq!((reply.text.as_str(), tool.called()), ("done", 1));
    let entries = session.entries(Seq(3)).await.unwrap();
    assert_eq!(kinds(&entries), ["input", "assistant", "tool_start", "tool_end", "assistant", "run_end"]);
    let GroupBody::Assistant { results, .. } = &model.requests()[1].groups[1].body().clone() else {
        panic!()
    };
    assert_eq!(results[0].status, ToolStatus::Ok);
}

/// Ends only when as many calls as the barrier wants run at the same time.
#[derive(Debug)]
struct Together(ToolSpec, Arc<Barrier>);

#[async_trait]
impl Tool for Together {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, ctx: &ToolContext, _input: Value) -> Result<ToolOutput, ToolError> {
        ctx.progress(json!({"at": "barrier"}));
        self.1.wait().await;
        Ok(ToolOutput::text(ctx.call.to_string()))
    }
}

fn together(n: usize) -> Together {
    Together(
        ToolSpec::new("wait", "Waits for the others.", json!({"type": "object"})),
        Arc::new(Barrier::new(n)),
    )
}

#[tokio::test]
async fn calls_run_at_the_same_time_and_results_keep_the_order_of_the_calls() {
    let calls = (0..4).fold(Answer::new(), |answer, _| answer.then_call("wait", json!({})));
    let model = ScriptedModel::new([calls, Answer::text("done")]);
    let session = engine().session("a", &agent(&model).tool(together(4)).build().unwrap()).await.unwrap();

    session.send("go").await.unwrap().finish().await.unwrap();

    let GroupBody::Assistant { results, .. } = &model.requests()[1].groups[1].body().clone() else {
        panic!()
    };
    let order: Vec<String> = results.iter().map(|result| result.call.to_string()).collect();
    assert_eq!(order, ["call_1_0", "call_1_1", "call_1_2", "call_1_3"]);
}

#[tokio::test]
async fn no_more_calls_run_at_once_than_the_limit_allows() {
    let calls = (0..4).fold(Answer::new(), |answer, _| answer.then_call("wait", json!({})));
    let model = ScriptedModel::new([calls, Answer::text("done")]);
    let limits = Limits { parallel_tools: 2, ..Limits::default() };
    let agent = agent(&model).tool(together(2)).limits(limits).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();

    session.send("go").await.unwrap().finish().await.unwrap();

    let entries = session.entries(Seq(3)).await.unwrap();
    let (mut running, mut most) = (0, 0);
    for entry in &entries {
        match &entry.body {
            Body::ToolStart { calls } => running += calls.len(),
            Body::ToolEnd { .. } => running -= 1,
            _ => {}
        }
        most = most.max(running);
    }
    assert_eq!(most, 2);
}

#[tokio::test]
async fn a_panic_an_error_an_unknown_tool_and_wrong_arguments_become_results() {
    let calls = Answer::new()
        .then_call("panics", json!({}))
        .then_call("fails", json!({}))
        .then_call("missing", json!({}))
        .then_raw_call("fine", "{\"n\": \"one\"}")
        .then_raw_call("fine", "{\"n\": 1")
        .then_call("fine", json!({"n": 1}));
    let model = ScriptedModel::new([calls, Answer::text("done")]);
    let fine = Fake::ok("fine");
    let agent = agent(&model)
        .tool(Fake::new("panics", |_| panic!("boom")))
        .tool(Fake::new("fails", |_| Err(ToolError::new("nope").class("ValueError"))))
        .tool(fine.clone())
        .build()
        .unwrap();
    let session = engine().session("a", &agent).await.unwrap();

    session.send("go").await.unwrap().finish().await.unwrap();

    let mut results = results(&session.entries(Seq(3)).await.unwrap());
    results.sort_by(|a, b| a.0.cmp(&b.0));
    let status: Vec<ToolStatus> = results.iter().map(|(_, status, _)| *status).collect();
    use ToolStatus::{Error, Ok, Rejected};
    assert_eq!(status, [Error, Error, Rejected, Rejected, Rejected, Ok]);
    assert!(results[0].2.contains("boom"), "{}", results[0].2);
    assert!(results[1].2.contains("ValueError: nope"));
    assert!(results[2].2.contains("`missing`") && results[2].2.contains("fine"));
    assert!(results[4].2.contains("not JSON"));
    assert_eq!(fine.called(), 1);
}

#[tokio::test]
async fn a_call_that_was_cut_off_is_never_run() {
    let cut = Answer::new().then_raw_call("add", "{\"n\": 1}").stop(StopReason::Length);
    let model = ScriptedModel::new([cut, Answer::text("done")]);
    let tool = Fake::ok("add");
    let session = engine().session("a", &agent(&model).tool(tool.clone()).build().unwrap()).await.unwrap();

    session.send("go").await.unwrap().finish().await.unwrap();

    assert_eq!(tool.called(), 0);
    let results = results(&session.entries(Seq(3)).await.unwrap());
    assert_eq!(results[0].1, ToolStatus::NotRun);
}

#[tokio::test]
async fn progress_reaches_the_events() {
    let model = ScriptedModel::new([
        Answer::new().then_call("wait", json!({})).then_call("wait", json!({})),
        Answer::text("done"),
    ]);
    let tool = together(3);
    let barrier = tool.1.clone();
    let session = engine().session("a", &agent(&model).tool(tool).build().unwrap()).await.unwrap();

    let mut run = session.send("go").await.unwrap();
    let mut updates = 0;
    while let Some(event) = run.next().await {
        if let Event::Progress { update, .. } = event {
            assert_eq!(update, json!({"at": "barrier"}));
            updates += 1;
            if updates == 2 {
                barrier.wait().await;
            }
        }
    }
    assert_eq!(updates, 2);
}

#[tokio::test]
async fn a_fatal_error_ends_the_run() {
    let model = ScriptedModel::new([Answer::call("dies", json!({}))]);
    let tool = Fake::new("dies", |_| Err(ToolError::fatal("cannot go on")));
    let session = engine().session("a", &agent(&model).tool(tool).build().unwrap()).await.unwrap();

    let error = session.send("go").await.unwrap().finish().await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Tool);
    let entries = session.entries(Seq(3)).await.unwrap();
    assert_eq!(kinds(&entries), ["input", "assistant", "tool_start", "tool_end", "cancel", "run_end"]);
}

#[tokio::test]
async fn a_model_that_never_stops_calling_meets_the_step_limit() {
    let model = ScriptedModel::from_fn(|_| Answer::call("add", json!({})));
    let limits = Limits { max_steps: 3, ..Limits::default() };
    let tool = Fake::ok("add");
    let agent = agent(&model).tool(tool.clone()).limits(limits).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();

    let error = session.send("go").await.unwrap().finish().await.unwrap_err();

    assert_eq!((error.kind(), tool.calls.load(Ordering::SeqCst)), (ErrorKind::Budget, 3));
}

#[tokio::test]
async fn a_call_that_needs_approval_waits_for_it() {
    let model = ScriptedModel::new([Answer::call("pay", json!({})), Answer::text("paid")]);
    let mut tool = Fake::ok("pay");
    tool.spec.approval = Approval::Always;
    let session = engine().session("a", &agent(&model).tool(tool.clone()).build().unwrap()).await.unwrap();

    let mut run = session.send("go").await.unwrap();
    while let Some(event) = run.next().await {
        if let Event::Entry { entry } = event
            && let Body::Question { .. } = entry.body
        {
            assert_eq!(tool.called(), 0);
            session.answer(entry.seq, "the boss", Decision::Approve).await.unwrap();
        }
    }
    assert_eq!((run.finish().await.unwrap().text.as_str(), tool.called()), ("paid", 1));
}

#[tokio::test]
async fn a_question_that_nobody_answers_is_a_no() {
    tokio::time::pause();
    let model = ScriptedModel::new([Answer::call("pay", json!({})), Answer::text("not paid")]);
    let mut tool = Fake::ok("pay");
    tool.spec.approval = Approval::Always;
    let session = engine().session("a", &agent(&model).tool(tool.clone()).build().unwrap()).await.unwrap();

    let reply = session.send("go").await.unwrap().finish().await.unwrap();

    assert_eq!((reply.text.as_str(), tool.called()), ("not paid", 0));
    assert_eq!(results(&session.entries(Seq(3)).await.unwrap())[0].1, ToolStatus::Denied);
    assert!(session.answer(Seq(5), "late", Decision::Approve).await.is_err());
}

#[tokio::test]
async fn closing_does_not_wait_for_an_answer_that_may_be_given_later() {
    tokio::time::pause();
    let model = ScriptedModel::new([Answer::call("pay", json!({}))]);
    let mut tool = Fake::ok("pay");
    tool.spec.approval = Approval::Always;
    let store = Arc::new(mosaic_storage::RamStore::new());
    let engine = engine_over(store.clone());
    let session = engine.session("a", &agent(&model).tool(tool.clone()).build().unwrap()).await.unwrap();
    let mut run = session.send("go").await.unwrap();
    let asked = loop {
        if let Some(Event::Entry { entry }) = run.next().await
            && let Body::Question { .. } = entry.body
        {
            break entry.seq;
        }
    };
    // Another process's handle, opened before this one closes.
    let later = engine_over(Arc::new(store.sibling()));

    engine.close().await.unwrap();

    let model = ScriptedModel::new([Answer::text("paid")]);
    let session = later.session("a", &agent(&model).tool(tool.clone()).build().unwrap()).await.unwrap();
    let run = session.resume().await.unwrap().expect("it waits for an answer");
    session.answer(asked, "the boss", Decision::Approve).await.unwrap();
    assert_eq!((run.finish().await.unwrap().text.as_str(), tool.called()), ("paid", 1));
}
