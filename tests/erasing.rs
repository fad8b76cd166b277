//! A user is erased: memories, summaries, vectors, jobs, rows of agent logs in all tiers, and the sessions' logs, also archived ones. The files
//! are searched for what was planted.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use mosaic::agent_log::LogFilter;
use mosaic::memory::Scope;
use mosaic::memory::agent_log::{TierPolicy, tier_job};
use mosaic::memory::embed::HashingEmbedder;
use mosaic::memory::session_archive::Archived;
use mosaic::prelude::*;
use mosaic::queue::NewJob;
use mosaic::storage::sqlite::SqliteOptions;
use mosaic::storage::{FolderArchive, SqliteVectorCache};
use mosaic::testing::{Answer, ScriptedModel};
use mosaic::{AgentLogSetup, Seq, SessionArchiveSetup, SessionLogs};
use serde_json::json;

/// Ann's and Bob's words, each unlike all others.
const PLANTED: [&str; 4] = ["xylophoneann", "quartzann", "xylophonebob", "quartzbob"];

struct House {
    mosaic: Mosaic,
    agent: Agent,
    model: ScriptedModel,
}

impl House {
    async fn open(folder: &Path) -> Self {
        let cache = SqliteVectorCache::open(SqliteOptions::new(folder.join("cache.db"))).await.unwrap();
        let memory = MemorySetup::new(Arc::new(HashingEmbedder::new(64))).cache(Arc::new(cache));
        let archive = Arc::new(FolderArchive::open(folder.join("logs")).await.unwrap());
        let mut policy = TierPolicy::default();
        policy.hot_rows = 5;
        let sessions = Arc::new(FolderArchive::open(folder.join("sessions")).await.unwrap());
        let mosaic = Mosaic::builder()
            .memory(memory)
            .archive_sessions(SessionArchiveSetup::new(sessions))
            .agent_log(AgentLogSetup::new(archive).policy(policy))
            .open(format!("sqlite://{}", folder.join("app.db").display()))
            .await
            .unwrap();
        let model = ScriptedModel::from_fn(|_| Answer::text("I see."));
        let agent =
            Agent::builder("butler").model(model.clone()).memory(mosaic.memory().unwrap()).build().unwrap();
        Self { mosaic, agent, model }
    }

    async fn say(&self, user: &str, session: &str, text: &str) {
        let key = SessionKey::new(format!("{user}-{session}")).user(user);
        let session = self.mosaic.session(key, &self.agent).await.unwrap();
        session.send(text).await.unwrap().finish().await.unwrap();
    }

    /// Both talk in turns, so that their rows lie side by side.
    async fn talk(&self) {
        for n in 0..12 {
            for user in ["ann", "bob"] {
                let text = format!(
                    "I prefer xylophone{user} for number{n}. Remember that quartz{user} is {n} stones."
                );
                self.say(user, &format!("session{}", n / 4), &text).await;
            }
        }
        self.mosaic.idle().await.unwrap();
        // Most rows of agent logs move to the archive.
        self.mosaic.jobs().unwrap().add(tier_job()).await.unwrap();
        self.mosaic.idle().await.unwrap();
    }
}

/// Which of the words are in a folder's files.
fn found(folder: &Path) -> Vec<&'static str> {
    let mut files = vec![folder.to_owned()];
    let mut found: Vec<&str> = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let packed = std::mem::take(&mut bytes);
            flate2::read::MultiGzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
        }
        found.extend(PLANTED.iter().filter(|word| memchr::memmem::find(&bytes, word.as_bytes()).is_some()));
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[tokio::test]
async fn nothing_is_left_of_an_erased_user_and_all_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    house.talk().await;
    let jobs = house.mosaic.jobs().unwrap();
    for user in ["ann", "bob"] {
        let payload = json!({"about": [{"user": user}], "note": format!("quartz{user}")});
        jobs.add(NewJob::new("of the host", payload)).await.unwrap();
    }
    assert_eq!(found(folder.path()).len(), 4);

    let erased = house.mosaic.erase_user("default", "ann", SessionLogs::Erased).await.unwrap();
    assert_eq!((erased.sessions, erased.jobs), (3, 1));
    assert!(erased.memories.memories > 36, "two turns a run, preferences, insights, summaries: {erased:?}");
    assert!(erased.log_rows >= 24, "a run and a model call each: {erased:?}");
    assert!(erased.cached > 0, "{erased:?}");
    assert_eq!(found(folder.path()), ["quartzbob", "xylophonebob"]);

    let bob = Scope::default().user("bob");
    let stores = house.mosaic.stores().unwrap();
    assert!(stores.memories.counts(&bob).await.unwrap().memories > 36);
    let rows = house.mosaic.agent_log().unwrap().all_rows(&LogFilter::of(bob)).await.unwrap();
    assert_eq!(rows.len(), 24);
    let session = house.mosaic.find_session("bob-session0", &house.agent).await.unwrap().unwrap();
    assert!(session.entries(Seq(1)).await.unwrap().len() > 10);
    drop(session);
    house.mosaic.close().await.unwrap();
    assert_eq!(found(folder.path()), ["quartzbob", "xylophonebob"]);

    // A new Ann starts from nothing.
    let house = House::open(folder.path()).await;
    house.say("ann", "session0", "What do I prefer?").await;
    assert!(!format!("{:?}", house.model.requests()).contains("xylophone"));
    house.mosaic.close().await.unwrap();
}

#[tokio::test]
async fn nothing_is_left_of_an_erased_user_whose_sessions_are_archived() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    house.talk().await;
    let archive = house.mosaic.session_archive().unwrap();
    let cold = folder.path().join("sessions");
    for name in ["ann-session0", "ann-session1", "bob-session0"] {
        // The lease of a run is given back a moment after its end.
        while archive.archive(&SessionKey::new(name)).await.unwrap() == Archived::Leased {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(found(&cold).len(), 4, "the archive holds what was said");
    let kept = house.mosaic.erase_user("default", "ann", SessionLogs::Kept).await.unwrap();
    assert_eq!((kept.sessions, archive.list("default").await.unwrap().len()), (0, 3));

    let erased = house.mosaic.erase_user("default", "ann", SessionLogs::Erased).await.unwrap();
    assert_eq!(erased.sessions, 3, "two of them from the archive");
    assert_eq!(found(folder.path()), ["quartzbob", "xylophonebob"]);
    assert_eq!(found(&cold), ["quartzbob", "xylophonebob"]);
    assert!(house.mosaic.find_session("ann-session0", &house.agent).await.unwrap().is_none());
    let bob = house.mosaic.find_session("bob-session0", &house.agent).await.unwrap().unwrap();
    assert!(format!("{:?}", bob.entries(Seq(1)).await.unwrap()).contains("quartzbob is 3 stones"));
    drop(bob);
    house.mosaic.close().await.unwrap();
    assert_eq!(found(folder.path()), ["quartzbob", "xylophonebob"]);
    assert!(found(&cold).is_empty(), "it came back from there");
}

#[tokio::test]
async fn the_logs_of_sessions_stay_if_the_host_wants_it_so() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    house.talk().await;
    let erased = house.mosaic.erase_user("default", "ann", SessionLogs::Kept).await.unwrap();
    assert_eq!(erased.sessions, 0);
    let session = house.mosaic.find_session("ann-session0", &house.agent).await.unwrap().unwrap();
    assert!(format!("{:?}", session.entries(Seq(1)).await.unwrap()).contains("xylophoneann"));
    let counts = house.mosaic.stores().unwrap().memories.counts(&Scope::default().user("ann")).await.unwrap();
    assert_eq!((counts.memories, counts.blocks), (0, 0));
    let again = house.mosaic.erase_user("default", "ann", SessionLogs::Kept).await.unwrap();
    assert_eq!((again.jobs, again.log_rows, again.memories.memories), (0, 0, 0));
}

#[tokio::test]
async fn a_user_who_is_being_answered_is_not_erased_by_halves_unsaid() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path()).await;
    let model = ScriptedModel::new([Answer::never()]);
    let agent = Agent::builder("slow").model(model).build().unwrap();
    let session = house.mosaic.session(SessionKey::new("s").user("ann"), &agent).await.unwrap();
    let run = session.send("Hello").await.unwrap();
    let error = house.mosaic.erase_user("default", "ann", SessionLogs::Erased).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    run.cancel("enough").await.unwrap();
    run.finish().await.unwrap();
    let erased = loop {
        // The lease is given back a moment after the end.
        match house.mosaic.erase_user("default", "ann", SessionLogs::Erased).await {
            Err(error) if error.kind() == ErrorKind::Conflict => tokio::task::yield_now().await,
            erased => break erased.unwrap(),
        }
    };
    assert_eq!(erased.sessions, 1);
}
