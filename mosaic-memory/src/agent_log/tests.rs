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

mod damage;
mod dying;
mod erasing;
mod jobs;
mod tiers;

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

async fn files(archive: &RamArchive) -> BTreeMap<String, Bytes> {
    let mut files = BTreeMap::new();
    for name in archive.list("").await.unwrap() {
        let bytes = archive.get(&name).await.unwrap();
        files.insert(name, bytes);
    }
    files
}
