//! The job.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use mosaic_core::memory::{Change, MemoryId, MemoryStore, Scope};
use mosaic_core::queue::{Handler, JobContext, JobError};
use mosaic_core::{ErrorKind, RuntimeExt, Timestamp};

use super::pair::yields;
use super::rules::{CONSOLIDATE, Consolidation};
use crate::upkeep::step::stored;
use crate::write::{Reason, ReconcileOptions};

/// What consolidation came to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsolidationReport {
    /// Whose memories.
    pub scope: Scope,
    /// Which yielded to which, and why.
    pub joined: Vec<Joined>,
    /// So many have faded and were closed.
    pub forgotten: u64,
    /// So many were removed, for they had been closed for long.
    pub removed: u64,
}

/// A memory that gave way to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Which.
    pub memory: MemoryId,
    /// To which.
    pub to: MemoryId,
    /// Why.
    pub reason: Reason,
}

type Observer = Arc<dyn Fn(&ConsolidationReport) + Send + Sync>;

/// Joins, closes and removes memories: the handler of [`CONSOLIDATE`]. It asks no model, and embeds nothing: insights are compared
/// by the vectors that they have.
///
/// How old things are is measured from when the job was made, so that an attempt that is made again comes to the same.
#[derive(Clone)]
pub struct Consolidate {
    pub(super) store: Arc<dyn MemoryStore>,
    pub(super) options: ReconcileOptions,
    observer: Option<Observer>,
}

impl fmt::Debug for Consolidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consolidate")
            .field("store", &self.store)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Consolidate {
    /// Works on a store.
    #[must_use]
    pub fn new(store: Arc<dyn MemoryStore>) -> Self {
        Self { store, options: ReconcileOptions::default(), observer: None }
    }

    /// With the thresholds of a [`Writer`](crate::write::Writer): those of an embedder.
    #[must_use]
    pub fn reconcile(mut self, options: ReconcileOptions) -> Self {
        self.options = options;
        self
    }

    /// Tells what it came to, at the end.
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(&ConsolidationReport) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

#[async_trait::async_trait]
impl Handler for Consolidate {
    fn kind(&self) -> &str {
        CONSOLIDATE
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let Consolidation { scope, rules } = ctx.payload()?;
        let report = ConsolidationReport { scope, joined: Vec::new(), forgotten: 0, removed: 0 };
        let mut run = Run { handler: self, ctx, now: ctx.job.created, report, busy: 0 };
        while run.join_preferences().await? > 0 {}
        while run.join_insights().await? > 0 {}
        run.forget(&rules).await?;
        run.remove(&rules).await?;
        let ConsolidationReport { scope, joined, forgotten, removed } = &run.report;
        tracing::info!(%scope, joined = joined.len(), forgotten, removed, "memories were consolidated");
        if let Some(observer) = &self.observer {
            observer(&run.report);
        }
        Ok(())
    }
}

/// So often others may be in the way, before it is left for later.
const PATIENCE: u32 = 16;

/// What became of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// They were made.
    Done,
    /// Somebody else changed the same memories: what is there must be looked at anew.
    Overtaken,
}

/// One attempt.
pub(super) struct Run<'r> {
    pub(super) handler: &'r Consolidate,
    pub(super) ctx: &'r JobContext,
    /// The time that ages are measured by.
    pub(super) now: Timestamp,
    pub(super) report: ConsolidationReport,
    busy: u32,
}

/// One yields to another.
pub(super) struct Yielding {
    pub(super) joined: Joined,
    pub(super) changes: Vec<Change>,
}

impl Run<'_> {
    /// What it is that one memory yields to another.
    pub(super) fn yielding(
        &self,
        loser: &mosaic_core::memory::Memory,
        winner: &mosaic_core::memory::Memory,
        reason: Reason,
    ) -> Yielding {
        let runtime = &self.ctx.runtime;
        let changes = yields(loser, winner, runtime.now(), || MemoryId(runtime.uuid()));
        Yielding { joined: Joined { memory: loser.id, to: winner.id, reason }, changes }
    }

    /// Makes memories yield, all or none.
    pub(super) async fn join(&mut self, all: Vec<Yielding>) -> Result<Applied, JobError> {
        let (joined, changes): (Vec<Joined>, Vec<Vec<Change>>) =
            all.into_iter().map(|one| (one.joined, one.changes)).unzip();
        let applied = self.apply(changes.into_iter().flatten().collect()).await?;
        if applied == Applied::Done {
            for Joined { memory, to, reason } in &joined {
                tracing::debug!(%memory, %to, %reason, "a memory yields to another");
            }
            self.report.joined.extend(joined);
        }
        Ok(applied)
    }

    /// Makes changes, all or none, while the job is ours.
    pub(super) async fn apply(&mut self, changes: Vec<Change>) -> Result<Applied, JobError> {
        if changes.is_empty() {
            return Ok(Applied::Done);
        }
        self.ctx.confirm().await?;
        let error = match self.handler.store.apply(&self.report.scope, changes).await {
            Ok(()) => return Ok(Applied::Done),
            Err(error) => error,
        };
        self.busy += 1;
        match error.kind() {
            ErrorKind::Conflict | ErrorKind::NotFound if self.busy < PATIENCE => Ok(Applied::Overtaken),
            ErrorKind::Conflict | ErrorKind::NotFound => Err(JobError::retry(format!(
                "others changed the same memories {PATIENCE} times; what is left is done later ({error})"
            ))),
            _ => Err(stored(&error)),
        }
    }
}

/// Ids that are gone.
pub(super) type Gone = BTreeSet<MemoryId>;
