//! The jobs: rows of a run that has ended, and a pass over the tiers.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::agent_log::AgentLogError;
use mosaic_core::queue::{Again, Handler, JobContext, JobError, NewJob, Schedule};
use mosaic_core::{EndedRun, ErrorKind, ErrorReport, RunEntries, SessionStore};
use serde::{Deserialize, Serialize};

use super::log::AgentLog;

/// The kind of [`RecordHandler`]'s jobs.
pub const RECORD: &str = "log.record";
/// The kind of [`TierHandler`]'s jobs.
pub const TIER: &str = "log.tier";

/// How long a run that goes on is left alone.
const OPEN: Duration = Duration::from_secs(60);

/// The job that records a run. Telling of a run twice is one job, unless the first has begun.
#[must_use]
pub fn record_job(run: &EndedRun) -> NewJob {
    // Names and numbers: they always can be written.
    let payload = serde_json::to_value(run).unwrap_or_default();
    NewJob::new(RECORD, payload).tenant(run.session.tenant.clone()).dedup_waiting(run.run.to_string())
}

/// Records runs: `log.record`, whose payload is an [`EndedRun`].
///
/// A run that has not ended is looked at again; after the last attempt it is left to whoever ends it, who tells of it once more.
#[derive(Debug, Clone)]
pub struct RecordHandler {
    log: Arc<AgentLog>,
    sessions: Arc<dyn SessionStore>,
}

impl RecordHandler {
    /// Records the runs of a store of sessions.
    pub fn new(log: Arc<AgentLog>, sessions: Arc<dyn SessionStore>) -> Self {
        Self { log, sessions }
    }
}

#[async_trait::async_trait]
impl Handler for RecordHandler {
    fn kind(&self) -> &str {
        RECORD
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let run: EndedRun = ctx.payload()?;
        let entries = match run.read(&*self.sessions).await.map_err(|error| error.report())? {
            RunEntries::Ended(entries) => entries,
            RunEntries::Open if ctx.job.attempt < ctx.job.rules.max_attempts => {
                let message = format!("run {} of session `{}` has not ended", run.run, run.session);
                let report = ErrorReport::new(ErrorKind::Conflict, message);
                return Err(JobError { report, again: Again::After(OPEN) });
            }
            // Left to whoever ends it; or erased, and nobody is to know of it.
            RunEntries::Open | RunEntries::Gone => return Ok(()),
        };
        ctx.confirm().await?;
        self.log.record(&run, &entries).await.map_err(failed)?;
        Ok(())
    }
}

/// What a pass is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Pass {
    /// Of this tenant; else of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<Arc<str>>,
}

/// The job that makes a pass over the tiers of all tenants.
#[must_use]
pub fn tier_job() -> NewJob {
    NewJob::new(TIER, serde_json::json!({})).dedup("all").timeout(Duration::from_secs(3_600))
}

/// The job that makes a pass over the tiers of one tenant.
pub fn tier_job_of(tenant: impl Into<Arc<str>>) -> NewJob {
    let tenant = tenant.into();
    let pass = serde_json::json!({ "tenant": tenant });
    NewJob::new(TIER, pass).tenant(tenant).dedup("tenant").timeout(Duration::from_secs(3_600))
}

/// A pass over all tiers by a cron expression in UTC: `17 3 * * *` is every night. Wants the feature `cron` of the core.
pub fn tier_schedule(expression: impl Into<Arc<str>>) -> Schedule {
    Schedule::cron(TIER, expression, tier_job())
}

/// Makes passes over the tiers: `log.tier`. One that is cut short is made again, and goes on where it was.
#[derive(Debug, Clone)]
pub struct TierHandler {
    log: Arc<AgentLog>,
}

impl TierHandler {
    /// Makes passes over the tiers of agent logs.
    #[must_use]
    pub fn new(log: Arc<AgentLog>) -> Self {
        Self { log }
    }
}

#[async_trait::async_trait]
impl Handler for TierHandler {
    fn kind(&self) -> &str {
        TIER
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let pass: Pass = ctx.payload()?;
        let tenants = match pass.tenant {
            Some(tenant) => vec![tenant],
            None => self.log.store().tenants().await.map_err(failed)?,
        };
        let mut failure = None;
        for tenant in tenants {
            // One tenant's damage is not to keep the others' logs from shrinking.
            if let Err(error) = self.pass(ctx, &tenant).await? {
                tracing::warn!(%error, "agent logs could not be moved");
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), |error| Err(failed(error)))
    }
}

impl TierHandler {
    /// A pass of a tenant; the outer error ends the attempt.
    async fn pass(&self, ctx: &JobContext, tenant: &str) -> Result<Result<(), AgentLogError>, JobError> {
        ctx.confirm().await?;
        if let Err(error) = self.log.tidy(tenant).await {
            return Ok(Err(error));
        }
        loop {
            ctx.confirm().await?;
            match self.log.step(tenant).await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}

/// All that fails here mends itself sooner or later, or is seen among the dead letters.
fn failed(error: AgentLogError) -> JobError {
    JobError { report: error.report(), again: Again::Backoff }
}
