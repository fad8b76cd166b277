//! What runs jobs of a kind.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Job, JobStore, QueueError};
use crate::error::{ErrorKind, ErrorReport};
use crate::runtime::Runtime;
use crate::tool::CancelToken;

/// Runs jobs of a kind.
///
/// An attempt may be cut short at any await: by its timeout, by a drain, or because the job was lost. It is tried again then,
/// so what it does must bear being done again, or be kept in one transaction at the end, after
/// [`JobContext::confirm`].
///
/// ```
/// use mosaic_core::queue::{Handler, JobContext, JobError};
///
/// struct Extract;
///
/// #[async_trait::async_trait]
/// impl Handler for Extract {
///     fn kind(&self) -> &str {
///         "extract"
///     }
///
///     async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
///         let session: String = ctx.payload()?; // one that cannot be read is a dead letter at once
///         println!("{session}, attempt {}", ctx.job.attempt);
///         ctx.confirm().await?; // still ours: now the effects
///         Ok(())
///     }
/// }
/// ```
#[async_trait::async_trait]
pub trait Handler: Send + Sync {
    /// The kind that it runs.
    fn kind(&self) -> &str;

    /// Runs an attempt. A panic is an error that may be tried again.
    async fn run(&self, ctx: &JobContext) -> Result<(), JobError>;
}

/// What a handler is told.
#[derive(Clone)]
pub struct JobContext {
    /// The job.
    pub job: Arc<Job>,
    /// Says when the attempt should stop. Who never asks is stopped at its next await; who asks has some seconds.
    pub cancel: CancelToken,
    /// The clock.
    pub runtime: Arc<dyn Runtime>,
    pub(super) store: Arc<dyn JobStore>,
    pub(super) visibility: Duration,
}

impl JobContext {
    /// The payload as a type.
    ///
    /// # Errors
    /// When it is none of that type: an error that no other attempt can mend.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        T::deserialize(&self.job.payload).map_err(|error| {
            let message = format!("the payload of a job `{}` cannot be read: {error}", self.job.kind);
            JobError::dead(ErrorReport::new(ErrorKind::InvalidRequest, message))
        })
    }

    /// Makes sure that the job is still this attempt's, for some time to come: before effects are committed.
    ///
    /// # Errors
    /// When it is not, or when the store cannot say.
    pub async fn confirm(&self) -> Result<(), JobError> {
        let until = self.runtime.now().after(self.visibility);
        Ok(self.store.heartbeat(self.job.lease(), until).await?)
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext").field("job", &self.job).finish_non_exhaustive()
    }
}

/// Why an attempt failed, and whether there is to be another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError {
    /// Why.
    pub report: ErrorReport,
    /// Whether there is to be another, if attempts are left.
    pub again: Again,
}

/// Whether there is to be another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Again {
    /// After the job's back-off.
    Backoff,
    /// After so long.
    After(Duration),
    /// No: the job is a dead letter.
    Never,
}

impl JobError {
    /// One that another attempt may mend.
    pub fn retry(message: impl Into<String>) -> Self {
        Self { report: ErrorReport::new(ErrorKind::Internal, message), again: Again::Backoff }
    }

    /// One that no other attempt can mend.
    #[must_use]
    pub fn dead(report: ErrorReport) -> Self {
        Self { report, again: Again::Never }
    }

    pub(super) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::retry(format!("the handler panicked: {}", text.unwrap_or("it did not say why")))
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}

impl std::error::Error for JobError {}

/// As the report says: retryable ones after what it says or the back-off, others never.
impl From<ErrorReport> for JobError {
    fn from(report: ErrorReport) -> Self {
        let again = match (report.retryable, report.retry_after()) {
            (true, Some(after)) => Again::After(after),
            (true, None) => Again::Backoff,
            (false, _) => Again::Never,
        };
        Self { report, again }
    }
}

/// What a store says mends itself sooner or later; the attempts are counted.
impl From<QueueError> for JobError {
    fn from(error: QueueError) -> Self {
        Self { report: error.report(), again: Again::Backoff }
    }
}

/// The handlers by their kinds.
#[derive(Clone, Default)]
pub(super) struct Handlers(pub(super) BTreeMap<Arc<str>, Arc<dyn Handler>>);

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
