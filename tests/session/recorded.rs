//! Runs are recorded, and replayed offline to the same steps and entries.

mod changed;
mod failing;
mod random;
mod secret;
pub(crate) mod tape;

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::testing::{Answer, Gate, ScriptedModel};
use mosaic_core::{
    Agent, Body, Decision, Effect, ErrorKind, Event, Input, InputDelivery, ModelError, Seq, StepId, ToolError,
};
use mosaic_storage::RamStore;
use serde_json::json;

use crate::support::{Fake, agent, kinds};
use tape::Tape;

/// An agent to replay with: its model is never asked, and its tools never run.
fn offline(tools: impl IntoIterator<Item = Fake>) -> Agent {
    let model = ScriptedModel::from_fn(|_| panic!("a replay asks no model"));
    let tools = tools
        .into_iter()
        .map(|tool| Fake::new(&tool.spec.name, |_| panic!("a replay runs no tool")).like(&tool));
    tools.fold(agent(&model), |agent, tool| agent.tool(tool)).build().unwrap()
}

fn model(number: u64) -> StepId {
    StepId::Model { number }
}

#[tokio::test]
async fn two_calls_at_once_are_replayed_to_the_same_steps_and_entries() {
    let tape = Tape::new();
    let calls =
        Answer::text("Let me see. ").then_call("add", json!({"n": 1})).then_call("mul", json!({"n": 2}));
    let script = ScriptedModel::new([calls, Answer::deltas(["do", "ne"])]);
    let (add, mul) = (Fake::ok("add"), Fake::ok("mul"));
    let agent = agent(&script).tool(add.clone()).tool(mul.clone()).build().unwrap();
    let session = tape.engine().session("a", &agent).await.unwrap();

    session.send("go").await.unwrap().finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    let replayed = tape.replay(&offline([add, mul])).unwrap();
    let again = replayed.session("a").unwrap();
    assert_eq!(again.entries, entries);
    assert_eq!(again.history, 2, "created and bound before");
    let tool = |call: &str| StepId::Tool { call: mosaic_core::CallId(call.into()), attempt: 1 };
    assert_eq!(again.steps, [model(1), tool("call_1_0"), tool("call_1_1"), model(2)]);
    assert!(replayed.is_complete());
}

#[tokio::test]
async fn a_failed_call_is_tried_again_at_the_recorded_time() {
    let tape = Tape::new();
    let script = ScriptedModel::new([
        Answer::text("half an ans").fail(ModelError::new(ErrorKind::Transport, "gone")),
        Answer::text("done"),
    ]);
    let session = tape.engine().session("a", &agent(&script).build().unwrap()).await.unwrap();

    let run = session.send("go").await.unwrap();
    while script.requests().len() < 2 {
        assert!(tape.runtime.advance_to_next().await);
    }
    run.finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert_eq!(kinds(&entries[2..]), ["input", "model_failed", "assistant", "run_end"]);
    let again = tape.replay(&offline([])).unwrap();
    let again = again.session("a").unwrap();
    assert_eq!(again.entries, entries);
    assert_eq!(again.steps, [model(1), StepId::Wait { after: Seq(4) }, model(2)]);
}

#[tokio::test]
async fn a_cancel_in_the_middle_of_an_answer_and_what_was_said_by_then() {
    let tape = Tape::new();
    let script =
        ScriptedModel::new([Answer::deltas(["Once upon ", "a time"]).then_never(), Answer::text("again")]);
    let session = tape.engine().session("a", &agent(&script).build().unwrap()).await.unwrap();

    let mut run = session.send("go").await.unwrap();
    while let Some(event) = run.next().await {
        if matches!(event, Event::Text { .. }) {
            run.cancel("enough").await.unwrap();
        }
    }
    session.send("once more").await.unwrap().finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert!(kinds(&entries).contains(&"cancel"));
    assert_eq!(tape.replay(&offline([])).unwrap().session("a").unwrap().entries, entries);
}

#[tokio::test]
async fn what_is_said_meanwhile_joins_the_run_or_follows_it() {
    let tape = Tape::new();
    let gate = Gate::new();
    let script = ScriptedModel::new([
        Answer::text("a").hold(&gate).then_text("b"),
        Answer::text("steered"),
        Answer::text("followed"),
    ]);
    let session = tape.engine().session("a", &agent(&script).build().unwrap()).await.unwrap();

    let first = session.send("go").await.unwrap();
    let say = |delivery| Input { delivery, ..Input::from("and this") };
    session.send(say(InputDelivery::Steer)).await.unwrap();
    let second = session.send(say(InputDelivery::FollowUp)).await.unwrap();
    session.label(Seq(3), "the first").await.unwrap();
    gate.open();
    first.finish().await.unwrap();
    second.finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert_eq!(script.requests().len(), 3);
    assert_eq!(tape.replay(&offline([])).unwrap().session("a").unwrap().entries, entries);
}

#[tokio::test]
async fn where_a_router_went_is_replayed_as_it_was_recorded() {
    use mosaic_core::router::{Candidate, Router};
    let tape = Tape::new();
    let down = ScriptedModel::new([Answer::error(ModelError::new(ErrorKind::Overloaded, "no"))]);
    let up = ScriptedModel::new([Answer::text("done")]);
    let router = Router::builder(tape.shared_runtime())
        .candidate(Candidate::new("down", Arc::new(down)).priority(0))
        .candidate(Candidate::new("up", Arc::new(up)).priority(1))
        .build()
        .unwrap();
    let agent = Agent::builder("test").model(router).build().unwrap();
    let session = tape.engine().session("a", &agent).await.unwrap();

    session.send("go").await.unwrap().finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    let again = tape.replay(&offline([])).unwrap();
    assert_eq!(again.session("a").unwrap().entries, entries);
    let routes = entries.iter().filter_map(|entry| match &entry.body {
        Body::Assistant { route, .. } => route.clone(),
        _ => None,
    });
    assert_eq!(routes.map(|route| route.attempts.len()).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn a_run_that_waited_for_a_human_and_was_taken_up_again() {
    let tape = Tape::new();
    let script = ScriptedModel::new([Answer::call("pay", json!({"n": 5})), Answer::text("paid")]);
    let mut pay = Fake::ok("pay");
    pay.spec = pay.spec.effect(Effect::Once).approval(mosaic_core::Approval::Always);
    let session =
        tape.engine().session("a", &agent(&script).tool(pay.clone()).build().unwrap()).await.unwrap();

    let mut run = session.send("go").await.unwrap();
    while let Some(event) = run.next().await {
        if let Event::Entry { entry } = event
            && entry.body.kind() == "question"
        {
            tape.runtime.advance(Duration::from_secs(60)).await;
            session.answer(entry.seq, "a human", Decision::Approve).await.unwrap();
        }
    }
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert_eq!(tape.lines().iter().filter(|line| line["type"] == "begin").count(), 2, "it was let go of");
    assert_eq!(tape.replay(&offline([pay])).unwrap().session("a").unwrap().entries, entries);
}

#[tokio::test]
async fn a_question_that_nobody_answers_and_a_run_that_takes_too_long() {
    let tape = Tape::new();
    let script = ScriptedModel::new([Answer::call("pay", json!({})), Answer::text("on and on").then_never()]);
    let mut pay = Fake::ok("pay");
    pay.spec = pay.spec.approval(mosaic_core::Approval::Always);
    let limits = mosaic_core::Limits {
        question_timeout: Duration::from_secs(10),
        run_timeout: Duration::from_secs(60),
        ..Default::default()
    };
    let with_limits = |agent: mosaic_core::AgentBuilder| agent.limits(limits.clone()).build().unwrap();
    let online = with_limits(agent(&script).tool(pay.clone()));
    let session = tape.engine().session("a", &online).await.unwrap();

    let run = session.send("go").await.unwrap();
    while tape.runtime.advance_to_next().await {}
    run.finish().await.unwrap_err();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert_eq!(
        kinds(&entries).iter().rev().take(3).collect::<Vec<_>>(),
        [&"run_end", &"assistant", &"cancel"]
    );
    let never = ScriptedModel::from_fn(|_| panic!("a replay asks no model"));
    let offline = with_limits(agent(&never).tool(pay));
    assert_eq!(tape.replay(&offline).unwrap().session("a").unwrap().entries, entries);
}

#[tokio::test]
async fn several_sessions_in_one_file_each_with_what_was_there_before() {
    let tape = Tape::new();
    let engine = tape.engine();
    let script = ScriptedModel::from_fn(|_| Answer::text("hi"));
    let online = agent(&script).build().unwrap();
    let session = engine.session("a", &online).await.unwrap();
    engine.record_runs(None);
    session.send("unseen").await.unwrap().finish().await.unwrap();

    engine.record_runs(tape.recorder.clone());
    for key in ["b", "a", "a", "b"] {
        let session = engine.session(key, &online).await.unwrap();
        session.send("go").await.unwrap().finish().await.unwrap();
    }
    let mut entries = Vec::new();
    for key in ["a", "b"] {
        entries.push(engine.session(key, &online).await.unwrap().entries(Seq(1)).await.unwrap());
    }
    tape.done().await;

    let again = tape.replay(&offline([])).unwrap();
    let (a, b) = (again.session("a").unwrap(), again.session("b").unwrap());
    assert_eq!((&a.entries, &b.entries), (&entries[0], &entries[1]));
    assert_eq!((a.history, b.history), (5, 2));
    let history = tape.lines().iter().filter(|line| line["type"] == "history").count();
    assert_eq!(history, 7, "a log is written down once");
}

#[tokio::test]
async fn what_another_process_wrote_meanwhile_is_history() {
    let store = Arc::new(RamStore::new());
    let tape = Tape::over(Arc::new(store.sibling()));
    let other = crate::support::engine_over(store);
    let script = ScriptedModel::from_fn(|_| Answer::text("hi"));
    let online = agent(&script).build().unwrap();
    for engine in [tape.engine(), other.clone(), tape.engine(), other] {
        let session = engine.session("a", &online).await.unwrap();
        session.send("go").await.unwrap().finish().await.unwrap();
    }
    let session = tape.engine().session("a", &online).await.unwrap();
    session.label(Seq(1), "here").await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    let history = tape.lines().into_iter().filter(|line| line["type"] == "history");
    let history: Vec<u64> = history.map(|line| line["entry"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(history, [1, 2, 6, 7, 8, 12, 13, 14]);
    assert_eq!(tape.replay(&offline([])).unwrap().session("a").unwrap().entries, entries);
}

#[tokio::test]
async fn a_rewound_session_asks_what_it_asked_then() {
    let tape = Tape::new();
    let script = ScriptedModel::from_fn(|_| Answer::text("hi"));
    let session = tape.engine().session("a", &agent(&script).build().unwrap()).await.unwrap();

    session.send("one").await.unwrap().finish().await.unwrap();
    let end = session.send("two").await.unwrap().finish().await.unwrap().entries.0;
    session.rewind(Seq(end.0 - 1)).await.unwrap();
    session.record("mine", json!({"x": 1})).await.unwrap();
    session.send("three").await.unwrap().finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert_eq!(script.requests()[2].groups.len(), 3);
    assert_eq!(tape.replay(&offline([])).unwrap().session("a").unwrap().entries, entries);
}

#[tokio::test]
async fn a_tool_that_ends_the_run_and_one_that_fails() {
    let tape = Tape::new();
    let script = ScriptedModel::new([
        Answer::call("fails", json!({})).then_call("missing", json!({})),
        Answer::call("stops", json!({})),
    ]);
    let fails = Fake::new("fails", |_| Err(ToolError::new("nope")));
    let stops = Fake::new("stops", |_| Err(ToolError::fatal("no way")));
    let online = agent(&script).tool(fails.clone()).tool(stops.clone()).build().unwrap();
    let session = tape.engine().session("a", &online).await.unwrap();

    session.send("go").await.unwrap().finish().await.unwrap_err();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert_eq!(tape.replay(&offline([fails, stops])).unwrap().session("a").unwrap().entries, entries);
}

#[tokio::test]
async fn a_retried_call_does_not_keep_its_driver_awake() {
    let tape = Tape::new();
    let refused = || Answer::error(ModelError::new(ErrorKind::Overloaded, "no"));
    let script = ScriptedModel::new([refused(), Answer::text("slow").then_never()]);
    let session = tape.engine().session("a", &agent(&script).build().unwrap()).await.unwrap();

    let run = session.send("go").await.unwrap();
    while script.requests().len() < 2 {
        assert!(tape.runtime.advance_to_next().await);
    }
    for _ in 0..10 {
        tape.runtime.advance(Duration::from_millis(10)).await;
    }
    run.cancel("enough").await.unwrap();
    tape.done().await;

    let ticks = tape.lines().iter().filter(|line| line["outcome"]["type"] == "tick").count();
    assert_eq!(ticks, 1, "the one that the retry waited for");
}

#[tokio::test]
async fn there_is_a_line_for_everything_in_the_order_in_which_it_happened() {
    let tape = Tape::new();
    let script = ScriptedModel::new([Answer::text("hi")]);
    let session = tape.engine().session("a", &agent(&script).build().unwrap()).await.unwrap();
    tape.runtime.advance(Duration::from_secs(5)).await;
    session.send("go").await.unwrap().finish().await.unwrap();
    tape.done().await;

    let lines = tape.lines();
    let types: Vec<&str> = lines.iter().skip(1).map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(
        types.join(" "),
        "begin history history bind outcome outcome entry steps event event event event outcome entry entry steps end"
    );
    assert_eq!((&lines[0]["recording"], &lines[0]["v"]), (&json!("mosaic.runs"), &json!(1)));
    assert!(lines.iter().filter_map(|line| line["at"].as_u64()).all(|at| at == 1_767_225_605_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_run_at_once_share_a_file() {
    let tape = Tape::new();
    let engine = crate::support::engine();
    engine.record_runs(tape.recorder.clone());
    let script = ScriptedModel::from_fn(|request| match request.groups.len() {
        1 => Answer::deltas(["let ", "me ", "see"])
            .then_call("add", json!({"n": 1}))
            .then_call("add", json!({"n": 2})),
        _ => Answer::text("done"),
    });
    let add = Fake::ok("add");
    let online = agent(&script).tool(add.clone()).build().unwrap();
    let run = |number: usize| {
        let (engine, online) = (engine.clone(), online.clone());
        tokio::spawn(async move {
            let session = engine.session(number.to_string(), &online).await.unwrap();
            let run = session.send("go").await.unwrap();
            session.send(Input { delivery: InputDelivery::Steer, ..Input::from("more") }).await.unwrap();
            run.finish().await.unwrap();
            session.entries(Seq(1)).await.unwrap()
        })
    };
    let runs: Vec<_> = (0..30).map(run).collect();
    let mut entries = Vec::new();
    for run in runs {
        entries.push(run.await.unwrap());
    }
    engine.close().await.unwrap();
    tape.done().await;

    let replayed = tape.replay(&offline([add])).unwrap();
    assert!(replayed.is_complete());
    for (number, entries) in entries.iter().enumerate() {
        let again = replayed.session(number.to_string()).unwrap();
        assert!(again.entries.starts_with(entries), "{number}");
    }
}

#[tokio::test]
async fn a_session_that_was_erased_and_made_again_is_another_one() {
    let tape = Tape::new();
    let script = ScriptedModel::from_fn(|_| Answer::text("hi"));
    let online = agent(&script).build().unwrap();
    for _ in 0..2 {
        let session = tape.engine().session("a", &online).await.unwrap();
        session.send("go").await.unwrap().finish().await.unwrap();
        drop(session);
        while tape.engine().erase("a").await.is_err() {
            tape.runtime.advance(Duration::ZERO).await;
        }
    }
    tape.done().await;
    let replayed = tape.replay(&offline([])).unwrap();
    assert_eq!(replayed.sessions.iter().map(|session| session.entries.len()).collect::<Vec<_>>(), [5, 5]);
}

#[tokio::test]
async fn a_run_whose_conversation_was_compacted_is_replayed_without_a_summariser() {
    use crate::compaction::{Probe, long};
    let tape = Tape::new();
    let probe = Probe::good();
    let look = Fake::ok("look");
    let script = ScriptedModel::new([
        Answer::text(long("yes")).then_call("look", json!({"n": 1, "path": "a/b.txt"})),
        Answer::text(long("no")),
        Answer::error(ModelError::new(ErrorKind::ContextOverflow, "too long")),
        Answer::text("done"),
        Answer::text("over"),
    ]);
    let window = crate::compaction::window(250);
    let compaction = mosaic_core::Compaction::new(probe.clone()).at_share(1.0).keep_recent(100);
    let recorded =
        agent(&script.clone().with_info(window)).tool(look.clone()).compaction(compaction).build().unwrap();
    let session = tape.engine().session("a", &recorded).await.unwrap();
    for text in ["one", "two", "three"] {
        session.send(long(text)).await.unwrap().finish().await.unwrap();
    }
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert!(probe.asked().len() > 1 && kinds(&entries).contains(&"compaction"), "{:?}", kinds(&entries));
    // The window of the model was 250; the one of the replay says nothing of it.
    let replayed = tape.replay(&offline([look])).unwrap();
    let again = replayed.session("a").unwrap();
    assert_eq!(again.entries, entries);
    assert!(again.steps.contains(&StepId::Compact { number: 1 }));

    // What was recorded of a summary counts: another one is another conversation.
    let changed = tape.text().replacen("They talked.", "They fought.", 1);
    assert!(changed != tape.text());
    let error = tape::replay(&changed, &offline([Fake::ok("look")])).unwrap_err();
    assert!(error.divergence().is_some(), "{error}");
}
