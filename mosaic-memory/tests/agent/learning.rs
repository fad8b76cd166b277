//! What is learnt from a run that has ended.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{MemoryKind, MemoryStore, Scope};
use mosaic_core::queue::{JobFilter, JobPage};
use mosaic_core::testing::{Answer, ScriptedModel};
use mosaic_core::{EndedRun, RunId, Seq, SessionStore};
use mosaic_memory::agent::{AfterRun, REMEMBER};
use mosaic_memory::write::{ModelExtractor, RulesExtractor};
use serde_json::json;

use crate::house::{House, ann, of_ann};

#[tokio::test]
async fn a_run_becomes_its_turns_and_what_was_found_in_them() {
    let house = House::new();
    house
        .ann_says(
            "monday",
            "I prefer tea for breakfast. My key is sk-proj-abcdefghijklmnopqrstuvwxyz0123456789.",
        )
        .await;
    assert_eq!(house.all(&of_ann()).await.len(), 0, "nothing is learnt while the run goes on");
    assert_eq!(house.work().await.done, 1);

    let memories = house.all(&of_ann()).await;
    let shown = |kind| {
        let of_kind = memories.iter().filter(move |memory| memory.body.kind() == kind);
        of_kind.map(|memory| memory.text().into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(shown(MemoryKind::Preference), ["breakfast: tea"]);
    let said = shown(MemoryKind::Episode);
    assert!(said[0].starts_with("I prefer tea for breakfast.") && !said[0].contains("sk-proj"), "{said:?}");
    assert_eq!(said[1], "I see.");
    let place = memories.iter().find_map(|memory| memory.place.clone()).unwrap();
    assert_eq!((&*place.conversation, place.position, place.speaker.as_deref()), ("monday", 3, Some("ann")));
    assert!(memories.iter().all(|memory| !memory.source.is_empty()));
}

#[tokio::test]
async fn a_run_that_is_told_of_twice_is_learnt_once() {
    // The model has one answer: asked a second time, the job would die.
    let found = json!({"preferences": [], "insights": []}).to_string();
    let extractor = ModelExtractor::new(Arc::new(ScriptedModel::new([Answer::text(found)])));
    let house = House::with(Arc::new(extractor), |_| {});
    house.ann_says("monday", "I prefer tea for breakfast.").await;
    house.work().await;
    let before = house.all(&of_ann()).await;

    let entries = house.session(ann("monday")).await.entries(Seq(1)).await.unwrap();
    let run = EndedRun {
        session: ann("monday").key,
        user: Some("ann".into()),
        agent: "butler".into(),
        run: entries[2].run.unwrap(),
        from: Seq(3),
    };
    house.queue().add(AfterRun::job(REMEMBER.into(), &run)).await.unwrap();
    assert_eq!(house.work().await.done, 1);
    assert_eq!(house.all(&of_ann()).await, before, "not even strengthened");
}

#[tokio::test]
async fn a_run_that_has_not_ended_is_waited_for_and_one_that_is_gone_is_not() {
    let house = House::new();
    house.model.push(Answer::never());
    let session = house.session(ann("monday")).await;
    let run = session.send("I prefer tea for breakfast.").await.unwrap();
    let told = EndedRun {
        session: ann("monday").key,
        user: Some("ann".into()),
        agent: "butler".into(),
        run: run.id(),
        from: Seq(3),
    };
    let job = AfterRun::job(REMEMBER.into(), &told);
    let attempts = job.max_attempts;
    house.queue().add(job).await.unwrap();
    for attempt in 1..attempts {
        let report = house.work().await;
        assert_eq!((report.done, report.retried, report.dead), (0, 1, 0), "attempt {attempt}");
        house.runtime.advance(Duration::from_secs(900)).await;
    }
    assert_eq!(house.work().await.done, 1, "it gives up without a dead letter");
    assert_eq!(house.all(&of_ann()).await.len(), 0);

    // Cancelled, it ends, and is told of anew.
    run.cancel("enough").await.unwrap();
    run.finish().await.unwrap();
    assert_eq!(house.work().await.done, 1);
    assert_eq!(house.all(&of_ann()).await.len(), 2, "what was said before the cancel counts");

    drop(session);
    house.ann_says("tuesday", "I prefer coffee for breakfast.").await;
    house.store.erase(&ann("tuesday").key).await.unwrap();
    assert_eq!(house.work().await.done, 1);
    assert_eq!(house.all(&of_ann()).await.len(), 2, "what was erased is not learnt");
    let nobody_s = EndedRun { run: RunId(uuid::Uuid::nil()), ..told };
    house.queue().add(AfterRun::job(REMEMBER.into(), &nobody_s)).await.unwrap();
    assert_eq!(house.work().await.done, 1);
}

#[tokio::test]
async fn a_model_that_makes_no_sense_is_asked_again_later_and_nothing_is_half_written() {
    let sense = json!({"preferences": [{"key": "breakfast", "value": "tea", "confidence": 0.9, "importance": 0.5, "sources": [1], "replaces": []}], "insights": []});
    let nonsense = std::iter::repeat_with(|| Answer::text("Sure! Here are the memories:")).take(3);
    let extracting = ScriptedModel::new(nonsense.chain([Answer::text(sense.to_string())]));
    let house = House::with(Arc::new(ModelExtractor::new(Arc::new(extracting.clone()))), |_| {});
    house.ann_says("monday", "I prefer tea for breakfast.").await;

    let mut report = house.work().await;
    assert_eq!((report.done, report.retried), (0, 1));
    assert_eq!(house.all(&of_ann()).await.len(), 0, "not even the turns");
    let waiting = house.queue().store().list(&JobFilter::default(), JobPage::default()).await.unwrap();
    assert!(waiting[0].error.as_ref().unwrap().message.contains("made no sense"), "{waiting:?}");
    while report.done == 0 {
        assert_eq!(
            report.dead,
            0,
            "{:?}",
            house.queue().store().list(&JobFilter::default(), JobPage::default()).await
        );
        house.runtime.advance(Duration::from_secs(60)).await;
        report = house.work().await;
    }
    assert_eq!(house.all(&of_ann()).await.len(), 3);
    assert_eq!(house.all(&Scope::of("acme").user("bob")).await.len(), 0);
}

#[tokio::test]
async fn a_long_message_is_remembered_by_its_beginning() {
    let house = House::with(Arc::new(RulesExtractor), |_| {});
    house.ann_says("monday", &"tea ".repeat(2_500_000)).await;
    assert_eq!(house.work().await.done, 1);
    let lengths: Vec<usize> = house.all(&of_ann()).await.iter().map(|memory| memory.text().len()).collect();
    assert_eq!(lengths, [8_004, 6]);
}

#[tokio::test]
async fn a_session_is_summarised_part_by_part_and_whole() {
    let house = House::new();
    for text in [
        "My boat is called Miso.",
        "It leaks at the stern.",
        "I shall dry it in May.",
        "The yard is in Moss.",
    ] {
        house.ann_says("monday", text).await;
        house.work_on_all().await;
    }
    let memories = house.all(&of_ann()).await;
    let summaries: Vec<_> = memories.iter().filter(|memory| memory.source.len() > 1).collect();
    assert_eq!(summaries.len(), 2, "an episode and the whole session: {summaries:?}");
    for summary in summaries {
        assert!(summary.text().contains("Miso"), "{}", summary.text());
        assert!(summary.source.iter().all(|source| &*source.session == "monday"));
    }
    // They go with the user.
    house.memories.erase(&of_ann()).await.unwrap();
    assert_eq!(house.all(&Scope::of("acme")).await.len(), 0);
}

#[tokio::test]
async fn what_was_told_counts_as_used() {
    let house = House::new();
    house.ann_says("monday", "My boat is called Miso.").await;
    house.work().await;
    house.ann_says("tuesday", "What is my boat called?").await;
    let used: Vec<u64> = house.all(&of_ann()).await.iter().map(|memory| memory.accessed).collect();
    assert!(used.contains(&1), "{used:?}");
}
