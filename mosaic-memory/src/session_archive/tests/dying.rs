//! What dies in between.

use super::*;

/// Dies at the n-th thing that it is asked to do: before it does it, or after.
#[derive(Debug)]
pub(super) struct Mortal {
    left: AtomicI64,
    after: Option<()>,
    store: RamStore,
    archive: RamArchive,
}

impl Mortal {
    /// Over a world's store, as another process, and its archive. Its leases end when it is dropped.
    pub(super) fn of(world: &World, deeds: i64, after: Option<()>) -> Arc<Self> {
        let (store, archive) = (world.store.sibling(), world.archive.clone());
        Arc::new(Self { left: AtomicI64::new(deeds), after, store, archive })
    }

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
    async fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        self.deed(self.store.tenants()).await
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
                let mortal = Mortal::of(&w, deeds, after);
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
