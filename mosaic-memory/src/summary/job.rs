//! The job that summarises a session: what it is told, and how it fails.

use std::sync::Arc;

use mosaic_core::memory::MemoryError;
use mosaic_core::queue::{JobError, NewJob};
use mosaic_core::summary::SummaryError;
use mosaic_core::{BoxError, EmbedError, EndedRun, ErrorKind, ErrorReport, SessionError, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The kind of the job.
pub const SUMMARIZE: &str = "session.summarize";

/// What of a session is summarised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SummarizeWhen {
    /// What is new, when there are enough runs of it, or it is long enough: after each run.
    #[default]
    Rolling,
    /// All that is new: when a session is over.
    End,
}

/// The payload of the job.
///
/// ```
/// use mosaic_core::{EndedRun, RunId, Seq, SessionKey};
/// use mosaic_memory::summary::{SUMMARIZE, SummarizeSession};
///
/// let run = RunId(uuid::Uuid::nil());
/// let session = SessionKey::of("acme", "s1");
/// let ended = EndedRun { session, user: Some("ann".into()), agent: "cook".into(), run, from: Seq(3) };
/// let job = SummarizeSession::rolling(ended).job();
/// assert_eq!((&*job.kind, &*job.tenant), (SUMMARIZE, "acme"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummarizeSession {
    /// The run that has ended.
    pub ended: EndedRun,
    /// What is summarised.
    #[serde(default)]
    pub when: SummarizeWhen,
}

impl SummarizeSession {
    /// After a run: what is new, if it is enough.
    #[must_use]
    pub fn rolling(ended: EndedRun) -> Self {
        Self { ended, when: SummarizeWhen::Rolling }
    }

    /// After the last run of a session: all that is new.
    #[must_use]
    pub fn end(ended: EndedRun) -> Self {
        Self { ended, when: SummarizeWhen::End }
    }

    /// The job, to be added to a queue. One of a session waits at a time: it looks at all that there is when it starts.
    #[must_use]
    pub fn job(&self) -> NewJob {
        let mut hash = Sha256::new();
        // A key of a job is shorter than the name of a session may be.
        hash.update(self.ended.session.name.as_bytes());
        let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let when = match self.when {
            SummarizeWhen::Rolling => "rolling",
            SummarizeWhen::End => "end",
        };
        let payload = serde_json::to_value(self).unwrap_or_default();
        NewJob::new(SUMMARIZE, payload)
            .tenant(Arc::clone(&self.ended.session.tenant))
            .dedup_waiting(format!("{when}:{name}"))
    }
}

/// How summarising a session fails. Of the part that failed nothing was stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SummaryJobError {
    /// The session could not be read.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The summary could not be made.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// The redactor failed. What it has not seen is not stored.
    #[error("the redactor failed, so nothing was stored: {0}")]
    Redact(#[source] BoxError),
    /// The summary could not be embedded.
    #[error("a summary could not be embedded: {0}")]
    Embed(#[from] EmbedError),
    /// The store of memories failed, or refused.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The attempt is no longer the job's.
    #[error(transparent)]
    Job(#[from] JobError),
}

impl From<StoreError> for SummaryJobError {
    fn from(error: StoreError) -> Self {
        Self::Session(error.into())
    }
}

impl SummaryJobError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.report().kind
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Session(error) => error.report(),
            Self::Summary(error) => error.report(),
            Self::Redact(_) => ErrorReport::new(ErrorKind::Internal, self.to_string()),
            Self::Embed(error) => error.report(),
            Self::Memory(error) => error.report(),
            Self::Job(error) => error.report.clone(),
        }
    }
}

/// What goes away by itself is tried again.
impl From<SummaryJobError> for JobError {
    fn from(error: SummaryJobError) -> Self {
        match error {
            SummaryJobError::Job(error) => error,
            error => error.report().into(),
        }
    }
}
