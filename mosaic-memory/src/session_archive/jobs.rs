//! The job: old sessions go to the archive.

use std::sync::Arc;
use std::time::Duration;

use mosaic_core::queue::{Again, Handler, JobContext, JobError, NewJob, Schedule};
use serde::{Deserialize, Serialize};

use super::archive::SessionArchive;
use super::error::SessionArchiveError;
use super::pass::Pass;

/// The kind of [`ArchiveHandler`]'s jobs.
pub const ARCHIVE: &str = "session.archive";

/// Which sessions are old.
///
/// ```
/// use mosaic_memory::session_archive::ArchivePolicy;
/// use std::time::Duration;
///
/// let mut policy = ArchivePolicy::default();
/// policy.age = Duration::from_secs(30 * 86_400);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchivePolicy {
    /// Those that nobody wrote for so long when the job was made. 90 days.
    pub age: Duration,
}

impl Default for ArchivePolicy {
    fn default() -> Self {
        Self { age: Duration::from_secs(90 * 86_400) }
    }
}

/// What a pass is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Told {
    /// Of this tenant; else of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<Arc<str>>,
}

/// The job that archives the old sessions of all tenants.
#[must_use]
pub fn archive_job() -> NewJob {
    NewJob::new(ARCHIVE, serde_json::json!({})).dedup("all").timeout(Duration::from_secs(3_600))
}

/// The job that archives the old sessions of one tenant.
pub fn archive_job_of(tenant: impl Into<Arc<str>>) -> NewJob {
    let tenant = tenant.into();
    let told = serde_json::json!({ "tenant": tenant });
    NewJob::new(ARCHIVE, told).tenant(tenant).dedup("tenant").timeout(Duration::from_secs(3_600))
}

/// Archives the old sessions of all tenants by a cron expression in UTC: `41 3 * * *` is every night. Wants the feature `cron` of the core.
pub fn archive_schedule(expression: impl Into<Arc<str>>) -> Schedule {
    Schedule::cron(ARCHIVE, expression, archive_job())
}

/// Archives old sessions: `session.archive`. A pass that is cut short is made again, and goes on with those that are left.
#[derive(Debug, Clone)]
pub struct ArchiveHandler {
    archive: SessionArchive,
    policy: ArchivePolicy,
}

impl ArchiveHandler {
    /// Archives sessions that the default policy calls old.
    #[must_use]
    pub fn new(archive: SessionArchive) -> Self {
        Self { archive, policy: ArchivePolicy::default() }
    }

    /// Sets which are old.
    #[must_use]
    pub fn policy(mut self, policy: ArchivePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// A pass over a tenant; the outer error ends the attempt. What is old is told by the job, so that all attempts mean the same.
    async fn pass(
        &self,
        ctx: &JobContext,
        tenant: Arc<str>,
    ) -> Result<Result<(), SessionArchiveError>, JobError> {
        let mut pass = Pass::new(tenant, ctx.job.created, self.policy.age);
        loop {
            ctx.confirm().await?;
            match pass.step(&self.archive).await {
                Ok(true) => {}
                Ok(false) => return Ok(pass.end().map(|_| ())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}

#[async_trait::async_trait]
impl Handler for ArchiveHandler {
    fn kind(&self) -> &str {
        ARCHIVE
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let told: Told = ctx.payload()?;
        let tenants = match told.tenant {
            Some(tenant) => vec![tenant],
            None => self.archive.sessions().tenants().await.map_err(|error| failed(error.into()))?,
        };
        let mut failure = None;
        for tenant in tenants {
            // One tenant's damage is not to keep the others' sessions where they are.
            if let Err(error) = self.pass(ctx, tenant).await? {
                tracing::warn!(%error, "sessions could not be archived");
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), |error| Err(failed(error)))
    }
}

/// All that fails here mends itself sooner or later, or is seen among the dead letters.
fn failed(error: SessionArchiveError) -> JobError {
    JobError { report: error.report(), again: Again::Backoff }
}
