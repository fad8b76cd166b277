//! Episodes as a session goes on, and a summary of the whole on top.

use std::sync::Arc;

use mosaic_core::memory::Change;
use mosaic_core::summary::SummaryUse;
use mosaic_core::{EndedRun, Runtime, Seq};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::recall::{Recall, RecallOptions, RecallRequest};
use mosaic_memory::summary::{SessionSummaries, SummarizeSession, SummarizeWhen, summary_of};

use crate::world::{Asked, World, counting, sources, span};

#[tokio::test]
async fn only_what_is_new_is_summarised_when_there_is_enough_of_it() {
    let asked = Asked::default();
    let world = World::counting(&asked);
    let session = world.session("s1").await;

    let ended = world.say(&session, "one").await;
    assert_eq!(world.job(SummarizeSession::rolling(ended)).await.done, 1);
    assert!(asked.take().is_empty(), "one run is not enough");

    let ended = world.say(&session, "two").await;
    world.job(SummarizeSession::rolling(ended.clone())).await;
    let episodes = world.found(&ended, "episode").await;
    assert_eq!(episodes.iter().map(|memory| span(memory)).collect::<Vec<_>>(), [(3, 8)]);
    assert_eq!(sources(&episodes[0]), [3, 4, 6, 7], "what is cited is its source");
    assert_eq!(episodes[0].text(), "- They said one.");
    asked.take();

    // Nothing happens twice, and nothing without anything new.
    world.job(SummarizeSession::rolling(ended.clone())).await;
    world.job(SummarizeSession::end(ended.clone())).await;
    assert!(asked.take().is_empty());

    // At the end the rest counts however little it is.
    let ended = world.say(&session, "three").await;
    world.job(SummarizeSession::end(ended.clone())).await;
    let requests = asked.take();
    assert_eq!(requests[0].passages.iter().map(|said| said.seq.0).collect::<Vec<_>>(), [9, 10]);
    let episodes = world.found(&ended, "episode").await;
    assert_eq!(episodes.iter().map(|memory| span(memory)).collect::<Vec<_>>(), [(3, 8), (9, 11)]);
    assert_eq!(session.entries(Seq(1)).await.unwrap().len(), 11, "the log is as it was");
}

#[tokio::test]
async fn a_long_session_that_was_never_summarised_becomes_several_episodes() {
    let asked = Asked::default();
    let world = World::counting(&asked);
    let session = world.session("s1").await;
    let mut last = None;
    for n in 0..7 {
        last = Some(world.say(&session, &format!("number {n}")).await);
    }
    let ended = last.unwrap();
    world.job(SummarizeSession::rolling(ended.clone())).await;
    let spans: Vec<_> = world.found(&ended, "episode").await.iter().map(|memory| span(memory)).collect();
    assert_eq!(spans, [(3, 8), (9, 14), (15, 20)], "two runs each; the seventh waits for an eighth");
    assert!(asked.take().iter().all(|request| request.passages.len() <= 4));
}

#[tokio::test]
async fn the_summary_of_the_whole_rolls_on_and_is_asked_for_when_it_grows_too_long() {
    let asked = Asked::default();
    let summarizer = Arc::new(counting(&asked));
    let world = World::new(|sessions, memories| {
        SessionSummaries::new(sessions, memories, summarizer, Arc::new(HashingEmbedder::new(64))).options(
            |options| {
                options.every_runs = 1;
                options.session_tokens = 30;
            },
        )
    });
    let session = world.session("s1").await;
    let mut ids = Vec::new();
    for n in 0..4 {
        let ended = world.say(&session, &format!("something of some length, number {n}")).await;
        world.job(SummarizeSession::rolling(ended.clone())).await;
        let whole = world.found(&ended, "session").await;
        assert_eq!(whole.len(), 1, "the one before is superseded");
        assert_eq!(span(&whole[0]), (3, 5 + 3 * n));
        ids.push(whole[0].id);
        if n == 3 {
            assert!(whole[0].text().contains("A session of"), "{}", whole[0].text());
            assert_eq!(
                sources(&whole[0]),
                [3, 4, 6, 7, 9, 10, 12, 13],
                "what the first claims rest on is still known"
            );
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 4);
    let requests = asked.take();
    let of_session: Vec<_> =
        requests.iter().filter(|request| request.used_for == SummaryUse::Session).collect();
    assert!(!of_session.is_empty() && of_session.len() < 4, "short ones are put together without asking");
    assert!(of_session.iter().all(|request| request.passages.is_empty() && request.earlier.is_some()));
}

#[tokio::test]
async fn episodes_are_recalled_and_lead_back_to_the_log() {
    let world = World::counting(&Asked::default());
    let session = world.session("s1").await;
    let ended = world.say(&session, "The ferry to Oslo leaves Kiel at two.").await;
    world.job(SummarizeSession::end(ended.clone())).await;
    let recall =
        Recall::new(world.memories.clone(), Arc::new(HashingEmbedder::new(64)), RecallOptions::default());
    let request = RecallRequest::new(ended.scope(), "When does the ferry leave?").now(world.runtime.now());
    let found = recall.recall(&request).await.unwrap();
    let memory = &found.hits[0].memory;
    let summary = summary_of(memory).unwrap();
    let entries = session.entries(Seq(1)).await.unwrap();
    let cited = &entries[summary.claims[0].cites[0].0 as usize - 1];
    assert_eq!(cited.body.kind(), "input");
    // With a vector, so that meaning finds it, too.
    let counts = world.memories.counts(&ended.scope()).await.unwrap();
    assert_eq!(counts.vectors.values().sum::<u64>(), counts.memories);
}

#[tokio::test]
async fn erasing_the_user_or_the_session_takes_the_summaries() {
    let world = World::counting(&Asked::default());
    let session = world.session("s1").await;
    let of_ann = world.say(&session, "one").await;
    let of_nobody = EndedRun { user: None, ..of_ann.clone() };
    for ended in [of_ann, of_nobody] {
        world.job(SummarizeSession::end(ended.clone())).await;
        assert_eq!(world.found(&ended, "episode").await.len(), 1);
        world.memories.erase(&ended.scope()).await.unwrap();
        assert_eq!(world.memories.counts(&ended.scope()).await.unwrap().memories, 0);
    }
}

#[tokio::test]
async fn what_a_rewind_left_behind_is_no_longer_believed_and_what_follows_is_summarised() {
    let asked = Asked::default();
    let world = World::counting(&asked);
    let session = world.session("s1").await;
    let mut ended = world.say(&session, "one").await;
    for text in ["two", "wrong", "wronger"] {
        ended = world.say(&session, text).await;
    }
    world.job(SummarizeSession::rolling(ended.clone())).await;
    let before = world.found(&ended, "episode").await;
    assert_eq!(before.len(), 2);

    session.rewind(Seq(8)).await.unwrap();
    let ended = world.say(&session, "right").await;
    world.job(SummarizeSession::rolling(ended.clone())).await;
    let after = world.found(&ended, "episode").await;
    assert_eq!(after.iter().map(|memory| memory.id).collect::<Vec<_>>(), [before[0].id]);
    let whole = world.found(&ended, "session").await;
    assert_eq!(
        whole.iter().map(|memory| span(memory)).collect::<Vec<_>>(),
        [(3, 8)],
        "it is made anew of what stands"
    );
    assert!(!whole[0].text().contains("wrong"));
    let closed = world.memories.get(&ended.scope(), &[before[1].id]).await.unwrap();
    assert!(closed[0].as_ref().unwrap().closed_at.is_some(), "it is closed, and not removed");

    asked.take();
    world.job(SummarizeSession::end(ended.clone())).await;
    let said: Vec<String> = asked.take()[0].passages.iter().map(|said| said.text.clone()).collect();
    assert_eq!(said, ["right", "Yes."]);
}

#[tokio::test]
async fn a_host_without_a_queue_summarises_by_hand() {
    let asked = Asked::default();
    let world = World::counting(&asked);
    let session = world.session("s1").await;
    let ended = world.say(&session, "one").await;
    let embedder = Arc::new(HashingEmbedder::new(64));
    let summaries = SessionSummaries::new(
        world.sessions.clone(),
        world.memories.clone(),
        Arc::new(counting(&asked)),
        embedder,
    );
    let runtime: &dyn Runtime = world.runtime.as_ref();
    let made = summaries.summarize(&ended, SummarizeWhen::End, runtime).await.unwrap();
    assert_eq!((made.episodes.len(), made.session.is_some()), (1, true));
    let again = summaries.summarize(&ended, SummarizeWhen::End, runtime).await.unwrap();
    assert_eq!((again.episodes.len(), again.session), (0, None));
}

#[tokio::test]
async fn an_episode_that_was_forgotten_is_not_made_again() {
    let asked = Asked::default();
    let world = World::counting(&asked);
    let session = world.session("s1").await;
    world.say(&session, "one").await;
    let ended = world.say(&session, "two").await;
    world.job(SummarizeSession::rolling(ended.clone())).await;
    asked.take();
    let made = world.found(&ended, "episode").await;
    let close = Change::Close { id: made[0].id, at: world.runtime.now(), kept: None };
    world.memories.apply(&ended.scope(), vec![close]).await.unwrap();
    world.job(SummarizeSession::end(ended.clone())).await;
    assert!(asked.take().is_empty(), "nobody is asked for it again");
    assert!(world.found(&ended, "episode").await.is_empty());
}
