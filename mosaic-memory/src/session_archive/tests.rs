//! There and back, and what dies or is damaged in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use mosaic_core::archive::{Archive, ArchiveError, RamArchive};
use mosaic_core::{
    Body, Entry, Flush, InputDelivery, Lease, ListOptions, Part, Row, RowStream, RunEnd, RunId, Seq,
    SessionInfo, SessionKey, SessionStore, StoreError, Timestamp, Usage,
};
use mosaic_storage::RamStore;

use super::*;

fn key() -> SessionKey {
    SessionKey::of("acme", "s")
}

/// The rows of a session of so many runs, of which the last has ended or not.
fn rows(runs: u64, ended: bool) -> Vec<Row> {
    let mut bodies = vec![(None, Body::Created { key: key(), forked_from: None })];
    for n in 1..=runs {
        let run = Some(RunId(uuid::Uuid::from_u128(u128::from(n))));
        let parts = vec![Part::text(format!("hello \u{1F40C} {n} {}", "words ".repeat(50)))];
        bodies.push((run, Body::Input { parts, delivery: InputDelivery::Start, output: None, limits: None }));
        bodies.push((run, Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None }));
    }
    if !ended {
        bodies.pop();
    }
    let numbered = (1..).zip(bodies);
    let entries =
        numbered.map(|(n, (run, body))| Entry { seq: Seq(n), v: 1, at: Timestamp(n * 10), run, body });
    entries.map(|entry| entry.to_row().unwrap()).collect()
}

async fn read(store: &dyn SessionStore) -> Option<Vec<Row>> {
    match store.read(&key(), Seq(1)).await {
        Ok(rows) => Some(rows.try_collect().await.unwrap()),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

struct World {
    store: Arc<RamStore>,
    archive: RamArchive,
    cold: SessionArchive,
}

async fn world(rows: Vec<Row>) -> World {
    let (store, archive) = (Arc::new(RamStore::new()), RamArchive::new());
    store.create(&key(), rows).await.unwrap();
    let cold = SessionArchive::new(store.clone(), Arc::new(archive.clone()));
    World { store, archive, cold }
}

async fn file(archive: &RamArchive) -> (String, Bytes) {
    let name = archive.list("").await.unwrap().remove(0);
    let bytes = archive.get(&name).await.unwrap();
    (name, bytes)
}

#[tokio::test]
async fn a_session_goes_and_comes_back_as_it_was_and_goes_on() {
    let world = world(rows(30, true)).await;
    let Archived::Done { rows: 61, bytes } = world.cold.archive(&key()).await.unwrap() else { panic!() };
    let size: usize = rows(30, true).iter().map(|row| row.bytes.len()).sum();
    assert!(bytes * 4 < size as u64, "{bytes} of {size}");
    assert_eq!(read(&*world.store).await, None);
    assert!(world.cold.has(&key()).await.unwrap());
    let (name, _) = file(&world.archive).await;
    assert!(!name.contains("acme"), "{name}");
    assert_eq!(world.cold.archive(&key()).await.unwrap(), Archived::Missing);

    assert!(world.cold.restore(&key()).await.unwrap());
    assert_eq!(read(&*world.store).await, Some(rows(30, true)));
    assert!(!world.cold.has(&key()).await.unwrap(), "the copy is gone");
    assert!(!world.cold.restore(&key()).await.unwrap(), "it is there");
    let lease = world.store.lease(&key()).await.unwrap();
    let more = rows(31, true).split_off(61);
    world.store.append(&lease, Seq(61), more, Flush::Durable).await.unwrap();
    world.store.release(&lease).await.unwrap();
    world.cold.archive(&key()).await.unwrap();
    world.cold.restore(&key()).await.unwrap();
    assert_eq!(read(&*world.store).await, Some(rows(31, true)));
    assert!(!world.cold.restore(&SessionKey::new("never")).await.unwrap());
}

#[tokio::test]
async fn rows_of_any_bytes_come_back() {
    let mut odd = rows(2, true);
    let bytes = pack::pack(&key(), &odd).unwrap();
    assert_eq!(pack::unpack(&key(), &bytes).unwrap(), odd);
    odd[1].bytes = Bytes::from_static(&[0xff, 0, 0xfe, b'"']);
    odd[2].bytes = Bytes::new();
    odd[3].kind = "\"\\\n".into();
    let bytes = pack::pack(&key(), &odd).unwrap();
    assert_eq!(pack::unpack(&key(), &bytes).unwrap(), odd);
    assert!(pack::unpack(&SessionKey::new("s"), &bytes).is_err(), "it is another tenant's");
}

#[tokio::test]
async fn what_is_written_or_goes_on_stays() {
    let w = world(rows(3, false)).await;
    assert_eq!(w.cold.archive(&key()).await.unwrap(), Archived::Running);
    w.store.lease(&key()).await.expect("the lease was given back");
    let w = world(rows(3, true)).await;
    let lease = w.store.lease(&key()).await.unwrap();
    assert_eq!(w.cold.archive(&key()).await.unwrap(), Archived::Leased);
    w.store.release(&lease).await.unwrap();
    assert_eq!(read(&*w.store).await, Some(rows(3, true)));
    assert!(w.archive.list("").await.unwrap().is_empty());
}

#[tokio::test]
async fn damage_is_told_and_the_file_stays() {
    let w = world(rows(3, true)).await;
    w.cold.archive(&key()).await.unwrap();
    let (name, whole) = file(&w.archive).await;
    for at in (0..whole.len()).step_by(7) {
        let mut bad = whole.to_vec();
        bad[at] ^= 0x10;
        w.archive.put(&name, bad.clone().into()).await.unwrap();
        match w.cold.restore(&key()).await {
            Err(SessionArchiveError::Damaged { .. }) => assert_eq!(read(&*w.store).await, None),
            // Some bytes of a gzip header mean nothing.
            Ok(true) => {
                assert_eq!(read(&*w.store).await, Some(rows(3, true)), "byte {at}");
                w.store.erase(&key()).await.unwrap();
                continue;
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(w.archive.get(&name).await.unwrap(), bad);
    }
    w.archive.put(&name, whole.slice(..whole.len() - 1)).await.unwrap();
    assert!(w.cold.restore(&key()).await.is_err());
    w.archive.put(&name, whole).await.unwrap();
    assert!(w.cold.restore(&key()).await.unwrap());
}

#[tokio::test]
async fn a_session_made_under_an_archived_name_does_not_overwrite_the_log() {
    let w = world(rows(3, true)).await;
    w.cold.archive(&key()).await.unwrap();
    let (name, whole) = file(&w.archive).await;
    let mut other = rows(1, true);
    other[0].at = Timestamp(99);
    w.store.create(&key(), other.clone()).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(w.cold.restore(&key()).await, Err(SessionArchiveError::Clash { .. })));
        assert!(matches!(w.cold.archive(&key()).await, Err(SessionArchiveError::Clash { .. })));
    }
    assert_eq!(w.archive.get(&name).await.unwrap(), whole);
    assert_eq!(read(&*w.store).await, Some(other));
    w.store.erase(&key()).await.unwrap();
    assert!(w.cold.restore(&key()).await.unwrap());
    assert_eq!(read(&*w.store).await, Some(rows(3, true)));
}

#[tokio::test]
async fn an_erased_session_does_not_come_back() {
    let w = world(rows(3, true)).await;
    w.cold.archive(&key()).await.unwrap();
    let (name, copy) = file(&w.archive).await;
    w.cold.restore(&key()).await.unwrap();
    // A copy that a crash left.
    w.archive.put(&name, copy).await.unwrap();
    w.cold.erase(&key()).await.unwrap();
    assert!(!w.cold.restore(&key()).await.unwrap());
    assert_eq!(read(&*w.store).await, None);
    assert!(w.archive.list("").await.unwrap().is_empty());
}

#[tokio::test]
async fn old_sessions_are_archived_and_young_ones_stay() {
    let w = world(rows(3, true)).await;
    for n in 0..250_u64 {
        let mut one = rows(1, n % 100 != 3);
        one.iter_mut().for_each(|row| row.at = Timestamp(n * 1_000));
        w.store.create(&SessionKey::of("acme", format!("n{n}")), one).await.unwrap();
    }
    let day = Duration::from_secs(100);
    let many = w.cold.archive_older("acme", Timestamp(250_000), day).await.unwrap();
    // 0 to 150, and `s`; of these 3 and 103 have a run that goes on.
    assert_eq!(many, ArchivedMany { archived: 150, left: 2 });
    let left = w.store.list("acme", ListOptions { limit: 999, ..ListOptions::default() }).await.unwrap();
    assert_eq!(left.len(), 101);
    assert_eq!(
        w.cold.archive_older("globex", Timestamp(250_000), day).await.unwrap(),
        ArchivedMany::default()
    );
}

/// Dies at the n-th thing that it is asked to do: before it does it, or after.
#[derive(Debug)]
struct Mortal {
    left: AtomicI64,
    after: Option<()>,
    store: RamStore,
    archive: RamArchive,
}

impl Mortal {
    async fn deed<T, E: From<StoreError>>(
        &self,
        deed: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let dead = || StoreError::Closed { store: "the process".into() };
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left < 0 || (left == 0 && self.after.is_none()) {
            return Err(dead().into());
        }
        let done = deed.await?;
        if left == 0 { Err(dead().into()) } else { Ok(done) }
    }
}

#[async_trait::async_trait]
impl Archive for Mortal {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        self.deed(self.archive.put(name, bytes)).await
    }
    async fn get(&self, name: &str) -> Result<Bytes, ArchiveError> {
        self.deed(self.archive.get(name)).await
    }
    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, ArchiveError> {
        self.deed(self.archive.get_range(name, offset, length)).await
    }
    async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        self.deed(self.archive.remove(name)).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        self.deed(self.archive.list(prefix)).await
    }
}

#[async_trait::async_trait]
impl SessionStore for Mortal {
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError> {
        self.deed(self.store.create(key, rows)).await
    }
    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        self.deed(self.store.find(key)).await
    }
    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError> {
        self.deed(self.store.list(tenant, options)).await
    }
    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError> {
        self.deed(self.store.lease(key)).await
    }
    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.deed(self.store.release(lease)).await
    }
    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        flush: Flush,
    ) -> Result<Seq, StoreError> {
        self.deed(self.store.append(lease, expected, rows, flush)).await
    }
    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError> {
        self.deed(self.store.read(key, from)).await
    }
    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError> {
        self.deed(self.store.fork(from, upto, to)).await
    }
    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.deed(self.store.erase(key)).await
    }
    async fn erase_leased(&self, lease: &Lease, expected: Seq) -> Result<(), StoreError> {
        self.deed(self.store.erase_leased(lease, expected)).await
    }
    async fn close(&self) -> Result<(), StoreError> {
        SessionStore::close(&self.store).await
    }
}

#[tokio::test]
async fn whatever_dies_when_the_log_is_whole_somewhere() {
    let mut deaths = 0;
    for there in [true, false] {
        for deeds in 0.. {
            let mut ended = 0;
            for after in [None, Some(())] {
                let w = world(rows(5, true)).await;
                if !there {
                    w.cold.archive(&key()).await.unwrap();
                }
                // Dropped below: its leases end with the process.
                let mortal = Arc::new(Mortal {
                    left: AtomicI64::new(deeds),
                    after,
                    store: w.store.sibling(),
                    archive: w.archive.clone(),
                });
                let dying = SessionArchive::new(mortal.clone(), mortal);
                let died = if there {
                    dying.archive(&key()).await.map(|_| ())
                } else {
                    dying.restore(&key()).await.map(|_| ())
                };
                drop(dying);
                (ended, deaths) = (ended + u64::from(died.is_ok()), deaths + u64::from(died.is_err()));
                let stored = read(&*w.store).await;
                assert!(stored.is_none() || stored == Some(rows(5, true)), "after {deeds} deeds");
                assert!(
                    stored.is_some() || w.cold.has(&key()).await.unwrap(),
                    "after {deeds} deeds it is lost"
                );
                // Whoever wants it gets it, and no copy is left.
                w.cold.restore(&key()).await.unwrap();
                assert_eq!(read(&*w.store).await, Some(rows(5, true)), "after {deeds} deeds");
                assert!(!w.cold.has(&key()).await.unwrap(), "after {deeds} deeds a copy is left");
                assert!(matches!(w.cold.archive(&key()).await.unwrap(), Archived::Done { .. }));
            }
            if ended == 2 {
                break;
            }
        }
    }
    assert!(deaths > 15, "{deaths} deaths");
}

/// Adds to the session as soon as its lease is free: between the look and the removal there must be no such moment.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_meanwhile_is_not_lost() {
    for _ in 0..50 {
        let w = world(rows(2, true)).await;
        let (writer, archiver) = (w.store.sibling(), w.cold.clone());
        let writing = tokio::spawn(async move {
            for _ in 0..1_000 {
                let Ok(lease) = writer.lease(&key()).await else { continue };
                let more = rows(3, true).split_off(5);
                let written = writer.append(&lease, Seq(5), more, Flush::Durable).await.is_ok();
                writer.release(&lease).await.unwrap();
                return written;
            }
            false
        });
        let archiving = tokio::spawn(async move { archiver.archive(&key()).await.unwrap() });
        let (written, _) = (writing.await.unwrap(), archiving.await.unwrap());
        w.cold.restore(&key()).await.unwrap();
        assert_eq!(read(&*w.store).await, Some(rows(if written { 3 } else { 2 }, true)));
    }
}
