//! Whatever a model says and a host does: the replay is the same. And whatever becomes of the file, nothing panics.

use std::time::Duration;

use mosaic_core::recording::run::RunReplay;
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{
    Agent, Approval, Body, Decision, Effect, Entry, ErrorKind, Input, InputDelivery, Limits, ModelError,
    ModelEvent, Seq, StopReason, ToolError,
};
use proptest::prelude::*;
use serde_json::json;

use super::tape::Tape;
use crate::support::{Fake, agent};

const KEY: &str = "sk-canary-1";

/// What a model says, or a host does, as numbers, so that failures shrink.
type Script = Vec<u8>;

fn answer(what: u8) -> Answer {
    let fail =
        |kind| ModelError::new(kind, "no").with_retry_after(Some(Duration::from_secs(u64::from(what) / 8)));
    match what % 12 {
        0 => Answer::deltas(["all ", "is ", "said"]),
        1 => Answer::deltas(["it is sk", "-canary", "-", "1 and sk-c"]).then_call("ok", json!({"key": KEY})),
        2 => Answer::call("ok", json!({"n": 1})).then_call("fails", json!({})),
        3 => Answer::text("look").then_call("asks", json!({"n": 2})),
        4 => Answer::raw_call("ok", "{\"n\":").stop(StopReason::Length),
        5 => Answer::call("missing", json!({})).then_raw_call("ok", "{\"n\": \"x\"}"),
        6 => Answer::error(fail(ErrorKind::Overloaded)),
        7 => Answer::text("half").fail(fail(ErrorKind::Transport)),
        8 => Answer::text("void").then_event(ModelEvent::Restarted).then_reasoning("hm").then_text("again"),
        9 => Answer::deltas(["sk-ca", "nary-1", " for", "ever sk-can"]).then_never(),
        10 => Answer::text("no end").without_end(),
        _ => Answer::error(fail(ErrorKind::Auth)),
    }
}

fn online(says: Script) -> Agent {
    let mut says = says.into_iter();
    let model = ScriptedModel::from_fn(move |_| says.next().map_or_else(|| Answer::text("the end"), answer));
    with_tools(&model)
}

fn with_tools(model: &ScriptedModel) -> Agent {
    let mut ok = Fake::ok("ok");
    ok.spec = ok.spec.effect(Effect::ReadOnly);
    let fails = Fake::new("fails", |_| Err(ToolError::new("nope")));
    let mut asks = Fake::ok("asks");
    asks.spec = asks.spec.approval(Approval::Always);
    let limits = Limits {
        max_steps: 5,
        question_timeout: Duration::from_secs(30),
        run_timeout: Duration::from_secs(120),
        ..Limits::default()
    };
    agent(model).tool(ok).tool(fails).tool(asks).limits(limits).build().unwrap()
}

/// Records a session in which that is said and done, until nothing is left to do.
async fn live(tape: Tape, says: Script, does: Script) -> (Tape, Vec<Entry>) {
    let session = tape.engine().session("a", &online(says)).await.unwrap();
    let mut run = session.send("go").await.unwrap();
    for what in does {
        let delivery = match what % 3 {
            0 => InputDelivery::Start,
            1 => InputDelivery::Steer,
            _ => InputDelivery::FollowUp,
        };
        match what % 9 {
            0..=2 => run = session.send(Input { delivery, ..Input::from("more") }).await.unwrap(),
            3 => run.cancel("enough").await.unwrap(),
            4 | 5 => tape.runtime.advance(Duration::from_secs(u64::from(what))).await,
            6 => {
                let entries = session.entries(Seq(1)).await.unwrap();
                for question in entries.iter().filter(|entry| matches!(entry.body, Body::Question { .. })) {
                    // It may have been answered before.
                    let _ = session.answer(question.seq, "a human", Decision::Approve).await;
                }
            }
            7 => drop(session.label(Seq(1), "here").await.unwrap()),
            // Not while a run goes on, and not into one.
            _ => drop(session.rewind(Seq(u64::from(what) / 9)).await),
        }
    }
    while tape.runtime.advance_to_next().await {}
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;
    (tape, entries)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn offline() -> Agent {
    with_tools(&ScriptedModel::from_fn(|_| panic!("a replay asks no model")))
}

fn scripts() -> impl Strategy<Value = (Script, Script)> {
    (prop::collection::vec(any::<u8>(), 0..8), prop::collection::vec(any::<u8>(), 0..8))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_is_the_same_whatever_was_said_and_done((says, does) in scripts()) {
        let (tape, entries) = block_on(live(Tape::new(), says, does));
        let replayed = tape.replay(&offline()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&replayed.sessions[0].entries, &entries);
        prop_assert!(replayed.is_complete());
    }

    #[test]
    fn and_so_it_is_where_a_secret_is_left_out_of_it((says, does) in scripts()) {
        let (tape, entries) = block_on(live(Tape::without(KEY), says, does));
        let pieces = tape.lines().iter().filter_map(|line| line["event"]["delta"].as_str().map(String::from)).collect::<String>();
        prop_assert!(!tape.text().contains(KEY) && !pieces.contains(KEY));
        let replay = RunReplay::read(tape.text().as_bytes()).unwrap().secret(KEY);
        let replayed = replay.replay(&offline()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let cleaned: Vec<Entry> = entries
            .iter()
            .map(|entry| serde_json::to_string(entry).unwrap().replace(KEY, "[secret]"))
            .map(|text| serde_json::from_str(&text).unwrap())
            .collect();
        prop_assert_eq!(&replayed.sessions[0].entries, &cleaned);
    }

    #[test]
    fn an_entry_that_was_changed_is_where_the_replay_diverges((says, does) in scripts(), which: prop::sample::Index) {
        let (tape, _) = block_on(live(Tape::new(), says, does));
        let mut lines = tape.lines();
        let made = |line: &serde_json::Value| {
            line["type"] == "entry" && !matches!(line["entry"]["body"]["type"].as_str(), Some("label" | "rewind"))
        };
        let entries: Vec<usize> = (0..lines.len()).filter(|index| made(&lines[*index])).collect();
        let index = *which.get(&entries);
        lines[index]["entry"]["at"] = json!(5);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let error = RunReplay::read(text.as_bytes()).unwrap().replay(&offline()).unwrap_err();
        prop_assert_eq!(error.divergence().map(|found| found.line), Some(index + 1), "{}", error);
    }

    #[test]
    fn nothing_panics_whatever_becomes_of_the_file(
        (says, does) in scripts(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        dropped in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (tape, _) = block_on(live(Tape::new(), says, does));
        let mut bytes = tape.text().into_bytes();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            // Digits and letters keep it JSON more often than not.
            bytes[at] = if byte & 1 == 0 { byte } else { b"0123456789abcdefnrtuy"[usize::from(byte) % 21] };
        }
        let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        if let Some(dropped) = dropped {
            lines.remove(dropped.index(lines.len()));
        }
        if let Ok(replay) = RunReplay::read(&lines.concat()[..]) {
            let _ = replay.replay(&offline());
        }
    }
}
