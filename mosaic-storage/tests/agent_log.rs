//! Agent logs in the stores of this crate keep the contract, and so does an archive in a folder.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // clippy knows `#[test]` functions only, not their helpers

#[cfg(feature = "sqlite")]
mod common;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mosaic_core::agent_log::conformance::{Factory, check_all, row};
use mosaic_core::agent_log::{AgentLogError, AgentLogStore};
use mosaic_core::{SessionStore, StoreError};
use mosaic_storage::RamStore;

#[derive(Default)]
struct Ram(Mutex<HashMap<String, RamStore>>);

#[async_trait::async_trait]
impl Factory for Ram {
    async fn open(&self, place: &str) -> Result<Arc<dyn AgentLogStore>, AgentLogError> {
        let sibling = self.0.lock().unwrap().entry(place.to_owned()).or_default().sibling();
        Ok(Arc::new(sibling.agent_log()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ram_keeps_the_contract() {
    check_all(&Ram::default()).await.unwrap();
}

#[tokio::test]
async fn agent_logs_are_closed_with_the_sessions() {
    let stores = mosaic_storage::open_stores("memory:").await.unwrap();
    stores.agent_log.put(vec![row(1)]).await.unwrap();
    stores.sessions.close().await.unwrap();
    let error = stores.agent_log.tenants().await.unwrap_err();
    assert!(matches!(error, AgentLogError::Store(StoreError::Closed { .. })), "{error}");
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use common::{back_to_the_first_format, open, raw};
    use mosaic_core::agent_log::AgentLogStoreExt;
    use mosaic_core::agent_log::LogFilter;
    use mosaic_core::{Scope, SessionKey};

    struct Sqlite(tempfile::TempDir);

    #[async_trait::async_trait]
    impl Factory for Sqlite {
        async fn open(&self, place: &str) -> Result<Arc<dyn AgentLogStore>, AgentLogError> {
            let path = self.0.path().join(format!("{place}.db"));
            let options = mosaic_storage::SqliteOptions::new(path);
            let options = options.durability(mosaic_storage::Durability::Process);
            Ok(Arc::new(mosaic_storage::SqliteStore::open(options).await?.agent_log()))
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn sqlite_keeps_the_contract() {
        check_all(&Sqlite(tempfile::tempdir().unwrap())).await.unwrap();
    }

    #[tokio::test]
    async fn sqlite_keeps_the_contract_on_one_thread() {
        check_all(&Sqlite(tempfile::tempdir().unwrap())).await.unwrap();
    }

    #[tokio::test]
    async fn a_database_of_an_older_format_gets_the_tables_and_keeps_its_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let store = common::with_rows(&path, 3).await;
        store.close().await.unwrap();
        let mut db = raw(&path).await;
        back_to_the_first_format(&mut db).await;
        drop(db);
        let store = open(&path).await;
        assert_eq!(store.agent_log().put(vec![row(1)]).await.unwrap(), 1);
        assert!(store.find(&SessionKey::new("s")).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn agent_logs_are_closed_with_the_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("app.db")).await;
        let log = store.agent_log();
        log.put(vec![row(1)]).await.unwrap();
        store.close().await.unwrap();
        for error in [log.put(vec![row(2)]).await.unwrap_err(), log.tenants().await.unwrap_err()] {
            assert!(matches!(error, AgentLogError::Store(StoreError::Closed { .. })), "{error}");
        }
    }

    /// What is planted in rows, summaries and the register of one user, and what of it is found in which file.
    fn traces(folder: &std::path::Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap_or_default();
            for planted in
                ["planted-user", "planted-agent", "planted-session", "planted-error", "planted-tool"]
            {
                let count =
                    bytes.windows(planted.len()).filter(|window| *window == planted.as_bytes()).count();
                if count > 0 {
                    found.push(format!("{count} x {planted} in {}", path.file_name().unwrap().display()));
                }
            }
        }
        found
    }

    #[tokio::test]
    async fn an_erased_user_is_in_no_file_any_more() {
        use mosaic_core::Timestamp;
        use mosaic_core::agent_log::{Day, Frame, LogError, LogTable, SUMMARY, Segment, TierChange};

        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("app.db")).await;
        let log = store.agent_log();
        let secret = Scope::of("acme").user("planted-user");
        for n in 0..400 {
            let mut planted = row(2 * n);
            planted.scope =
                secret.clone().agent("planted-agent").session(format!("planted-session-{}", n % 7));
            planted.name = Some("planted-tool".into());
            planted.error = Some(LogError {
                kind: mosaic_core::ErrorKind::Tool,
                message: format!("planted-error {}", "x".repeat((n * 37 % 900) as usize)).into(),
            });
            log.put(vec![planted.clone(), row(2 * n + 1)]).await.unwrap();
            let of = if n % 3 == 0 { row(2 * n + 1) } else { planted };
            let table = LogTable::of([&of], SUMMARY);
            log.apply("acme", vec![TierChange::Count { table }]).await.unwrap();
            if n % 5 == 0 && n > 9 {
                log.apply("acme", vec![TierChange::Take { ids: vec![row(2 * n - 9).id] }]).await.unwrap();
            }
        }
        // Segments say whose rows are in them, until they are condemned.
        for n in 0..40 {
            let frame = |user: &str| Frame {
                user: Some(format!("{user} {}", "x".repeat(n * 37 % 300)).into()),
                offset: 0,
                bytes: 1,
                raw: 1,
                rows: 1,
                digest: String::new(),
            };
            let segment = Segment {
                name: format!("{n}").into(),
                day: Day(n as u32),
                first: Timestamp(0),
                last: Timestamp(0),
                rows: 1,
                bytes: 1,
                counted: false,
                frames: vec![frame("planted-user"), frame("bob")],
            };
            let announce = TierChange::Announce { name: segment.name.clone(), day: segment.day };
            log.apply("acme", vec![announce, TierChange::Seal { segment }]).await.unwrap();
        }
        assert!(traces(folder.path()).len() >= 5, "the check sees: {:?}", traces(folder.path()));
        for n in 0..40 {
            let condemn = TierChange::Condemn { name: format!("{n}").into(), at: Timestamp(1) };
            log.apply("acme", vec![condemn]).await.unwrap();
        }
        assert_eq!(log.erase(&secret).await.unwrap(), 400);
        // `erase` has returned, and has emptied the WAL before.
        log.put(vec![row(5_000)]).await.unwrap();
        assert_eq!(traces(folder.path()), [""; 0]);
        let left = log.all_rows(&LogFilter::of(Scope::of("acme"))).await.unwrap();
        assert!(left.len() > 300, "the others stay");
    }
}

#[cfg(feature = "archive")]
mod archive {
    use super::*;
    use mosaic_core::archive::{Archive, ArchiveError, conformance};
    use mosaic_storage::FolderArchive;

    struct Folders(tempfile::TempDir);

    #[async_trait::async_trait]
    impl conformance::Factory for Folders {
        async fn open(&self, place: &str) -> Result<Arc<dyn Archive>, ArchiveError> {
            Ok(Arc::new(FolderArchive::open(self.0.path().join(place)).await?))
        }
    }

    #[tokio::test]
    async fn a_folder_keeps_the_contract() {
        conformance::check_all(&Folders(tempfile::tempdir().unwrap())).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_a_crash_left_half_written_is_removed_and_is_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let archive = FolderArchive::open(folder.path()).await.unwrap();
        archive.put("a/b", "x".into()).await.unwrap();
        let left = folder.path().join(".partial-1-1");
        std::fs::write(&left, "half").unwrap();
        // One that somebody writes is left alone.
        let busy = folder.path().join(".partial-1-2");
        let lock = std::fs::File::create(&busy).unwrap();
        lock.lock().unwrap();
        assert_eq!(archive.list("").await.unwrap(), ["a/b"]);
        FolderArchive::open(folder.path()).await.unwrap();
        assert!(!left.exists() && busy.exists());
        drop(lock);
        FolderArchive::open(folder.path()).await.unwrap();
        assert!(!busy.exists());
        assert_eq!(archive.get("a/b").await.unwrap(), "x");
    }

    #[tokio::test]
    async fn folders_go_with_the_last_that_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let archive = FolderArchive::open(folder.path().join("x")).await.unwrap();
        for name in ["a/b/one", "a/b/two", "a/c"] {
            archive.put(name, "x".into()).await.unwrap();
        }
        archive.remove("a/b/one").await.unwrap();
        assert!(folder.path().join("x/a/b").is_dir());
        archive.remove("a/b/two").await.unwrap();
        assert!(!folder.path().join("x/a/b").exists() && folder.path().join("x/a/c").exists());
        archive.remove("a/c").await.unwrap();
        assert!(std::fs::read_dir(folder.path().join("x")).unwrap().next().is_none());
        archive.put("a/b/one", "x".into()).await.unwrap();
        assert_eq!(archive.get("a/b/one").await.unwrap(), "x");
    }
}
