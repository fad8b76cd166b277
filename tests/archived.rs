//! Sessions that are archived, through the facade: nobody can tell, whatever is asked of them, and whatever died while they moved.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mosaic::archive::{Archive, ArchiveError, RamArchive};
use mosaic::memory::session_archive::{ArchivePolicy, Archived, archive_job};
use mosaic::prelude::*;
use mosaic::storage::FolderArchive;
use mosaic::testing::{Answer, ScriptedModel};
use mosaic::{Entry, ListOptions, Seq, SessionArchiveSetup, StoreError};

fn setup(archive: impl Archive + 'static) -> SessionArchiveSetup {
    let mut policy = ArchivePolicy::default();
    policy.age = Duration::ZERO;
    SessionArchiveSetup::new(Arc::new(archive)).policy(policy)
}

async fn open(folder: &Path, archive: impl Archive + 'static) -> Mosaic {
    let url = format!("sqlite://{}", folder.join("app.db").display());
    Mosaic::builder().archive_sessions(setup(archive)).open(url).await.unwrap()
}

fn agent() -> (Agent, ScriptedModel) {
    let model = ScriptedModel::from_fn(|_| Answer::text("I see."));
    (Agent::builder("butler").model(model.clone()).build().unwrap(), model)
}

async fn say(mosaic: &Mosaic, agent: &Agent, key: &str, text: &str) -> Reply {
    let session = mosaic.session(key, agent).await.unwrap();
    let reply = session.send(text).await.unwrap().finish().await.unwrap();
    drop(session);
    reply
}

async fn entries(mosaic: &Mosaic, agent: &Agent, key: &str) -> Vec<Entry> {
    let session = mosaic.find_session(key, agent).await.unwrap().expect("there is such a session");
    session.entries(Seq(1)).await.unwrap()
}

/// Archives all, and makes sure of it.
async fn archive_all(mosaic: &Mosaic) {
    let hot = mosaic.session_archive().unwrap().sessions();
    for _ in 0..1_000 {
        mosaic.jobs().unwrap().add(archive_job()).await.unwrap();
        mosaic.idle().await.unwrap();
        // The lease of a run is given back a moment after its end.
        if hot.list("default", ListOptions::default()).await.unwrap().is_empty() {
            return;
        }
    }
    panic!("something is not archived");
}

#[tokio::test]
async fn an_archived_conversation_goes_on_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    let archive = FolderArchive::open(folder.path().join("archive")).await.unwrap();
    let mosaic = open(folder.path(), archive.clone()).await;
    let (agent, model) = agent();
    say(&mosaic, &agent, "s", "One.").await;
    say(&mosaic, &agent, "s", "Two.").await;
    let before = entries(&mosaic, &agent, "s").await;
    archive_all(&mosaic).await;
    let listed = mosaic.sessions("default", ListOptions::default()).await.unwrap();
    assert_eq!((listed.len(), listed[0].last), (1, before.last().unwrap().seq));
    mosaic.close().await.unwrap();

    let mosaic = open(folder.path(), archive.clone()).await;
    assert_eq!(entries(&mosaic, &agent, "s").await, before);
    archive_all(&mosaic).await;
    say(&mosaic, &agent, "s", "Three.").await;
    let asked = model.requests().pop().unwrap();
    let said = format!("{asked:?}");
    assert!(said.contains("One.") && said.contains("Two.") && said.contains("Three."), "{said}");
    let after = entries(&mosaic, &agent, "s").await;
    assert_eq!(after[..before.len()], before);
    assert_eq!(mosaic.sessions("default", ListOptions::default()).await.unwrap().len(), 1);
    mosaic.close().await.unwrap();
}

#[tokio::test]
async fn a_session_that_is_held_open_while_it_is_archived_goes_on() {
    let mosaic = Mosaic::builder().archive_sessions(setup(RamArchive::new())).open("memory:").await.unwrap();
    let (agent, _) = agent();
    let session = mosaic.session("s", &agent).await.unwrap();
    session.send("One.").await.unwrap().finish().await.unwrap();
    archive_all(&mosaic).await;
    assert!(session.resume().await.unwrap().is_none());
    session.send("Two.").await.unwrap().finish().await.unwrap();
    archive_all(&mosaic).await;
    let said = format!("{:?}", session.entries(Seq(1)).await.unwrap());
    assert!(said.contains("One.") && said.contains("Two."), "{said}");
    mosaic.close().await.unwrap();
}

#[tokio::test]
async fn forking_erasing_and_finding_reach_what_is_archived() {
    let archive = RamArchive::new();
    let mosaic = Mosaic::builder().archive_sessions(setup(archive.clone())).open("memory:").await.unwrap();
    let (agent, _) = agent();
    say(&mosaic, &agent, "s", "One.").await;
    say(&mosaic, &agent, "other", "Another.").await;
    archive_all(&mosaic).await;
    let error = mosaic.fork("s", Seq(2), "other").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "it is archived, and in use: {error}");
    mosaic.fork("s", Seq(2), "fork").await.unwrap();
    assert_eq!(entries(&mosaic, &agent, "fork").await.len(), 2);
    assert!(mosaic.find_session("never", &agent).await.unwrap().is_none());
    archive_all(&mosaic).await;
    let ann = mosaic.session(SessionKey::new("s").user("ann"), &agent).await.unwrap();
    assert!(ann.entries(Seq(1)).await.unwrap().len() > 3);
    drop(ann);

    archive_all(&mosaic).await;
    for key in ["s", "other", "fork"] {
        mosaic.erase(key).await.unwrap();
        assert!(mosaic.find_session(key, &agent).await.unwrap().is_none());
    }
    assert!(archive.list("").await.unwrap().is_empty());
    assert!(mosaic.sessions("default", ListOptions::default()).await.unwrap().is_empty());
    say(&mosaic, &agent, "s", "Anew.").await;
    mosaic.close().await.unwrap();
}

/// Dies at the n-th thing that it is asked to do: before it does it, or after.
#[derive(Debug)]
struct Mortal {
    archive: FolderArchive,
    left: AtomicI64,
    after: bool,
}

impl Mortal {
    async fn deed<T>(&self, deed: impl Future<Output = Result<T, ArchiveError>>) -> Result<T, ArchiveError> {
        let dead = || Err(StoreError::Closed { store: "the process".into() }.into());
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left < 0 || (left == 0 && !self.after) {
            return dead();
        }
        let done = deed.await?;
        if left == 0 { dead() } else { Ok(done) }
    }
}

#[async_trait]
impl Archive for Mortal {
    async fn put(&self, name: &str, bytes: bytes::Bytes) -> Result<(), ArchiveError> {
        self.deed(self.archive.put(name, bytes)).await
    }
    async fn get(&self, name: &str) -> Result<bytes::Bytes, ArchiveError> {
        self.deed(self.archive.get(name)).await
    }
    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<bytes::Bytes, ArchiveError> {
        self.deed(self.archive.get_range(name, offset, length)).await
    }
    async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        self.deed(self.archive.remove(name)).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        self.deed(self.archive.list(prefix)).await
    }
}

#[tokio::test]
async fn whatever_dies_in_archiving_or_opening_the_conversation_is_whole() {
    let mut deaths = 0;
    for deeds in 0.. {
        let mut ended = 0;
        for after in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let archive = FolderArchive::open(folder.path().join("archive")).await.unwrap();
            let (agent, _) = agent();
            let mosaic = open(folder.path(), archive.clone()).await;
            say(&mosaic, &agent, "s", "One.").await;
            let before = entries(&mosaic, &agent, "s").await;
            mosaic.close().await.unwrap();

            let mortal = Mortal { archive: archive.clone(), left: AtomicI64::new(deeds), after };
            let mosaic = open(folder.path(), mortal).await;
            let archived = mosaic.session_archive().unwrap().archive(&SessionKey::new("s")).await;
            let opened = mosaic.session("s", &agent).await;
            let died = !matches!(archived, Ok(Archived::Done { .. })) || opened.is_err();
            if let Ok(session) = opened {
                assert_eq!(session.entries(Seq(1)).await.unwrap(), before, "after {deeds} deeds");
            }
            (ended, deaths) = (ended + u32::from(!died), deaths + u32::from(died));
            mosaic.close().await.unwrap();

            let mosaic = open(folder.path(), archive).await;
            let session = mosaic.session("s", &agent).await.unwrap();
            assert_eq!(session.entries(Seq(1)).await.unwrap(), before, "after {deeds} deeds");
            mosaic.close().await.unwrap();
        }
        if ended == 2 {
            break;
        }
    }
    assert!(deaths > 8, "{deaths} deaths");
}

#[tokio::test]
async fn without_an_archive_there_is_none() {
    let mosaic = Mosaic::open("memory:").await.unwrap();
    let error = mosaic.session_archive().unwrap_err();
    assert!(error.to_string().contains("archive_sessions"), "{error}");
    let store = mosaic.store().clone();
    let error = Mosaic::builder().archive_sessions(setup(RamArchive::new())).open_store(store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
}
