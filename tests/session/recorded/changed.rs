//! Whatever is another one shows where it first counts.

use mosaic_core::recording::run::{Divergence, Recorded, RunReplay, RunReplayError};
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{AgentBuilder, ModelParams};
use serde_json::{Value, json};

use super::tape::{Tape, replay};
use crate::support::{Fake, agent};

/// Never asked.
fn builder() -> AgentBuilder {
    agent(&ScriptedModel::from_fn(|_| panic!("a replay asks no model"))).instructions("Be brief.")
}

/// A run with a tool call, by an agent that was bound before.
async fn recorded() -> Tape {
    let tape = Tape::new();
    let script = ScriptedModel::new([Answer::call("add", json!({"n": 1})), Answer::text("done")]);
    let online = agent(&script).instructions("Be brief.").tool(Fake::ok("add")).build().unwrap();
    let session = tape.engine().session("a", &online).await.unwrap();
    session.send("go").await.unwrap().finish().await.unwrap();
    tape.done().await;
    replay(&tape.text(), &builder().tool(Fake::ok("add")).build().unwrap()).unwrap();
    tape
}

fn divergence(tape: &Tape, agent: AgentBuilder) -> Divergence {
    match tape.replay(&agent.build().unwrap()) {
        Err(RunReplayError::Diverged(divergence)) => divergence,
        other => panic!("{other:?}"),
    }
}

/// The number of the first line of a type, from 1.
fn line_of(tape: &Tape, kind: &str) -> usize {
    1 + tape.lines().iter().position(|line| line["type"] == kind).unwrap()
}

#[tokio::test]
async fn other_instructions_are_another_request() {
    let tape = recorded().await;
    let found = divergence(&tape, builder().instructions("Be long.").tool(Fake::ok("add")));
    assert_eq!((found.what, found.line), (Recorded::Steps, line_of(&tape, "steps")));
    assert_eq!(found.difference.pointer, "/request/instructions");
    assert!(
        found
            .to_string()
            .starts_with("line 9 of the recording (session `default/a`): what is to be done is another")
    );
}

#[tokio::test]
async fn other_tools_are_another_request() {
    let tape = recorded().await;
    let found = divergence(&tape, builder().tool(Fake::ok("add")).tool(Fake::ok("mul")));
    assert_eq!(
        (found.difference.pointer.as_str(), found.line),
        ("/request/tools/mul", line_of(&tape, "steps"))
    );
}

#[tokio::test]
async fn other_settings_are_another_request_unless_they_are_ignored() {
    let tape = recorded().await;
    let params = ModelParams { temperature: Some(0.5), ..ModelParams::default() };
    let other = builder().params(params).tool(Fake::ok("add"));
    let other = other.build().unwrap();
    let replay = RunReplay::read(tape.text().as_bytes()).unwrap();
    assert_eq!(
        replay.replay(&other).unwrap_err().divergence().unwrap().difference.pointer,
        "/request/params"
    );
    replay.ignore("/request/params").replay(&other).unwrap();
}

#[tokio::test]
async fn other_limits_show_where_they_end_the_run() {
    let tape = recorded().await;
    let limits = mosaic_core::Limits { max_steps: 1, ..Default::default() };
    let found = divergence(&tape, builder().tool(Fake::ok("add")).limits(limits));
    // After the result of the call, the replay says that there were enough steps; the recording asks the model.
    assert_eq!(found.what, Recorded::Entry);
    assert_eq!(found.difference.recorded, None);
    assert_eq!(found.difference.found.unwrap()["body"]["type"], "cancel");
    assert_eq!(tape.lines()[found.line - 1]["type"], "steps");
}

#[tokio::test]
async fn an_agent_of_another_name_is_none_of_the_recording() {
    let tape = recorded().await;
    let other = mosaic_core::Agent::builder("other").model("any:model").build().unwrap();
    let error = tape.replay(&other).unwrap_err();
    assert!(matches!(error, RunReplayError::NoAgent { line: 5, .. }));
    assert!(error.to_string().contains("ran agent `test`"), "{error}");
    let right = builder().tool(Fake::ok("add")).build().unwrap();
    RunReplay::read(tape.text().as_bytes()).unwrap().replay_all(&[other, right]).unwrap();
}

/// The recording with one line changed.
fn with_line(tape: &Tape, number: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut lines = tape.lines();
    change(&mut lines[number - 1]);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn a_line_that_was_changed_is_where_the_replay_diverges() {
    let tape = recorded().await;
    let agent = builder().tool(Fake::ok("add")).build().unwrap();
    let mut changed = 0;
    for (number, line) in (1..).zip(tape.lines()) {
        let change = |line: &mut Value| match line["type"].as_str() {
            Some("entry") => line["entry"]["at"] = json!(1),
            Some("steps") => line["steps"] = json!([{"type": "model", "number": 77}]),
            Some("outcome") => line["outcome"]["reply"]["stop"] = json!({"type": "length"}),
            _ => {}
        };
        let is_made = line["type"] != "outcome" || line["outcome"]["type"] == "reply";
        if matches!(line["type"].as_str(), Some("entry" | "steps" | "outcome")) && is_made {
            let error = replay(&with_line(&tape, number, change), &agent).unwrap_err();
            assert_eq!(error.divergence().unwrap_or_else(|| panic!("{error}")).line, number);
            changed += 1;
        }
    }
    assert_eq!(changed, 6 + 4 + 2, "entries, steps, replies");
}

#[tokio::test]
async fn what_was_told_and_is_changed_shows_in_what_follows_from_it() {
    let tape = recorded().await;
    let agent = builder().tool(Fake::ok("add")).build().unwrap();
    let told = |kind: &str| 1 + tape.lines().iter().position(|line| line["outcome"]["type"] == kind).unwrap();
    for (kind, text) in [("input", "parts"), ("tool", "content")] {
        let changed = with_line(&tape, told(kind), |line| line["outcome"][text][0]["text"] = json!("other"));
        let found = replay(&changed, &agent).unwrap_err();
        let found = found.divergence().unwrap();
        assert_eq!((found.line, found.difference.found.clone()), (told(kind) + 1, Some(json!("other"))));
    }
    let done = tape.lines().iter().rposition(|line| line["event"]["type"] == "end").unwrap() + 1;
    let changed = with_line(&tape, done, |line| line["event"]["content"]["text"] = json!("other"));
    let found = replay(&changed, &agent).unwrap_err();
    let found = found.divergence().unwrap();
    assert_eq!((found.what, found.line), (Recorded::Outcome, done + 2), "after the last event");
    assert_eq!(found.difference.pointer, "/reply/parts/0/text");
}

#[tokio::test]
async fn a_line_that_is_missing_is_noticed() {
    let tape = recorded().await;
    let agent = builder().tool(Fake::ok("add")).build().unwrap();
    for (index, line) in tape.lines().iter().enumerate().skip(1) {
        let mut lines = tape.lines();
        lines.remove(index);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let replayed = replay(&text, &agent);
        // A piece is only for showing, a call is told nothing when nothing was lost, and a file may end anywhere.
        let is_shown =
            line["type"] == "event" && line["event"]["type"] != "end" && line["event"]["type"] != "done";
        let says_nothing = line["outcome"]["type"] == "recovered";
        match replayed {
            Ok(replayed) if line["type"] == "end" => assert!(!replayed.is_complete()),
            replayed => assert_eq!(replayed.is_ok(), is_shown || says_nothing, "{line}: {replayed:?}"),
        }
    }
}

#[tokio::test]
async fn a_session_that_was_given_another_agent_is_replayed_with_both() {
    let tape = Tape::new();
    let script = ScriptedModel::from_fn(|_| Answer::text("hi"));
    let one = agent(&script).build().unwrap();
    let two = mosaic_core::Agent::builder("two").model(script.clone()).build().unwrap();
    for agent in [&one, &two, &two, &one] {
        let session = tape.engine().session("a", agent).await.unwrap();
        session.send("go").await.unwrap().finish().await.unwrap();
    }
    let entries = tape.engine().session("a", &one).await.unwrap().entries(mosaic_core::Seq(1)).await.unwrap();
    tape.done().await;

    let replay = RunReplay::read(tape.text().as_bytes()).unwrap();
    assert!(matches!(replay.replay(&one), Err(RunReplayError::NoAgent { agent, .. }) if agent == "two"));
    assert_eq!(replay.replay_all(&[one, two]).unwrap().sessions[0].entries, entries);
}
