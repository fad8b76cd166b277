//! Compaction loses nothing (guarantee G7): the log keeps all, facts survive beside the prose, undo works, and what makes no
//! progress is stopped.

mod failing;
mod probe;

use std::sync::Arc;

use mosaic_core::testing::{Answer, Gate, ScriptedModel};
use mosaic_core::{
    Body, Decision, Effect, Entry, ErrorKind, Event, Facts, Input, InputDelivery, ModelError, RunEnd, Seq,
    SummaryUse, ToolStatus,
};
use mosaic_storage::RamStore;
use serde_json::json;

use crate::support::{Fake, agent, engine, engine_over, kinds};
pub(crate) use probe::{Probe, claiming, long, texts, window};

/// The only compaction of a log.
fn compacted(entries: &[Entry]) -> (Seq, Facts, Vec<Seq>) {
    let found: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::Compaction { upto, facts, claims, .. } => {
                let cites = claims.iter().flat_map(|claim| claim.cites.iter().copied()).collect();
                Some((*upto, Facts::from_value(facts).expect("facts"), cites))
            }
            _ => None,
        })
        .collect();
    assert_eq!(found.len(), 1, "{:?}", kinds(entries));
    found.into_iter().next().unwrap()
}

#[tokio::test]
async fn the_old_part_becomes_a_summary_with_facts_and_the_log_keeps_all() {
    let probe = Probe::good();
    let arguments = json!({"n": 900, "to": "https://bank.example/landlord"});
    let model = ScriptedModel::new([
        Answer::text(long("I see. ")).then_call("pay", arguments),
        Answer::text("Paid."),
        Answer::text("Fine."),
        Answer::text("Good."),
    ]);
    let mut pay = Fake::ok("pay");
    pay.spec = pay.spec.effect(Effect::Once).approval(mosaic_core::Approval::Always);
    let compaction = probe.compaction().at_tokens(350).keep_recent(50);
    let agent = agent(&model).tool(pay.clone()).compaction(compaction).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();

    let mut run = session.send(long("Pay the rent")).await.unwrap();
    while let Some(event) = run.next().await {
        if let Event::Entry { entry } = event
            && entry.body.kind() == "question"
        {
            session.answer(entry.seq, "ann", Decision::Approve).await.unwrap();
        }
    }
    let before = session.entries(Seq(1)).await.unwrap();
    session.send("And now?").await.unwrap().finish().await.unwrap();
    assert!(probe.asked().is_empty(), "it is not long enough");
    let reply = session.send(long("Tell me more")).await.unwrap().finish().await.unwrap();
    assert_eq!((reply.end, reply.text.as_str()), (Some(RunEnd::Done), "Good."));

    // The summariser was given what was said, with the entries, and rests on nothing else.
    let asked = &probe.asked()[0];
    assert_eq!((asked.used_for, asked.earlier.clone()), (SummaryUse::Compaction, None));
    let who: Vec<String> = asked.passages.iter().map(|passage| passage.who.label()).collect();
    assert_eq!(who, ["user", "assistant", "tool pay", "assistant", "user", "assistant"]);

    // The model sees the summary, the facts, and the newest part as it was said.
    let request = &model.requests()[3];
    let seen = texts(request);
    assert_eq!(seen.len(), 2, "{seen:#?}");
    assert!(seen[1].starts_with("user: Tell me more"));
    for fact in [
        "- They talked.",
        "(answered) Pay the rent",
        "pay({\"n\":900,\"to\":\"https://bank.example/landlord\"}): ok. got",
        "ann approved: pay",
        "- https://bank.example/landlord (pay)",
    ] {
        assert!(seen[0].contains(fact), "{fact} is missing in {}", seen[0]);
    }

    // Nothing of the log is gone, and every claim leads to entries that are there.
    let entries = session.entries(Seq(1)).await.unwrap();
    assert_eq!(entries[..before.len()], before);
    let (upto, facts, cites) = compacted(&entries);
    assert!(
        !cites.is_empty() && cites.iter().all(|seq| *seq <= upto && entries[seq.0 as usize - 1].seq == *seq)
    );
    assert_eq!((facts.effects[0].tool.as_str(), facts.effects[0].status), ("pay", ToolStatus::Ok));
    assert_eq!(pay.called(), 1);
    assert_eq!(reply.usage.input, 9, "what the summary took is the run's");
}

#[tokio::test]
async fn undo_gives_the_whole_conversation_back() {
    let probe = Probe::good();
    let model = ScriptedModel::from_fn(|_| Answer::text(long("yes")));
    let agent = agent(&model).compaction(probe.compaction()).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    let first = session.send(long("one")).await.unwrap().finish().await.unwrap();
    session.send("two").await.unwrap().finish().await.unwrap();
    assert_eq!(probe.asked().len(), 0);
    session.send("three").await.unwrap().finish().await.unwrap();
    assert_eq!(probe.asked().len(), 1);
    let seen = texts(&model.requests()[2]);
    assert!(seen[0].starts_with("user: Summary of the conversation"), "{seen:?}");

    session.rewind(first.entries.1).await.unwrap();
    session.send("again").await.unwrap().finish().await.unwrap();
    let seen = texts(&model.requests()[3]);
    assert_eq!(
        seen,
        [format!("user: {}", long("one")), format!("assistant: {}", long("yes")), "user: again".into()]
    );
    assert_eq!(probe.asked().len(), 1);

    // What was left behind is not summarised either.
    session.send(long("more")).await.unwrap().finish().await.unwrap();
    let passages = &probe.asked()[1].passages;
    assert!(passages.iter().all(|passage| passage.text != "two" && passage.text != "three"), "{passages:?}");
    assert_eq!(probe.asked()[1].earlier, None, "and its summary is not rolled on");
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_compacted_and_asked_again() {
    let probe = Probe::good();
    let model = ScriptedModel::new([
        Answer::text(long("yes")),
        Answer::error(ModelError::new(ErrorKind::ContextOverflow, "too long")),
        Answer::text("done"),
    ]);
    // Nobody knows its window.
    let compaction = mosaic_core::Compaction::new(probe.clone()).keep_recent(50);
    let agent = agent(&model).compaction(compaction).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    session.send(long("one")).await.unwrap().finish().await.unwrap();

    let reply = session.send("two").await.unwrap().finish().await.unwrap();

    assert_eq!((reply.end, reply.text.as_str()), (Some(RunEnd::Done), "done"));
    let entries = session.entries(reply.entries.0).await.unwrap();
    assert_eq!(
        kinds(&entries),
        ["input", "model_failed", "compact_start", "compaction", "assistant", "run_end"]
    );
    let seen = texts(&model.requests()[2]);
    assert_eq!((seen.len(), seen[1].as_str()), (2, "user: two"));
}

#[tokio::test]
async fn a_long_row_of_calls_is_compacted_within_its_run_and_the_summary_is_rolled_on() {
    let probe = Probe::new(|request| {
        let rolled = request.earlier.as_ref().map_or(0, |earlier| earlier.claims.len());
        Ok(claiming(&format!("They looked, after {rolled}."), request))
    });
    let model = ScriptedModel::from_fn({
        let mut asked = 0;
        move |_| {
            asked += 1;
            if asked < 10 {
                Answer::text(long("hm")).then_call("look", json!({"n": asked}))
            } else {
                Answer::text("done")
            }
        }
    });
    let agent = agent(&model).tool(Fake::ok("look")).compaction(probe.compaction()).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    let reply = session.send("Look everywhere").await.unwrap().finish().await.unwrap();

    assert_eq!(reply.text, "done");
    let asked = probe.asked();
    assert!(asked.len() > 2, "{}", asked.len());
    for (before, after) in asked.iter().zip(&asked[1..]) {
        let last = before.passages.last().unwrap().seq;
        assert!(after.passages.iter().all(|passage| passage.seq > last), "only what is new is summarised");
        assert!(after.earlier.is_some());
    }
    for request in model.requests() {
        let seen = texts(&request);
        let knows = seen.iter().any(|text| text.contains("Look everywhere"));
        assert!(knows, "the task is kept, as it was said or as a fact: {seen:#?}");
        assert!(seen.len() < 8);
    }
    let calls = |entry: &&Entry| entry.body.kind() == "tool_end";
    assert_eq!(session.entries(Seq(1)).await.unwrap().iter().filter(calls).count(), 9, "the log keeps all");
}

#[tokio::test]
async fn what_is_said_while_the_conversation_is_compacted_is_heard() {
    let gate = Gate::new();
    let probe = Probe::good().at(&gate);
    let model = ScriptedModel::new([Answer::text(long("yes")), Answer::text("done")]);
    let agent = agent(&model).compaction(probe.compaction()).build().unwrap();
    let session = engine().session("a", &agent).await.unwrap();
    session.send(long("one")).await.unwrap().finish().await.unwrap();
    let run = session.send(long("two")).await.unwrap();
    gate.reached().await;
    let steer = Input { delivery: InputDelivery::Steer, ..Input::from("and this") };
    session.send(steer).await.unwrap();
    gate.open();
    run.finish().await.unwrap();
    let seen = texts(&model.requests()[1]);
    assert_eq!(seen.last().map(String::as_str), Some("user: and this"), "{seen:?}");
}

#[tokio::test]
async fn a_process_that_dies_while_it_compacts_compacts_again_when_it_goes_on() {
    let store = Arc::new(RamStore::new());
    tokio::task::spawn_blocking({
        let store = Arc::new(store.sibling());
        move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async move {
                let gate = Gate::new();
                let model = ScriptedModel::new([Answer::text(long("yes"))]);
                let probe = Probe::good().at(&gate);
                let agent = agent(&model).compaction(probe.compaction()).build().unwrap();
                let session = engine_over(store).session("a", &agent).await.unwrap();
                session.send(long("one")).await.unwrap().finish().await.unwrap();
                let _run = session.send(long("two")).await.unwrap();
                gate.reached().await;
            });
        }
    })
    .await
    .unwrap();

    let (probe, model) = (Probe::good(), ScriptedModel::new([Answer::text("done")]));
    let agent = agent(&model).compaction(probe.compaction()).build().unwrap();
    let session = engine_over(store).session("a", &agent).await.unwrap();
    let run = session.resume().await.unwrap().expect("something was interrupted");
    assert_eq!(run.finish().await.unwrap().text, "done");
    let entries = session.entries(Seq(1)).await.unwrap();
    assert_eq!(kinds(&entries[5..]), ["input", "compact_start", "compaction", "assistant", "run_end"]);
    assert_eq!(probe.asked().len(), 1);
}

#[tokio::test]
async fn an_engine_may_compact_by_default_and_an_agent_may_decline() {
    let probe = Probe::good();
    let model = ScriptedModel::from_fn(|_| Answer::text(long("yes"))).with_info(window(300));
    let engine = engine();
    assert!(engine.compact_by_default(probe.compaction().max_tries(0)).is_err());
    engine.compact_by_default(mosaic_core::Compaction::new(probe.clone()).keep_recent(50)).unwrap();
    let declines = agent(&model).compaction(None).build().unwrap();
    let agent = agent(&model).build().unwrap();
    for (name, agent, asked) in [("a", &declines, 0), ("b", &agent, 1)] {
        let session = engine.session(name, agent).await.unwrap();
        session.send(long("one")).await.unwrap().finish().await.unwrap();
        session.send(long("two")).await.unwrap().finish().await.unwrap();
        assert_eq!(probe.asked().len(), asked);
    }
}
