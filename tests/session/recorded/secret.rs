//! What was named a secret is not in the file, and the replay is the same all the same.

use mosaic_core::recording::run::RunReplay;
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{Event, Seq, ToolOutput};
use serde_json::json;

use super::offline;
use super::tape::Tape;
use crate::support::{Fake, agent};

const KEY: &str = "sk-canary/77\"quoted";

/// No piece of the text, and no pieces put together, hold the key.
fn assert_is_clean(tape: &Tape) {
    let escaped = json!(KEY).to_string();
    let escaped = escaped.trim_matches('"');
    let twice = json!(escaped).to_string();
    let text = tape.text();
    for form in [KEY, escaped, twice.trim_matches('"')] {
        assert!(!text.contains(form), "{form} is in {text}");
    }
    let pieces: String =
        tape.lines().iter().filter_map(|line| line["event"]["delta"].as_str().map(String::from)).collect();
    assert!(!pieces.contains(KEY) && !pieces.contains(escaped), "{pieces}");
    assert!(text.contains("[secret]"));
}

#[tokio::test]
async fn a_key_that_the_model_repeats_in_pieces_and_a_tool_returns() {
    let tape = Tape::without(KEY);
    let spelt: Vec<String> = format!("Your key is {KEY}.").chars().map(String::from).collect();
    let script = ScriptedModel::new([
        Answer::deltas(spelt).then_call("add", json!({"key": KEY})).then_call("add", json!({"n": 1})),
        Answer::text(format!("It was {KEY}, I said.")),
    ]);
    let add = Fake::new("add", |_| Ok(ToolOutput::text(format!("the key {KEY} is fine"))));
    let online = agent(&script).tool(add.clone()).instructions(format!("Use {KEY}.")).build().unwrap();
    let session = tape.engine().session("a", &online).await.unwrap();

    session.send(format!("My key: {KEY}")).await.unwrap().finish().await.unwrap();
    session.record("mine", json!({ KEY: [KEY] })).await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    assert_is_clean(&tape);
    let replay = RunReplay::read(tape.text().as_bytes()).unwrap().secret(KEY);
    let model = ScriptedModel::from_fn(|_| panic!("a replay asks no model"));
    let offline =
        agent(&model).tool(Fake::ok("add").like(&add)).instructions(format!("Use {KEY}.")).build().unwrap();
    let replayed = replay.replay(&offline).unwrap();
    assert_eq!(replayed.session("a").unwrap().entries.len(), entries.len());
}

#[tokio::test]
async fn a_cancel_in_the_middle_of_a_key_or_after_it() {
    for said in [&KEY[..9], KEY] {
        let tape = Tape::without(KEY);
        let (head, tail) = said.split_at(4);
        let script = ScriptedModel::new([Answer::deltas(["It is ", head, tail]).then_never()]);
        let session = tape.engine().session("a", &agent(&script).build().unwrap()).await.unwrap();

        let mut run = session.send(format!("Not {KEY}, please")).await.unwrap();
        let mut heard = String::new();
        while let Some(event) = run.next().await {
            if let Event::Text { delta, .. } = event {
                heard += &delta;
                if heard.ends_with(tail) {
                    run.cancel("enough").await.unwrap();
                }
            }
        }
        tape.done().await;

        assert_is_clean(&tape);
        RunReplay::read(tape.text().as_bytes()).unwrap().secret(KEY).replay(&offline([])).unwrap();
    }
}

#[tokio::test]
async fn a_call_with_a_secret_that_a_human_approves_of() {
    let tape = Tape::without(KEY);
    let script = ScriptedModel::new([Answer::call("pay", json!({"with": KEY})), Answer::text("paid")]);
    let mut pay = Fake::ok("pay");
    pay.spec = pay.spec.approval(mosaic_core::Approval::Always);
    let online = agent(&script).tool(pay.clone()).build().unwrap();
    let session = tape.engine().session("a", &online).await.unwrap();

    let mut run = session.send("go").await.unwrap();
    while let Some(event) = run.next().await {
        if let Event::Entry { entry } = event
            && entry.body.kind() == "question"
        {
            session.answer(entry.seq, "a human", mosaic_core::Decision::Approve).await.unwrap();
        }
    }
    tape.done().await;

    assert_is_clean(&tape);
    RunReplay::read(tape.text().as_bytes()).unwrap().secret(KEY).replay(&offline([pay])).unwrap();
}
