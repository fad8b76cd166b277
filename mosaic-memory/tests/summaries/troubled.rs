//! What goes wrong, and what must not be stored.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::queue::{Budget, JobFilter, JobPage, JobState};
use mosaic_core::summary::{Claim, FnSummarizer, Summary, SummaryError, SummaryRequest};
use mosaic_core::testing::Gate;
use mosaic_core::{BoxError, EndedRun, ErrorKind, RunId};
use mosaic_memory::embed::HashingEmbedder;
use mosaic_memory::summary::{ExtractiveSummarizer, SessionSummaries, SummarizeSession};
use mosaic_memory::write::{Redacted, Redactor};

use crate::world::{Asked, World, key};

fn world(summarizer: FnSummarizer) -> World {
    World::new(|sessions, memories| {
        SessionSummaries::new(sessions, memories, Arc::new(summarizer), Arc::new(HashingEmbedder::new(64)))
    })
}

async fn memories(world: &World, ended: &EndedRun) -> u64 {
    world.memories.counts(&ended.scope()).await.unwrap().memories
}

#[tokio::test]
async fn a_summary_with_one_wrong_citation_leaves_nothing_behind_and_is_tried_again() {
    let tries = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = tries.clone();
    let world = world(FnSummarizer::new(move |request: SummaryRequest| {
        let first = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        async move {
            let mut claims = vec![Claim::new("Good.", [request.passages[0].seq])];
            if first {
                claims.push(Claim::new("Invented.", [mosaic_core::Seq(99)]));
            }
            Ok(Summary::new(claims))
        }
    }));
    let session = world.session("s1").await;
    let ended = world.say(&session, "one").await;
    assert_eq!(world.job(SummarizeSession::end(ended.clone())).await.retried, 1);
    assert_eq!(memories(&world, &ended).await, 0);
    world.runtime.advance(Duration::from_secs(60)).await;
    assert_eq!(world.queue.run_due_jobs(Budget::jobs(1)).await.unwrap().done, 1);
    assert_eq!(memories(&world, &ended).await, 2);
}

#[tokio::test]
async fn a_failure_that_stays_is_a_dead_letter() {
    let world = world(FnSummarizer::new(async |_: SummaryRequest| {
        Err(SummaryError::other(ErrorKind::Auth, "no key"))
    }));
    let session = world.session("s1").await;
    let ended = world.say(&session, "one").await;
    assert_eq!(world.job(SummarizeSession::end(ended.clone())).await.dead, 1);
    let dead = JobFilter { state: Some(JobState::Dead), ..JobFilter::default() };
    let dead = world.queue.store().list(&dead, JobPage::default()).await.unwrap();
    assert_eq!(dead[0].error.as_ref().unwrap().message, "no key");
}

#[tokio::test]
async fn a_run_that_has_not_ended_is_looked_at_later_and_one_that_is_gone_is_not() {
    let asked = Asked::default();
    let world = World::counting(&asked);
    let session = world.session("s1").await;
    let ended = world.say(&session, "one").await;
    let gone = EndedRun { run: RunId(uuid::Uuid::from_u128(9)), ..ended.clone() };
    assert_eq!(world.job(SummarizeSession::end(gone)).await.done, 1);
    let erased = EndedRun { session: key("never"), ..ended.clone() };
    assert_eq!(world.job(SummarizeSession::end(erased)).await.done, 1);

    // A run that waits: its input is written, and its end is not.
    let gate = Gate::new();
    let waits = gate.clone();
    let model =
        mosaic_core::testing::ScriptedModel::new([mosaic_core::testing::Answer::text("a").hold(&waits)]);
    let agent = mosaic_core::Agent::builder("helper").model(model).build().unwrap();
    let open = world.engine.session(key("s2"), &agent).await.unwrap();
    let run = open.send("two").await.unwrap();
    gate.reached().await;
    let open = EndedRun { session: key("s2"), run: run.id(), from: mosaic_core::Seq(3), ..ended };
    assert_eq!(world.job(SummarizeSession::end(open.clone())).await.retried, 1);
    assert_eq!(memories(&world, &open).await, 0);
    gate.open();
    run.finish().await.unwrap();
    world.runtime.advance(Duration::from_secs(30)).await;
    assert_eq!(world.queue.run_due_jobs(Budget::jobs(1)).await.unwrap().done, 1);
    assert_eq!(memories(&world, &open).await, 2);
}

#[tokio::test]
async fn a_run_that_never_ends_is_no_dead_letter() {
    let world = World::counting(&Asked::default());
    let model = mosaic_core::testing::ScriptedModel::new([mosaic_core::testing::Answer::never()]);
    let agent = mosaic_core::Agent::builder("helper").model(model).build().unwrap();
    let open = world.engine.session(key("s2"), &agent).await.unwrap();
    let run = open.send("two").await.unwrap();
    let ended = EndedRun {
        session: key("s2"),
        user: None,
        agent: "helper".into(),
        run: run.id(),
        from: mosaic_core::Seq(3),
    };
    let mut report = world.job(SummarizeSession::end(ended)).await;
    for _ in 0..4 {
        assert_eq!(report.retried, 1);
        world.runtime.advance(Duration::from_secs(30)).await;
        report = world.queue.run_due_jobs(Budget::jobs(1)).await.unwrap();
    }
    assert_eq!((report.done, report.dead), (1, 0), "whoever ends it tells of it once more");
}

#[tokio::test]
async fn a_summariser_that_takes_too_long_is_stopped() {
    let gate = Gate::new();
    let at = gate.clone();
    let world = world(FnSummarizer::new(move |_: SummaryRequest| {
        let at = at.clone();
        async move {
            at.pass().await;
            Err(SummaryError::Nothing)
        }
    }));
    let session = world.session("s1").await;
    let ended = world.say(&session, "one").await;
    world.queue.add(SummarizeSession::end(ended.clone()).job()).await.unwrap();
    let queue = world.queue.clone();
    let report = tokio::spawn(async move { queue.run_due_jobs(Budget::jobs(1)).await.unwrap() });
    gate.reached().await;
    world.runtime.advance(Duration::from_secs(120)).await;
    assert_eq!(report.await.unwrap().retried, 1);
    assert_eq!(memories(&world, &ended).await, 0);
}

#[tokio::test]
async fn a_session_that_is_erased_meanwhile_leaves_no_summary() {
    let gate = Gate::new();
    let at = gate.clone();
    let world = world(FnSummarizer::new(move |request: SummaryRequest| {
        let at = at.clone();
        async move {
            at.pass().await;
            Ok(Summary::new(vec![Claim::new("Good.", [request.passages[0].seq])]))
        }
    }));
    let session = world.session("s1").await;
    let ended = world.say(&session, "one").await;
    world.queue.add(SummarizeSession::end(ended.clone()).job()).await.unwrap();
    let queue = world.queue.clone();
    let report = tokio::spawn(async move { queue.run_due_jobs(Budget::jobs(1)).await.unwrap() });
    gate.reached().await;
    world.engine.erase(key("s1")).await.unwrap();
    gate.open();
    assert_eq!(report.await.unwrap().done, 1);
    assert_eq!(memories(&world, &ended).await, 0);
}

/// Refuses what is about the bomb.
#[derive(Debug)]
struct Careful;

#[async_trait::async_trait]
impl Redactor for Careful {
    async fn redact(&self, text: &str) -> Result<Redacted, BoxError> {
        Ok(match text {
            text if text.contains("bomb") => Redacted::Refused { why: "no".into() },
            text if text.contains("4711") => Redacted::Changed { text: text.replace("4711", "[pin]") },
            _ => Redacted::Clean,
        })
    }
}

#[tokio::test]
async fn what_must_not_be_stored_is_neither_summarised_nor_stored() {
    let asked = Asked::default();
    let claims = asked.clone();
    let inner = crate::world::counting(&claims);
    let leaky = FnSummarizer::new(move |request: SummaryRequest| {
        let inner = inner.clone();
        async move {
            use mosaic_core::summary::Summarizer;
            let mut summary = inner.summarize(&request).await?;
            let cite = summary.cites()[0];
            summary.claims.push(Claim::new("It is about a bomb.", [cite]));
            summary.claims.push(Claim::new("The pin is 4711.", [cite]));
            Ok(summary)
        }
    });
    let world = World::new(|sessions, memories| {
        SessionSummaries::new(sessions, memories, Arc::new(leaky), Arc::new(HashingEmbedder::new(64)))
            .options(|options| options.redactor = Arc::new(Careful))
    });
    let session = world.session("s1").await;
    world.say(&session, "My pin is 4711").await;
    let ended = world.say(&session, "About the bomb").await;
    world.job(SummarizeSession::end(ended.clone())).await;
    let said: Vec<String> = asked.take()[0].passages.iter().map(|said| said.text.clone()).collect();
    assert_eq!(said, ["My pin is [pin]", "Yes.", "Yes."]);
    let episode = &world.found(&ended, "episode").await[0];
    assert_eq!(episode.text(), "- They said My pin is [pin].\n- The pin is [pin].");
}

#[tokio::test]
async fn keys_are_left_out_without_a_setting() {
    let world = World::new(|sessions, memories| {
        SessionSummaries::new(
            sessions,
            memories,
            Arc::new(ExtractiveSummarizer::default()),
            Arc::new(HashingEmbedder::new(64)),
        )
    });
    let session = world.session("s1").await;
    let ended = world.say(&session, "My key for the deployment service is sk-abcdefghijklmnop123.").await;
    world.job(SummarizeSession::end(ended.clone())).await;
    for level in ["episode", "session"] {
        let text = world.found(&ended, level).await[0].text().into_owned();
        assert!(text.contains("[secret]") && !text.contains("sk-"), "{text}");
    }
}

/// Cites what it likes, and checks nothing.
#[derive(Debug)]
struct Careless;

#[async_trait::async_trait]
impl mosaic_core::summary::Summarizer for Careless {
    async fn summarize(&self, request: &SummaryRequest) -> Result<Summary, SummaryError> {
        let good = Claim::new("Good.", [request.passages[0].seq]);
        Ok(Summary::new(vec![good, Claim::new("Invented.", [])]))
    }
}

#[tokio::test]
async fn a_summariser_is_not_trusted_to_check_itself() {
    let world = World::new(|sessions, memories| {
        let embedder = Arc::new(HashingEmbedder::new(64));
        SessionSummaries::new(sessions, memories, Arc::new(Careless), embedder)
    });
    let session = world.session("s1").await;
    let ended = world.say(&session, "one").await;
    assert_eq!(world.job(SummarizeSession::end(ended.clone())).await.retried, 1);
    assert_eq!(memories(&world, &ended).await, 0);
}
