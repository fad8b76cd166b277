//! The store in which archived sessions are, too.

use std::collections::HashMap;
use std::sync::Mutex;

use mosaic_core::store::conformance::{Factory, RULES};

use super::*;

/// A world that others share, with one lock: what is asked of a session finds it archived, and so does the next question.
#[derive(Debug, Clone)]
struct Eager {
    store: RestoringStore,
    cold: SessionArchive,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl Eager {
    fn new(store: RamStore, archive: RamArchive, lock: Arc<tokio::sync::Mutex<()>>) -> Self {
        let cold = SessionArchive::new(Arc::new(store), Arc::new(archive));
        Self { store: RestoringStore::new(cold.clone()), cold, lock }
    }

    /// Archives sessions, unless somebody writes them, also where the caller is dropped meanwhile.
    async fn away(&self, keys: &[&SessionKey]) -> tokio::sync::OwnedMutexGuard<()> {
        let (cold, keys) = (self.cold.clone(), keys.iter().map(|key| (*key).clone()).collect::<Vec<_>>());
        let guard = self.lock.clone().lock_owned().await;
        let away = async move {
            for key in keys {
                let Ok(lease) = cold.sessions.lease(&key).await else { continue };
                let rows: Vec<Row> =
                    cold.sessions.read(&key, Seq(1)).await.unwrap().try_collect().await.unwrap();
                cold.move_out(&key, None, &lease, &rows).await.unwrap();
            }
            guard
        };
        tokio::spawn(away).await.unwrap()
    }
}

#[async_trait::async_trait]
impl SessionStore for Eager {
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError> {
        let _away = self.away(&[key]).await;
        self.store.create(key, rows).await
    }
    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        let _away = self.away(&[key]).await;
        self.store.find(key).await
    }
    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError> {
        let all = ListOptions { limit: 999, ..ListOptions::default() };
        let all = self.cold.sessions.list(tenant, all).await?;
        // Every second one.
        let keys: Vec<&SessionKey> = all.iter().step_by(2).map(|info| &info.key).collect();
        let _away = self.away(&keys).await;
        self.store.list(tenant, options).await
    }
    async fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        let mut keys = Vec::new();
        // All of every second one.
        for tenant in self.cold.sessions.tenants().await?.iter().step_by(2) {
            let all = self.cold.sessions.list(tenant, ListOptions::default()).await?;
            keys.extend(all.into_iter().map(|info| info.key));
        }
        let _away = self.away(&keys.iter().collect::<Vec<_>>()).await;
        self.store.tenants().await
    }
    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError> {
        let _away = self.away(&[key]).await;
        self.store.lease(key).await
    }
    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.store.release(lease).await?;
        let _away = self.away(&[&lease.key]).await;
        Ok(())
    }
    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        flush: Flush,
    ) -> Result<Seq, StoreError> {
        let _away = self.away(&[&lease.key]).await;
        self.store.append(lease, expected, rows, flush).await
    }
    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError> {
        let _away = self.away(&[key]).await;
        self.store.read(key, from).await
    }
    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError> {
        let _away = self.away(&[from, to]).await;
        self.store.fork(from, upto, to).await
    }
    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError> {
        let _away = self.away(&[key]).await;
        self.store.erase(key).await
    }
    async fn erase_leased(&self, lease: &Lease, expected: Seq) -> Result<(), StoreError> {
        let _away = self.away(&[&lease.key]).await;
        self.store.erase_leased(lease, expected).await
    }
    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

type Place = (RamStore, RamArchive, Arc<tokio::sync::Mutex<()>>);

#[derive(Default)]
struct Places(Mutex<HashMap<String, Place>>);

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn SessionStore>, StoreError> {
        let mut places = self.0.lock().unwrap();
        let (store, archive, lock) = places.entry(place.into()).or_default();
        Ok(Arc::new(Eager::new(store.sibling(), archive.clone(), lock.clone())))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_of_stores_holds_where_every_session_is_archived_before_every_call() {
    // Unoptimised, it takes too long to compress sixteen megabytes again and again.
    for rule in RULES.iter().filter(|rule| rule.name != "large_entries_are_kept") {
        if let Err(broken) = rule.check(&Places::default()).await {
            panic!("{}: {broken:?}", rule.name);
        }
    }
}

fn all(w: &World) -> RestoringStore {
    RestoringStore::new(w.cold.clone())
}

#[tokio::test]
async fn an_archived_session_is_never_made_anew() {
    let w = world(rows(3, true)).await;
    let (store, fork) = (all(&w), SessionKey::of("acme", "fork"));
    w.store.create(&fork, rows(1, true)).await.unwrap();
    for _ in 0..2 {
        w.cold.archive(&key()).await.unwrap();
        assert!(matches!(store.create(&key(), rows(1, true)).await, Err(StoreError::Exists { .. })));
        assert_eq!(read(&*w.store).await, Some(rows(3, true)));
        w.cold.archive(&key()).await.unwrap();
        assert!(matches!(store.fork(&fork, Seq(1), &key()).await, Err(StoreError::Exists { .. })));
        assert_eq!(read(&*w.store).await, Some(rows(3, true)));
    }
}

/// An archive that does not tell of its files at first, as if they came a moment later.
#[derive(Debug)]
struct Late(RamArchive, AtomicI64);

#[async_trait::async_trait]
impl Archive for Late {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        self.0.put(name, bytes).await
    }
    async fn get(&self, name: &str) -> Result<Bytes, ArchiveError> {
        self.0.get(name).await
    }
    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, ArchiveError> {
        self.0.get_range(name, offset, length).await
    }
    async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        self.0.remove(name).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        if self.1.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(Vec::new());
        }
        self.0.list(prefix).await
    }
}

#[tokio::test]
async fn a_session_that_was_made_while_the_old_one_went_back_to_the_archive_is_taken_back() {
    for fork in [false, true] {
        let w = world(rows(3, true)).await;
        let source = SessionKey::of("acme", "source");
        let mut other = rows(1, true);
        other[0].at = Timestamp(99);
        w.store.create(&source, other.clone()).await.unwrap();
        w.cold.archive(&key()).await.unwrap();
        let late = Arc::new(Late(w.archive.clone(), AtomicI64::new(1)));
        let store = RestoringStore::new(SessionArchive::new(w.store.clone(), late));
        let made =
            if fork { store.fork(&source, Seq(3), &key()).await } else { store.create(&key(), other).await };
        assert!(matches!(made, Err(StoreError::Exists { .. })), "{made:?}");
        assert_eq!(read(&*w.store).await, Some(rows(3, true)));
        assert!(!w.cold.has(&key()).await.unwrap());
    }
}

#[tokio::test]
async fn an_archive_that_cannot_be_asked_makes_no_empty_session() {
    let w = world(rows(3, true)).await;
    w.cold.archive(&key()).await.unwrap();
    let dead = dying::Mortal::of(&w, 0, None);
    let store = RestoringStore::new(SessionArchive::new(w.store.clone(), dead));
    let error = store.create(&key(), rows(1, true)).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed { .. }), "{error}");
    assert!(store.find(&key()).await.is_err());
    assert_eq!(read(&*w.store).await, None);
    // Damage is told as what it is.
    let (name, bytes) = file(&w.archive).await;
    w.archive.put(&name, bytes.slice(..bytes.len() - 9)).await.unwrap();
    let error = all(&w).find(&key()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn lists_hold_what_is_in_either_place_once_also_where_a_crash_left_a_copy() {
    let w = world(rows(3, true)).await;
    for n in 0..9 {
        let key = SessionKey::of("acme", format!("n{n}"));
        w.store.create(&key, rows(1, true)).await.unwrap();
        if n % 3 == 0 {
            w.cold.archive(&key).await.unwrap();
        }
    }
    // A copy of what is in the store.
    w.cold.archive(&key()).await.unwrap();
    let (name, bytes) = {
        let files = w.archive.list(&super::names::of_session(&key())).await.unwrap();
        (files[0].clone(), w.archive.get(&files[0]).await.unwrap())
    };
    w.cold.restore(&key()).await.unwrap();
    w.archive.put(&name, bytes).await.unwrap();
    let lease = w.store.lease(&key()).await.unwrap();
    w.store.append(&lease, Seq(7), rows(4, true).split_off(7), Flush::Durable).await.unwrap();

    let (store, mut pages, mut options) = (all(&w), Vec::new(), ListOptions::default());
    options.limit = 4;
    loop {
        let page = store.list("acme", options.clone()).await.unwrap();
        assert!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        options.after = Some(last.key.name.to_string());
        pages.extend(page);
    }
    let found: Vec<&str> = pages.iter().map(|info| &*info.key.name).collect();
    assert_eq!(found, ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "s"]);
    assert_eq!(pages[9].last, Seq(9), "the store is the truth");
    assert!(w.store.find(&SessionKey::of("acme", "n0")).await.unwrap().is_none(), "a list restores nothing");
    // What grew since the copy was made replaces it.
    w.store.release(&lease).await.unwrap();
    w.cold.archive(&key()).await.unwrap();
    assert_eq!(w.archive.list(&super::names::of_session(&key())).await.unwrap().len(), 1);
    // What a list tells of one is what the store tells of it.
    assert_eq!(store.find(&pages[0].key).await.unwrap().as_ref(), Some(&pages[0]));
}

#[tokio::test]
async fn who_erases_under_a_lease_leaves_no_copy_that_could_come_back() {
    let w = world(rows(3, true)).await;
    w.cold.archive(&key()).await.unwrap();
    let (name, copy) = file(&w.archive).await;
    let store = all(&w);
    let lease = store.lease(&key()).await.unwrap();
    // As a crash leaves it.
    w.archive.put(&name, copy).await.unwrap();
    let early = store.erase_leased(&lease, Seq(6)).await;
    assert!(matches!(early, Err(StoreError::Conflict { .. })), "{early:?}");
    assert!(w.cold.has(&key()).await.unwrap(), "nothing was erased");
    store.erase_leased(&lease, Seq(7)).await.unwrap();
    assert!(store.find(&key()).await.unwrap().is_none());
    assert!(w.archive.list("").await.unwrap().is_empty());
}
