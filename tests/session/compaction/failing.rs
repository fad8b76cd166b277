//! Compactions that fail, come too late, or help nothing.

use std::time::Duration;

use mosaic_core::testing::{Answer, Gate, ScriptedModel, TestRuntime};
use mosaic_core::{Body, Claim, Engine, ErrorKind, ModelError, RunEnd, Seq, Summary, SummaryError};
use mosaic_storage::RamStore;

use super::{Probe, claiming, long};
use crate::support::{agent, engine, kinds};

fn overflow() -> Answer {
    Answer::error(ModelError::new(ErrorKind::ContextOverflow, "too long"))
}

/// Why compactions failed.
fn failures(entries: &[mosaic_core::Entry]) -> Vec<(ErrorKind, String)> {
    let failed = entries.iter().filter_map(|entry| match &entry.body {
        Body::CompactFailed { error, .. } => Some((error.kind, error.message.clone())),
        _ => None,
    });
    failed.collect()
}

/// A conversation over the threshold with a summariser; why its compactions failed. The run must end well all the same.
async fn over_the_threshold_with(probe: &Probe) -> Vec<(ErrorKind, String)> {
    let model = ScriptedModel::from_fn(|_| Answer::text(long("yes")));
    let agent = agent(&model).compaction(probe.compaction()).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    session.send(long("one")).await.unwrap().finish().await.unwrap();
    let reply = session.send(long("two")).await.unwrap().finish().await.unwrap();
    assert_eq!(reply.end, Some(RunEnd::Done));
    assert_eq!(model.requests()[1].groups.len(), 3, "the conversation stays as it was");
    failures(&session.entries(Seq(1)).await.unwrap())
}

#[tokio::test]
async fn a_summariser_that_fails_costs_the_run_nothing_before_the_prompt_is_too_long() {
    let probe = Probe::new(|_| Err(SummaryError::other(ErrorKind::Server, "down")));
    assert_eq!(over_the_threshold_with(&probe).await, [(ErrorKind::Server, "down".into())]);
}

#[tokio::test]
async fn a_summary_that_cites_nothing_or_what_is_not_there_is_not_used_in_part() {
    let uncited = Probe::new(|request| {
        let mut summary = claiming("They talked.", request);
        summary.claims.push(Claim::new("They agreed.", []));
        Ok(summary)
    });
    let failed = over_the_threshold_with(&uncited).await;
    assert_eq!(failed.len(), 1);
    assert!(failed[0].1.contains("claim 2 cites nothing"), "{failed:?}");

    let invented = Probe::new(|_| Ok(Summary::new(vec![Claim::new("They agreed.", [Seq(99)])])));
    let failed = over_the_threshold_with(&invented).await;
    assert!(failed[0].1.contains("claim 1 cites entry 99"), "{failed:?}");
}

#[tokio::test]
async fn a_summariser_that_panics_has_failed_and_nothing_else_has() {
    let failed = over_the_threshold_with(&Probe::new(|_| panic!("of the test"))).await;
    assert_eq!(failed[0].0, ErrorKind::Internal);
}

#[tokio::test]
async fn a_compaction_that_makes_nothing_shorter_has_failed_and_is_not_tried_again_at_once() {
    let model = ScriptedModel::from_fn(|_| Answer::text("yes"));
    let wordy = Probe::new(|request| Ok(claiming(&"many words ".repeat(300), request)));
    let agent = agent(&model).compaction(wordy.compaction().at_tokens(220)).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    session.send(long("one")).await.unwrap().finish().await.unwrap();
    session.send(long("two")).await.unwrap().finish().await.unwrap();
    for n in 3..9 {
        session.send(format!("{n}")).await.unwrap().finish().await.unwrap();
    }
    let entries = session.entries(Seq(1)).await.unwrap();
    let failed = failures(&entries);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].1.contains("no progress"), "{failed:?}");
    let spent = entries
        .iter()
        .any(|entry| matches!(&entry.body, Body::CompactFailed { usage, .. } if usage.input == 9));
    assert!(spent, "what was spent in vain is known");
    assert_eq!(model.requests()[7].groups.len(), 15, "nothing was left out");
}

#[tokio::test]
async fn the_breaker_ends_a_run_whose_compactions_do_not_help() {
    // The model says that the prompt is too long whatever is done.
    let model = ScriptedModel::from_fn({
        let mut asked = 0;
        move |_| {
            asked += 1;
            if asked < 4 { Answer::text(long("yes")) } else { overflow() }
        }
    });
    let probe = Probe::good();
    let compaction = mosaic_core::Compaction::new(probe.clone()).keep_recent(150).max_tries(3);
    let agent = agent(&model).compaction(compaction).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    for text in ["one", "two", "three"] {
        session.send(long(text)).await.unwrap().finish().await.unwrap();
    }
    let error = session.send("four").await.unwrap().finish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextOverflow);
    let entries = session.entries(Seq(12)).await.unwrap();
    let count = |kind| kinds(&entries).iter().filter(|of| **of == kind).count();
    assert_eq!(count("compact_start"), 3, "{:?}", kinds(&entries));
    assert!(probe.asked().len() <= 3);
    assert!(model.requests().len() <= 3 + 4);
    // The session lives on.
    session.rewind(Seq(5)).await.unwrap();
}

#[tokio::test]
async fn without_a_summariser_a_prompt_that_is_too_long_ends_the_run() {
    let model = ScriptedModel::new([overflow()]);
    let session = engine().session("a", &agent(&model).build().unwrap()).await.unwrap();
    let error = session.send("one").await.unwrap().finish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextOverflow);
    let entries = session.entries(Seq(3)).await.unwrap();
    assert_eq!(kinds(&entries), ["input", "model_failed", "run_end"]);
}

#[tokio::test]
async fn a_cancel_stops_a_compaction_and_nothing_of_it_is_kept() {
    let gate = Gate::new();
    let probe = Probe::good().at(&gate);
    let model = ScriptedModel::new([Answer::text(long("yes")), Answer::text("done")]);
    let agent = agent(&model).compaction(probe.compaction()).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    session.send(long("one")).await.unwrap().finish().await.unwrap();
    let run = session.send(long("two")).await.unwrap();
    gate.reached().await;
    run.cancel("enough").await.unwrap();
    let reply = run.finish().await.unwrap();
    assert_eq!(reply.end, Some(RunEnd::Cancelled { reason: "enough".into() }));
    assert_eq!(probe.dropped(), 1, "the summariser was stopped");
    let entries = session.entries(reply.entries.0).await.unwrap();
    assert_eq!(kinds(&entries), ["input", "compact_start", "cancel", "run_end"]);
    gate.open();
    let reply = session.send("three").await.unwrap().finish().await.unwrap();
    assert_eq!(reply.text, "done", "the next run compacts and goes on");
    assert_eq!(probe.asked().len(), 2);
}

#[tokio::test]
async fn a_compaction_that_takes_too_long_is_stopped() {
    let gate = Gate::new();
    let probe = Probe::good().at(&gate);
    let model = ScriptedModel::new([Answer::text(long("yes")), Answer::text("done")]);
    let compaction = probe.compaction().timeout(Duration::from_secs(30));
    let agent = agent(&model).compaction(compaction).build().unwrap();
    let runtime = TestRuntime::new(1);
    let engine =
        Engine::new(std::sync::Arc::new(RamStore::new()), std::sync::Arc::new(runtime.clone()), None);
    let session = engine.session("a", &agent).await.unwrap();
    session.send(long("one")).await.unwrap().finish().await.unwrap();
    let run = session.send(long("two")).await.unwrap();
    gate.reached().await;
    runtime.advance(Duration::from_secs(30)).await;
    assert_eq!(run.finish().await.unwrap().text, "done");
    assert_eq!(probe.dropped(), 1);
    let failed = failures(&session.entries(Seq(1)).await.unwrap());
    assert_eq!(failed[0].0, ErrorKind::Timeout);
}
