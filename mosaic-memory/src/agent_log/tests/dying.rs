//! What a process leaves that dies, or was thought dead.

use super::*;

/// Dies at the n-th thing that it is asked to do: before it does it, or after.
#[derive(Debug, Clone)]
pub(super) struct Mortal {
    left: Arc<AtomicI64>,
    after: Option<()>,
    store: RamAgentLog,
    archive: RamArchive,
}

impl Mortal {
    pub(super) fn dead() -> StoreError {
        StoreError::Closed { store: "the process".into() }
    }

    /// Counts a deed: `Err` when the process is dead before it, or dies right after it.
    async fn deed<T, E: From<StoreError>>(
        &self,
        deed: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left < 0 || (left == 0 && self.after.is_none()) {
            return Err(Self::dead().into());
        }
        let done = deed.await?;
        if left == 0 { Err(Self::dead().into()) } else { Ok(done) }
    }
}

#[async_trait::async_trait]
impl AgentLogStore for Mortal {
    async fn put(&self, rows: Vec<LogRow>) -> Result<u64, AgentLogError> {
        self.deed(self.store.put(rows)).await
    }
    async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        self.store.rows(query).await
    }
    async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        self.store.totals(filter, by).await
    }
    async fn erase(&self, scope: &Scope) -> Result<u64, AgentLogError> {
        self.deed(self.store.erase(scope)).await
    }
    async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        self.store.tenants().await
    }
    async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        self.store.hot(tenant).await
    }
    async fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        self.store.summaries(filter, by).await
    }
    async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        self.store.segments(filter).await
    }
    async fn apply(&self, tenant: &str, changes: Vec<TierChange>) -> Result<(), AgentLogError> {
        self.deed(self.store.apply(tenant, changes)).await
    }
}

#[async_trait::async_trait]
impl Archive for Mortal {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        self.deed(self.archive.put(name, bytes)).await
    }
    async fn get(&self, name: &str) -> Result<Bytes, ArchiveError> {
        self.archive.get(name).await
    }
    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, ArchiveError> {
        self.archive.get_range(name, offset, length).await
    }
    async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        self.deed(self.archive.remove(name)).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        self.archive.list(prefix).await
    }
}

/// A log of the world's store and archive that dies after so many deeds.
pub(super) fn mortal(world: &World, deeds: i64, after: Option<()>) -> AgentLog {
    let (store, archive) = (world.store.clone(), world.archive.clone());
    let mortal = Arc::new(Mortal { left: Arc::new(AtomicI64::new(deeds)), after, store, archive });
    let mut log = world.log.clone();
    (log.store, log.archive) = (mortal.clone(), mortal);
    log
}

#[tokio::test]
async fn a_pass_that_dies_at_any_deed_leaves_each_row_in_one_place_and_the_next_one_ends_it() {
    let mut deaths = 0;
    for deeds in 0.. {
        let mut ended = 0;
        for after in [None, Some(())] {
            let world = World::new()
                .policy(|policy| {
                    (policy.hot_rows, policy.forget_after, policy.warm_age) = (50, Duration::ZERO, age(24))
                })
                .filled()
                .await;
            // What a dead pass left before, and what is too old.
            world
                .store
                .apply("acme", vec![TierChange::Announce { name: "left".into(), day: Day(1) }])
                .await
                .unwrap();
            world.archive.put("left", "x".into()).await.unwrap();
            let died = mortal(&world, deeds, after).tier("acme").await;
            ended += usize::from(died.is_ok());
            deaths += usize::from(died.is_err());
            let (hot, cold) = world.places().await;
            let places: BTreeSet<_> = hot.iter().chain(&cold).map(|row| row.id).collect();
            assert_eq!((places.len(), hot.len() + cold.len()), (120, 120), "after {deeds} deeds");
            assert_eq!(world.log.all_rows(&all()).await.unwrap(), rows(), "after {deeds} deeds");
            let totals = world.log.totals(&all(), SUMMARY).await.unwrap();
            assert_eq!(totals, LogTable::of(&rows(), SUMMARY), "after {deeds} deeds");

            world.log.tier("acme").await.unwrap();
            world.log.tidy("acme").await.unwrap();
            assert_eq!(world.places().await, (rows()[70..].to_vec(), rows()[..70].to_vec()));
            let register = world.store.segments(&all()).await.unwrap();
            assert_eq!(register.len(), 3, "after {deeds} deeds: {register:?}");
            assert_eq!(world.archive.list("").await.unwrap().len(), 3, "after {deeds} deeds");
        }
        if ended == 2 {
            assert!(deaths > 15, "{deaths} deaths");
            return;
        }
    }
}

#[tokio::test]
async fn what_a_process_writes_that_was_thought_dead_is_removed_and_forgotten_later() {
    let world = World::new().policy(|policy| policy.hot_rows = 999).filled().await;
    let announce = TierChange::Announce { name: "late".into(), day: Day(9) };
    world.store.apply("acme", vec![announce]).await.unwrap();
    assert_eq!(world.log.tidy("acme").await.unwrap().removed, 1);
    // It was not dead.
    world.archive.put("late", "x".into()).await.unwrap();
    let seal = world
        .store
        .apply(
            "acme",
            vec![
                TierChange::Take { ids: vec![row(1).id] },
                TierChange::Announce { name: "late".into(), day: Day(9) },
            ],
        )
        .await;
    assert!(matches!(seal, Err(AgentLogError::Conflict { .. })), "its seal is refused");
    world.runtime.advance(DAYS / 2).await;
    world.log.tidy("acme").await.unwrap();
    assert!(world.archive.list("").await.unwrap().is_empty());
    assert_eq!(world.store.segments(&all()).await.unwrap().len(), 1, "its name is kept for a day");
    world.runtime.advance(DAYS).await;
    world.log.tidy("acme").await.unwrap();
    assert!(world.store.segments(&all()).await.unwrap().is_empty());
}
