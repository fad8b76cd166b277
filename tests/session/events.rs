//! Events: live pieces and entries, resumable from any cursor.

use mosaic_core::testing::{Answer, Gate, ScriptedModel};
use mosaic_core::{Cursor, ErrorKind, Event, ModelError, Seq};
use serde_json::json;

use crate::support::{Fake, agent, drain, engine};

fn text(events: &[Event]) -> String {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Text { delta, .. } => Some(delta.as_str()),
            _ => None,
        })
        .collect()
}

fn seqs(events: &[Event]) -> Vec<u64> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Entry { entry } => Some(entry.seq.0),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_run_shows_its_text_and_all_its_entries_in_order() {
    let model = ScriptedModel::new([
        Answer::text("Let me see. ").then_call("add", json!({"n": 1})),
        Answer::deltas(["It is ", "two."]),
    ]);
    let session = engine().session("a", &agent(&model).tool(Fake::ok("add")).build().unwrap()).await.unwrap();

    let events = drain(&mut session.send("go").await.unwrap()).await;

    assert_eq!(text(&events), "Let me see. It is two.");
    assert_eq!(seqs(&events), [3, 4, 5, 6, 7, 8]);
}

#[tokio::test]
async fn a_reader_that_comes_late_gets_the_same() {
    let model = ScriptedModel::new([Answer::text("Hello ").then_text("there"), Answer::text("next")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();
    let run = session.send("go").await.unwrap();
    let id = run.id();
    run.finish().await.unwrap();
    session.send("another run").await.unwrap().finish().await.unwrap();

    let events = drain(&mut session.follow(id, Cursor::after(Seq(2))).await.unwrap()).await;

    assert_eq!((text(&events).as_str(), seqs(&events)), ("Hello there", vec![3, 4, 5]));
}

#[tokio::test]
async fn reading_goes_on_from_any_cursor_without_loss_or_repetition() {
    let model = ScriptedModel::new([
        Answer::text("Let me see. ").then_call("add", json!({"n": 1})),
        Answer::deltas(["It ", "is ", "two."]),
    ]);
    let session = engine().session("a", &agent(&model).tool(Fake::ok("add")).build().unwrap()).await.unwrap();
    let mut run = session.send("go").await.unwrap();
    let id = run.id();
    let (mut all, mut cursors) = (Vec::new(), vec![run.cursor()]);
    while let Some(event) = run.next().await {
        all.push(event);
        cursors.push(run.cursor());
    }

    for (seen, cursor) in cursors.into_iter().enumerate() {
        let mut events = all[..seen].to_vec();
        events.extend(drain(&mut session.follow(id, cursor).await.unwrap()).await);
        assert_eq!(text(&events), text(&all), "from {cursor:?}");
        assert_eq!(seqs(&events), seqs(&all), "from {cursor:?}");
    }
}

#[tokio::test]
async fn live_text_is_seen_before_the_answer_is_whole() {
    let gate = Gate::new();
    let model = ScriptedModel::new([Answer::text("early").hold(&gate).then_text(" late")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();
    let mut run = session.send("go").await.unwrap();

    let mut seen = Vec::new();
    while let Some(event) = run.next().await {
        if matches!(event, Event::Text { .. }) {
            gate.open();
        }
        seen.push(event);
    }

    assert_eq!(text(&seen), "early late");
    assert!(seen.iter().filter(|event| matches!(event, Event::Text { .. })).count() >= 2);
}

#[tokio::test]
async fn what_was_shown_of_a_failed_attempt_is_taken_back() {
    tokio::time::pause();
    let gate = Gate::new();
    let broken = Answer::text("wrong").hold(&gate).fail(ModelError::new(ErrorKind::Transport, "cut"));
    let model = ScriptedModel::new([broken, Answer::text("right")]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();
    let mut run = session.send("go").await.unwrap();

    let mut seen = String::new();
    while let Some(event) = run.next().await {
        match event {
            Event::Text { delta, .. } => {
                seen.push_str(&delta);
                gate.open();
            }
            Event::Restarted { .. } => seen.clear(),
            _ => {}
        }
    }

    assert_eq!(seen, "right");
}
