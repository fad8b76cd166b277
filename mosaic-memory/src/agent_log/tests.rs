//! Tiers in RAM: what moves, what is asked, what a crash at any moment leaves, what damage is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mosaic_core::agent_log::conformance::row;
use mosaic_core::agent_log::{
    AgentLogError, AgentLogStore, AgentLogStoreExt, Day, HotDay, LogFilter, LogKey, LogQuery, LogRow,
    LogTable, RamAgentLog, Registered, SUMMARY, TierChange, to_lines,
};
use mosaic_core::archive::{Archive, ArchiveError, RamArchive};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{Runtime as _, Scope, SessionKey, StoreError, Timestamp};

use super::log::sealed;
use super::*;

const DAYS: Duration = Duration::from_secs(86_400);

/// Rows of five days, one an hour. The day of the first row is long before the clock of the tests.
fn rows() -> Vec<LogRow> {
    (0..120).map(row).collect()
}

/// How long ago the row of a number began.
fn age(n: u64) -> Duration {
    row(n).at.until(TestRuntime::START)
}

fn acme() -> Scope {
    Scope::of("acme")
}

fn ann() -> Scope {
    acme().user("ann")
}

fn all() -> LogFilter {
    LogFilter::of(acme())
}

struct World {
    store: RamAgentLog,
    archive: RamArchive,
    runtime: TestRuntime,
    log: AgentLog,
}

impl World {
    fn new() -> Self {
        let (store, archive, runtime) = (RamAgentLog::new(), RamArchive::new(), TestRuntime::new(7));
        let log =
            AgentLog::new(Arc::new(store.clone()), Arc::new(archive.clone()), Arc::new(runtime.clone()));
        Self { store, archive, runtime, log }
    }

    fn policy(mut self, set: impl FnOnce(&mut TierPolicy)) -> Self {
        // No age but what a test says.
        let mut policy =
            TierPolicy { hot_age: 9_999 * DAYS, warm_age: 9_999 * DAYS, ..TierPolicy::default() };
        set(&mut policy);
        self.log = self.log.policy(policy);
        self
    }

    async fn filled(self) -> Self {
        self.store.put(rows()).await.unwrap();
        self
    }

    /// Rows that are hot, and rows that are cold.
    async fn places(&self) -> (Vec<LogRow>, Vec<LogRow>) {
        let hot = self.store.all_rows(&all()).await.unwrap();
        let mut cold = Vec::new();
        for segment in sealed(self.store.segments(&all()).await.unwrap()) {
            for frame in &segment.frames {
                cold.extend(self.log.read(&segment, frame).await.unwrap());
            }
        }
        cold.sort_by_key(|row| row.id);
        (hot, cold)
    }

    /// Each row is in one place, the summaries are those of what is cold, and files are those of the register.
    async fn check(&self, due: &[LogRow]) {
        let (hot, cold) = self.places().await;
        let mut both: Vec<LogRow> = hot.iter().chain(&cold).cloned().collect();
        both.sort_by_key(|row| row.id);
        let (found, due): (Vec<_>, Vec<_>) =
            (both.iter().map(|row| row.seq.0).collect(), due.iter().map(|row| row.seq.0).collect());
        assert_eq!(found, due, "{} are hot, {} cold", hot.len(), cold.len());
        let summaries = self.store.summaries(&all(), SUMMARY).await.unwrap();
        assert_eq!(summaries, LogTable::of(&cold, SUMMARY));
        let registered: BTreeSet<String> =
            self.store.segments(&all()).await.unwrap().iter().map(|one| one.name().to_string()).collect();
        let files: BTreeSet<String> = self.archive.list("").await.unwrap().into_iter().collect();
        assert!(files.is_subset(&registered), "files that nobody knows: {files:?}, known are {registered:?}");
    }
}

#[tokio::test]
async fn what_is_old_moves_and_what_is_young_stays() {
    let world = World::new().policy(|policy| policy.hot_age = age(48)).filled().await;
    let report = world.log.tier("acme").await.unwrap();
    // Row 48 began in the middle of... the third day begins with it: the two days before it are over.
    assert_eq!((report.moved, report.sealed), (48, 2));
    let (hot, cold) = world.places().await;
    assert_eq!((hot.len(), cold.len()), (72, 48));
    world.check(&rows()).await;
    let bytes: u64 = sealed(world.store.segments(&all()).await.unwrap()).map(|segment| segment.bytes).sum();
    let lines = to_lines(&rows()[..48]).unwrap().len() as u64;
    assert!(bytes * 3 < lines, "{bytes} bytes are no third of {lines}");
    assert_eq!(world.log.tier("acme").await.unwrap(), TierReport::default(), "a second pass does nothing");
}

#[tokio::test]
async fn the_oldest_move_when_there_are_too_many_in_segments_of_a_size() {
    let world = World::new().policy(|policy| (policy.hot_rows, policy.segment_rows) = (50, 9)).filled().await;
    let report = world.log.tier("acme").await.unwrap();
    assert_eq!((report.moved, report.sealed), (70, 9), "24 of a day are three segments");
    let (hot, cold) = world.places().await;
    assert_eq!(hot, rows()[70..]);
    assert_eq!(cold, rows()[..70]);
    world.check(&rows()).await;
}

/// Many questions.
fn questions() -> Vec<LogFilter> {
    let hour = |n: u64| row(n).at;
    let tomorrow = Day(Day::of(hour(0)).0 + 1);
    vec![
        all(),
        LogFilter::of(ann()),
        LogFilter::of(acme().agent("cook")),
        LogFilter::of(acme().session("s1")),
        LogFilter::of(ann().session("s1")),
        all().run(row(13).run),
        all().failed(),
        all().name("two").from(hour(10)).until(hour(61)),
        all().day(tomorrow),
        LogFilter::of(ann()).from(hour(30)),
        all().until(hour(90)),
    ]
}

#[tokio::test]
async fn questions_are_answered_as_if_nothing_had_moved() {
    let still = World::new().filled().await;
    let moved = World::new().policy(|policy| policy.hot_rows = 45).filled().await;
    moved.log.tier("acme").await.unwrap();
    let dropped =
        World::new().policy(|policy| (policy.hot_rows, policy.warm_age) = (45, age(48))).filled().await;
    let report = dropped.log.tier("acme").await.unwrap();
    assert_eq!(report.summaries_before, Some(Day::of(row(48).at)));
    for filter in questions() {
        let due = still.store.all_rows(&filter).await.unwrap();
        for world in [&moved, &dropped] {
            assert_eq!(world.log.all_rows(&filter).await.unwrap(), due, "{filter:?}");
            for by in [SUMMARY, &[], &[LogKey::Session, LogKey::User], &[LogKey::Name]] {
                let (found, due) = (world.log.totals(&filter, by).await.unwrap(), LogTable::of(&due, by));
                assert_eq!(found, due, "{filter:?} by {by:?}");
            }
            for first in [LogQuery::new(filter.clone()), LogQuery::new(filter.clone()).oldest()] {
                for limit in [1, 13, 500] {
                    let mut query = first.clone().limit(limit);
                    let mut pages = Vec::new();
                    loop {
                        let page = world.log.rows(&query).await.unwrap();
                        assert_eq!(page, query.page(due.clone()), "{query:?}");
                        let Some(last) = page.last() else { break };
                        query = query.after(last.id);
                        pages.extend(page);
                    }
                    assert_eq!(pages.len(), due.len());
                }
            }
        }
    }
    assert_eq!(
        moved.log.export_lines(&ann()).await.unwrap(),
        still.store.export_lines(&ann()).await.unwrap()
    );
}

#[tokio::test]
async fn old_segments_are_removed_for_good_where_the_policy_says_so() {
    let world = World::new()
        .policy(|policy| {
            (policy.hot_rows, policy.warm_age, policy.cold_age) = (0, age(24), Some(age(48)));
        })
        .filled()
        .await;
    let report = world.log.tier("acme").await.unwrap();
    assert_eq!((report.moved, report.removed), (120, 2));
    let (hot, cold) = world.places().await;
    assert_eq!((hot.len(), &cold[..]), (0, &rows()[48..]));
    assert_eq!(world.archive.list("").await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_row_that_is_recorded_again_after_it_moved_is_there_once() {
    let world = World::new().policy(|policy| policy.hot_rows = 0).filled().await;
    world.log.tier("acme").await.unwrap();
    let lines = to_lines(&rows()[..30]).unwrap();
    assert_eq!(world.log.import_lines(&acme(), &lines).await.unwrap(), 0, "they are in the archive");
    assert!(world.store.all_rows(&all()).await.unwrap().is_empty());
    // Behind its back: the next pass sees that the archive has them.
    world.store.put(rows()[..30].to_vec()).await.unwrap();
    assert_eq!(world.log.all_rows(&all()).await.unwrap(), rows(), "shown once also before that");
    let report = world.log.tier("acme").await.unwrap();
    assert_eq!((report.repeated, report.moved), (30, 0));
    world.check(&rows()).await;
    // Some of a day were not there yet.
    let mut late = row(30);
    late.seq = mosaic_core::Seq(500);
    late.id = mosaic_core::agent_log::LogRowId::derive(late.at, &late.scope, late.run, late.seq, 0);
    let lines = to_lines([&row(30), &late]).unwrap();
    assert_eq!(world.log.import_lines(&acme(), &lines).await.unwrap(), 1);
    assert_eq!(world.log.tier("acme").await.unwrap().moved, 1);
    assert_eq!(world.log.all_rows(&all()).await.unwrap().len(), 121);
}

#[tokio::test]
async fn erasing_reaches_all_tiers_and_leaves_the_others_as_they_were() {
    let narrow = ann().session("s1");
    for scope in [ann(), acme().agent("cook"), narrow, acme().session("s1"), ann().agent("clerk"), acme()] {
        let world = World::new().policy(|policy| policy.hot_rows = 45).filled().await;
        world.log.tier("acme").await.unwrap();
        let before: BTreeMap<String, Bytes> = files(&world.archive).await;
        let erased = world.log.erase(&scope).await.unwrap();
        let (out, stay): (Vec<_>, Vec<_>) = rows().into_iter().partition(|row| scope.contains(&row.scope));
        assert_eq!(erased.rows, out.len() as u64, "{scope}");
        world.check(&stay).await;
        assert_eq!(world.log.all_rows(&all()).await.unwrap(), stay, "{scope}");
        assert_eq!(world.log.totals(&all(), SUMMARY).await.unwrap(), LogTable::of(&stay, SUMMARY), "{scope}");
        let register = world.store.segments(&all()).await.unwrap();
        assert!(register.iter().all(|one| matches!(one, Registered::Sealed { .. })), "{register:?}");
        assert_eq!(register.len(), world.archive.list("").await.unwrap().len());
        assert_eq!(world.log.erase(&scope).await.unwrap(), LogErased::default(), "again");
        let after = files(&world.archive).await;
        let replaced = before.keys().filter(|name| !after.contains_key(*name)).count() as u64;
        assert_eq!((replaced, erased.segments > 0), (erased.segments, true), "{scope}");
        if scope == acme() {
            assert!(world.store.tenants().await.unwrap().is_empty() && after.is_empty());
        }
    }
}

async fn files(archive: &RamArchive) -> BTreeMap<String, Bytes> {
    let mut files = BTreeMap::new();
    for name in archive.list("").await.unwrap() {
        let bytes = archive.get(&name).await.unwrap();
        files.insert(name, bytes);
    }
    files
}

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

/// Dies at the n-th thing that it is asked to do: before it does it, or after.
#[derive(Debug, Clone)]
struct Mortal {
    left: Arc<AtomicI64>,
    after: Option<()>,
    store: RamAgentLog,
    archive: RamArchive,
}

impl Mortal {
    fn dead() -> StoreError {
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
fn mortal(world: &World, deeds: i64, after: Option<()>) -> AgentLog {
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
async fn an_erasure_that_dies_at_any_deed_loses_nothing_of_others_and_the_next_one_ends_it() {
    for scope in [ann(), ann().session("s1"), acme()] {
        for deeds in 0.. {
            let mut ended = 0;
            for after in [None, Some(())] {
                let world = World::new().policy(|policy| policy.hot_rows = 70).filled().await;
                world.log.tier("acme").await.unwrap();
                let died = mortal(&world, deeds, after).erase(&scope).await;
                ended += usize::from(died.is_ok());
                let (hot, cold) = world.places().await;
                let others: BTreeSet<_> = hot
                    .iter()
                    .chain(&cold)
                    .filter(|row| !scope.contains(&row.scope))
                    .map(|row| row.id)
                    .collect();
                let stay: Vec<_> = rows().into_iter().filter(|row| !scope.contains(&row.scope)).collect();
                assert_eq!(others.len(), stay.len(), "after {deeds} deeds of erasing {scope}");
                world.log.erase(&scope).await.unwrap();
                world.check(&stay).await;
                let register = world.store.segments(&all()).await.unwrap();
                assert_eq!(register.len(), world.archive.list("").await.unwrap().len(), "{register:?}");
            }
            if ended == 2 {
                break;
            }
        }
    }
}

#[tokio::test]
async fn passes_and_erasures_at_once_lose_nothing() {
    let world = World::new().policy(|policy| (policy.hot_rows, policy.segment_rows) = (0, 5)).filled().await;
    let log = Arc::new(world.log.clone());
    let passes = (0..4).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            // A conflict is told, and another pass goes on.
            while matches!(log.tier("acme").await, Err(AgentLogError::Conflict { .. })) {
                tokio::task::yield_now().await;
            }
        })
    });
    let passes: Vec<_> = passes.collect();
    for scope in [ann(), acme().session("s3")] {
        while let Err(error) = log.erase(&scope).await {
            assert!(matches!(error, AgentLogError::Conflict { .. }), "{error}");
            tokio::task::yield_now().await;
        }
    }
    for pass in passes {
        pass.await.unwrap();
    }
    let gone = |row: &LogRow| ann().contains(&row.scope) || acme().session("s3").contains(&row.scope);
    let stay: Vec<_> = rows().into_iter().filter(|row| !gone(row)).collect();
    world.check(&stay).await;
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

mod jobs {
    use super::*;
    use mosaic_core::queue::{Budget, JobFilter, JobPage, JobState, Queue, RamQueue};
    use mosaic_core::{
        Body, EndedRun, Entry, Flush, InputDelivery, Part, RunEnd, RunId, Seq, SessionStore, Usage,
    };
    use mosaic_storage::RamStore;

    fn run(n: u128) -> EndedRun {
        EndedRun {
            session: SessionKey::of("acme", "s"),
            user: Some("ann".into()),
            agent: "cook".into(),
            run: RunId(uuid::Uuid::from_u128(n)),
            from: Seq(1),
        }
    }

    fn entry(seq: u64, body: Body) -> Entry {
        Entry { seq: Seq(seq), v: 1, at: Timestamp(TestRuntime::START.0 + seq), run: Some(run(7).run), body }
    }

    fn entries() -> [Entry; 2] {
        let parts = vec![Part::text("hello")];
        let input = Body::Input { parts, delivery: InputDelivery::Start, output: None, limits: None };
        let end = Body::RunEnd { end: RunEnd::Done, usage: Usage::default(), cost: None };
        [entry(1, input), entry(2, end)]
    }

    async fn world() -> (World, Arc<RamStore>, Queue) {
        let (world, sessions) = (World::new().policy(|_| {}), Arc::new(RamStore::new()));
        let log = Arc::new(world.log.clone());
        let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(world.runtime.clone()))
            .handler(RecordHandler::new(log.clone(), sessions.clone()))
            .handler(TierHandler::new(log));
        (world, sessions, queue)
    }

    #[tokio::test]
    async fn a_run_is_recorded_when_it_has_ended_and_looked_at_again_before() {
        let (world, sessions, queue) = world().await;
        let [input, end] = entries();
        sessions.create(&run(7).session, vec![input.to_row().unwrap()]).await.unwrap();
        queue.add(record_job(&run(7))).await.unwrap();
        queue.add(record_job(&run(7))).await.unwrap();
        let report = queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
        assert!(world.store.all_rows(&all()).await.unwrap().is_empty());
        let due = report.next_due.unwrap();
        assert_eq!(world.runtime.now().until(due), Duration::from_secs(60));

        let lease = sessions.lease(&run(7).session).await.unwrap();
        sessions.append(&lease, Seq(1), vec![end.to_row().unwrap()], Flush::Durable).await.unwrap();
        world.runtime.advance(Duration::from_secs(60)).await;
        let report = queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
        assert_eq!((report.done, report.next_due), (1, None), "told twice, it is one job");
        let rows = world.store.all_rows(&all()).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].scope, ann().agent("cook").session("s"));
        // Told again.
        queue.add(record_job(&run(7))).await.unwrap();
        queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
        assert_eq!(world.store.all_rows(&all()).await.unwrap(), rows);
    }

    #[tokio::test]
    async fn a_run_that_is_gone_or_never_ends_is_no_dead_letter() {
        let (world, sessions, queue) = world().await;
        queue.add(record_job(&run(8))).await.unwrap();
        assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 1, "there is no such session");
        let [input, _] = entries();
        sessions.create(&run(7).session, vec![input.to_row().unwrap()]).await.unwrap();
        queue.add(record_job(&run(7)).max_attempts(3)).await.unwrap();
        for _ in 0..3 {
            queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
            world.runtime.advance(Duration::from_secs(60)).await;
        }
        assert_eq!(queue.store().counts(None).await.unwrap(), Default::default());
    }

    #[tokio::test]
    async fn a_pass_serves_all_tenants_also_when_one_is_damaged() {
        let (mut world, _, _) = world().await;
        world = world.policy(|policy| policy.hot_rows = 0);
        let tier = TierHandler::new(Arc::new(world.log.clone()));
        let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(world.runtime.clone())).handler(tier);
        for tenant in ["acme", "globex", "initech"] {
            let mut rows = rows();
            rows.iter_mut().for_each(|row| row.scope.tenant = tenant.into());
            world.store.put(rows).await.unwrap();
        }
        queue.add(tier_job_of("globex")).await.unwrap();
        assert_eq!(queue.run_due_jobs(Budget::jobs(9)).await.unwrap().done, 1);
        let hot = async |tenant: &str| world.store.hot(tenant).await.unwrap().len();
        assert_eq!((hot("acme").await, hot("globex").await), (5, 0), "it was told of one tenant");

        // A row of the first day comes back, and the file that tells whether it is there is damaged.
        let name = world.archive.list("").await.unwrap().remove(0);
        world.archive.put(&name, "damaged".into()).await.unwrap();
        let mut back = row(1);
        back.scope.tenant = "globex".into();
        world.store.put(vec![back]).await.unwrap();
        queue.add(tier_job()).await.unwrap();
        queue.run_due_jobs(Budget::jobs(9)).await.unwrap();
        assert_eq!((hot("acme").await, hot("globex").await, hot("initech").await), (0, 1, 0));
        let waiting = queue
            .store()
            .list(&JobFilter::default().state(JobState::Waiting), JobPage::default())
            .await
            .unwrap();
        let error = waiting[0].error.as_ref().unwrap();
        assert_eq!(error.kind, mosaic_core::ErrorKind::Corrupt, "{error}");
    }
}
