//! What is written into the archive and what comes back: damage, and others who change something meanwhile.

use super::dying::Mortal;
use super::*;

#[tokio::test]
async fn a_segment_is_gzip_of_json_lines_for_anybody_and_its_name_tells_nothing() {
    let world = World::new().policy(|policy| policy.hot_rows = 100).filled().await;
    world.log.tier("acme").await.unwrap();
    let (name, bytes) = files(&world.archive).await.pop_first().unwrap();
    assert!(!name.contains("acme") && name.contains("2024-02-29"), "{name}");
    let mut lines = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(&*bytes), &mut lines).unwrap();
    let mut found: Vec<LogRow> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    found.sort_by_key(|row| row.id);
    assert_eq!(found, rows()[..20]);
}

#[tokio::test]
async fn damage_is_told_and_nothing_is_lost_by_it() {
    let world = World::new().policy(|policy| policy.hot_rows = 100).filled().await;
    world.log.tier("acme").await.unwrap();
    let (name, bytes) = files(&world.archive).await.pop_first().unwrap();
    let mut damaged = bytes.to_vec();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for (bad, due) in
        [(Bytes::from(damaged), "damaged"), (bytes.slice(..20), "has 20 bytes"), (Bytes::new(), "has 0")]
    {
        world.archive.put(&name, bad).await.unwrap();
        let error = world.log.all_rows(&all()).await.unwrap_err();
        assert!(error.to_string().contains(due), "{error}");
        assert_eq!(error.kind(), mosaic_core::ErrorKind::Corrupt);
        assert!(world.log.totals(&all(), &[]).await.is_ok(), "totals need no file");
    }
    world.archive.remove(&name).await.unwrap();
    let error = world.log.all_rows(&all()).await.unwrap_err();
    assert!(error.to_string().contains("there is no"), "{error}");
    world.archive.put(&name, bytes).await.unwrap();
    assert_eq!(world.log.all_rows(&all()).await.unwrap(), rows());
}

/// An archive whose bytes are not what was put there.
#[derive(Debug)]
struct Forgetful(RamArchive);

#[async_trait::async_trait]
impl Archive for Forgetful {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        self.0.put(name, bytes.slice(..bytes.len() - 1)).await
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
        self.0.list(prefix).await
    }
}

#[tokio::test]
async fn rows_stay_where_the_archive_does_not_give_back_what_it_got() {
    let world = World::new().policy(|policy| policy.hot_rows = 0).filled().await;
    let archive = Arc::new(Forgetful(world.archive.clone()));
    let bad = AgentLog::new(Arc::new(world.store.clone()), archive, Arc::new(world.runtime.clone()));
    let bad = bad.policy(TierPolicy::default());
    assert!(matches!(bad.tier("acme").await, Err(AgentLogError::Damaged { .. })));
    assert_eq!(world.store.all_rows(&all()).await.unwrap(), rows());
    world.log.tier("acme").await.unwrap();
    world.check(&rows()).await;
}

/// Somebody takes a row between the writing of a file and its seal.
#[derive(Debug)]
struct Meddler(RamArchive, RamAgentLog, AtomicI64);

#[async_trait::async_trait]
impl Archive for Meddler {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        if self.2.fetch_add(1, Ordering::SeqCst) == 0 {
            let take = TierChange::Take { ids: vec![row(3).id] };
            self.1.apply("acme", vec![take]).await.map_err(|_| Mortal::dead())?;
        }
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
        self.0.list(prefix).await
    }
}

#[tokio::test]
async fn a_move_that_comes_too_late_begins_again_and_leaves_no_file() {
    let world = World::new().policy(|policy| policy.hot_rows = 100).filled().await;
    let mut log = world.log.clone();
    log.archive = Arc::new(Meddler(world.archive.clone(), world.store.clone(), AtomicI64::new(0)));
    assert_eq!(log.tier("acme").await.unwrap().moved, 19, "one of the twenty is not there any more");
    let left: Vec<_> = rows().into_iter().filter(|row| row.seq.0 != 3).collect();
    world.check(&left).await;
    assert_eq!(world.archive.list("").await.unwrap().len(), 1);
    let register = world.store.segments(&all()).await.unwrap();
    let states = register.iter().filter(|one| matches!(one, Registered::Announced { .. })).count();
    assert_eq!((register.len(), states), (2, 0), "{register:?}");
}

/// Rows move between the look at the register and the look at the rows.
#[derive(Debug)]
struct Moving(RamAgentLog, AgentLog);

#[async_trait::async_trait]
impl AgentLogStore for Moving {
    async fn put(&self, rows: Vec<LogRow>) -> Result<u64, AgentLogError> {
        self.0.put(rows).await
    }
    async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        self.1.tier("acme").await?;
        self.0.rows(query).await
    }
    async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        let totals = self.0.totals(filter, by).await;
        self.1.tier("acme").await?;
        totals
    }
    async fn erase(&self, scope: &Scope) -> Result<u64, AgentLogError> {
        self.0.erase(scope).await
    }
    async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        self.0.tenants().await
    }
    async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        self.0.hot(tenant).await
    }
    async fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        self.0.summaries(filter, by).await
    }
    async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        self.0.segments(filter).await
    }
    async fn apply(&self, tenant: &str, changes: Vec<TierChange>) -> Result<(), AgentLogError> {
        self.0.apply(tenant, changes).await
    }
}

#[tokio::test]
async fn what_moves_while_it_is_asked_for_is_told_once() {
    for by_totals in [true, false] {
        let world = World::new().policy(|policy| policy.hot_rows = 45).filled().await;
        let mut log = world.log.clone();
        log.store = Arc::new(Moving(world.store.clone(), world.log.clone()));
        if by_totals {
            let totals = log.totals(&all(), SUMMARY).await.unwrap();
            assert_eq!(totals, LogTable::of(&rows(), SUMMARY));
        } else {
            assert_eq!(log.all_rows(&all()).await.unwrap(), rows());
        }
    }
}
