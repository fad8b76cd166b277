//! Files that were cut, damaged or are none; writers that fail.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mosaic_core::recording::run::{RunRecorder, RunReplay, RunReplayError};
use mosaic_core::testing::{Answer, Gate, ScriptedModel};
use mosaic_core::{Agent, ErrorKind, Event, Seq};
use mosaic_storage::RamStore;
use serde_json::json;

use super::offline;
use super::tape::{Tape, replay};
use crate::crash::Hang;
use crate::store::Fillable;
use crate::support::{Fake, agent, engine};

async fn recorded() -> (Tape, Agent) {
    let tape = Tape::new();
    let script = ScriptedModel::new([Answer::call("add", json!({"n": 1})), Answer::text("så där")]);
    let add = Fake::ok("add");
    let online = agent(&script).tool(add.clone()).build().unwrap();
    let session = tape.engine().session("a", &online).await.unwrap();
    session.send("go").await.unwrap().finish().await.unwrap();
    tape.done().await;
    (tape, offline([add]))
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_replayed_up_to_there() {
    let (tape, agent) = recorded().await;
    let text = tape.text();
    let whole = tape.replay(&agent).unwrap();
    let header = text.find('\n').unwrap();
    // Everywhere around the ends of lines and within letters, and here and there in between.
    let is_near_an_end =
        |cut: usize| text.as_bytes()[cut - 2..cut + 2].iter().any(|byte| *byte == b'\n' || *byte > 127);
    let cuts = (header + 1..text.len() - 2).filter(|cut| cut % 16 == 0 || is_near_an_end(*cut));
    for cut in cuts.chain([text.len() - 2, text.len() - 1]) {
        let bytes = &text.as_bytes()[..cut];
        let replayed = RunReplay::read(bytes).unwrap().replay(&agent).unwrap();
        assert!(!replayed.is_complete() || replayed.sessions.is_empty() || cut == text.len() - 1, "at {cut}");
        let in_a_line = !bytes.ends_with(b"\n") && text.as_bytes()[cut] != b'\n';
        let line = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(replayed.torn, in_a_line.then_some(line), "at {cut}");
        for session in replayed.sessions {
            assert!(whole.sessions[0].entries.starts_with(&session.entries), "at {cut}");
            assert!(whole.sessions[0].steps.starts_with(&session.steps), "at {cut}");
        }
    }
}

#[tokio::test]
async fn a_newer_format_says_so() {
    let (tape, agent) = recorded().await;
    let newer =
        tape.text().replacen("\"v\":1", "\"v\":2", 1).replace("\"type\":\"outcome\"", "\"type\":\"omen\"");
    let RunReplayError::Recording(error) = replay(&newer, &agent).unwrap_err() else { panic!() };
    assert_eq!(error.kind(), ErrorKind::NewerFormat);
    assert!(error.to_string().contains("format 2, this one knows 1"), "{error}");
}

#[tokio::test]
async fn what_is_no_recording_says_so() {
    let (tape, agent) = recorded().await;
    let kind = |text: &str| match replay(text, &agent) {
        Err(RunReplayError::Recording(error)) => error.kind(),
        other => panic!("{text}: {other:?}"),
    };
    for text in [
        "",
        "\n",
        "hello",
        "{}",
        "{\"v\":1,\"number\":1}",
        "{\"recording\":\"x\",\"v\":1,\"version\":\"1\"}\n",
    ] {
        assert_eq!(kind(text), ErrorKind::Corrupt, "{text}");
    }
    let (header, rest) = tape.text().split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(kind(&format!("{header}\n[1]\n")), ErrorKind::Corrupt);
    let misplaced = replay(&format!("{header}\n{}", rest.split_once('\n').unwrap().1), &agent).unwrap_err();
    assert_eq!(
        misplaced.to_string(),
        "line 2 of the recording cannot stand there: no line before it begins its session"
    );
    let missing = RunReplay::open("no/such/file.jsonl").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

/// Takes so many writes, and fails then.
struct Small(Arc<AtomicUsize>);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Ok(bytes.len()),
            Err(_) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_harms_no_run_and_is_told_at_the_end() {
    for writes in 0..12 {
        let recorder = RunRecorder::new(Small(Arc::new(AtomicUsize::new(writes))));
        let engine = engine();
        engine.record_runs(recorder.clone());
        let script = ScriptedModel::new([Answer::call("add", json!({"n": 1})), Answer::text("done")]);
        let online = agent(&script).tool(Fake::ok("add")).build().unwrap();
        let session = engine.session("a", &online).await.unwrap();
        assert_eq!(session.send("go").await.unwrap().finish().await.unwrap().text, "done");
        assert_eq!(session.entries(Seq(1)).await.unwrap().len(), 8);
        assert_eq!(recorder.close().unwrap_err().kind(), io::ErrorKind::StorageFull, "{writes}");
        assert!(recorder.close().is_ok(), "it is told once");
    }
}

#[tokio::test]
async fn a_store_that_fails_in_the_middle_of_a_run() {
    let store = Fillable::new();
    let tape = Tape::over(Arc::new(store.clone()));
    let script = ScriptedModel::from_fn(|_| Answer::text("hi"));
    let online = agent(&script).build().unwrap();
    let gate = Gate::new();
    let held = ScriptedModel::new([Answer::text("lo").hold(&gate).then_text("st"), Answer::text("again")]);
    let session = tape.engine().session("a", &agent(&held).build().unwrap()).await.unwrap();

    let run = session.send("go").await.unwrap();
    store.fill(true);
    gate.open();
    run.finish().await.unwrap_err();
    store.fill(false);
    session.resume().await.unwrap().unwrap().finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    tape.done().await;

    let ends: Vec<bool> = tape
        .lines()
        .iter()
        .filter(|line| line["type"] == "end")
        .map(|line| line["error"].is_object())
        .collect();
    assert_eq!(ends, [true, false]);
    assert_eq!(tape.replay(&online).unwrap().sessions[0].entries, entries);
}

#[tokio::test]
async fn a_process_that_died_and_the_one_that_went_on() {
    let store = Arc::new(RamStore::new());
    let before = Tape::over(Arc::new(store.sibling()));
    let text = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let script = ScriptedModel::new([Answer::call("add", json!({"n": 1}))]);
            let online = agent(&script).tool(Hang(Fake::ok("add"))).build().unwrap();
            let session = before.engine().session("a", &online).await.unwrap();
            let mut run = session.send("go").await.unwrap();
            while let Some(event) = run.next().await {
                if matches!(event, Event::Entry { entry } if entry.body.kind() == "tool_start") {
                    break;
                }
            }
        });
        // Its tasks, and its handle of the store, go with its runtime.
        drop(runtime);
        before.text()
    });
    let text = text.await.unwrap();
    let after = Tape::over(store);
    let add = Fake::ok("add");
    let online = agent(&ScriptedModel::new([Answer::text("done")])).tool(add.clone()).build().unwrap();
    let session = after.engine().session("a", &online).await.unwrap();
    session.resume().await.unwrap().unwrap().finish().await.unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    after.done().await;

    let died = replay(&text, &offline([add.clone()])).unwrap();
    assert!(!died.is_complete());
    let so_far = &died.sessions[0].entries;
    assert_eq!(so_far.last().unwrap().body.kind(), "tool_start");
    assert!(entries.starts_with(so_far));
    let went_on = after.replay(&offline([add])).unwrap();
    assert_eq!((&went_on.sessions[0].entries, went_on.sessions[0].history), (&entries, so_far.len()));
    assert!(went_on.is_complete());
}
