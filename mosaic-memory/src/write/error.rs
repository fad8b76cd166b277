//! How writing fails.

use mosaic_core::memory::MemoryError;
use mosaic_core::{BoxError, EmbedError, ErrorKind, ErrorReport};
use thiserror::Error;

use super::{ExtractError, Nonsense, Reason};

/// How writing fails. Nothing has been written then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Nothing could be extracted.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The redactor failed. What it has not seen is not stored.
    #[error("the redactor failed, so nothing was stored: {0}")]
    Redact(#[source] BoxError),
    /// The drafts could not be embedded.
    #[error("drafts of memories could not be embedded: {0}")]
    Embed(#[from] EmbedError),
    /// The store failed, or refused the changes.
    #[error(transparent)]
    Store(#[from] MemoryError),
    /// It cannot or must not be stored.
    #[error("{reason}")]
    Refused {
        /// Why: [`Reason::Invalid`] or [`Reason::Redacted`].
        reason: Reason,
    },
    /// Others changed the same memories each time.
    #[error(
        "others changed the same memories {tries} times while they were written; write again later ({last})"
    )]
    Contended {
        /// How often it was tried.
        tries: u32,
        /// What the store said at last.
        last: MemoryError,
    },
}

impl WriteError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Extract(error) => error.kind(),
            Self::Redact(_) => ErrorKind::Internal,
            Self::Embed(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Refused { .. } => ErrorKind::InvalidRequest,
            Self::Contended { .. } => ErrorKind::Conflict,
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Extract(error) => error.is_retryable(),
            Self::Redact(_) | Self::Refused { .. } => false,
            Self::Embed(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Contended { .. } => true,
        }
    }

    /// The error as data, together with what the model said that made no sense: for the job that keeps it, not for logs. What was
    /// kept of the attempt before is kept on, so a dead letter shows the answers of all attempts, the newest eight.
    ///
    /// An extractor of [one try](super::ModelExtractor::tries) leaves trying again to the job; then every answer that made no sense is
    /// kept, until one does.
    ///
    /// ```
    /// # use mosaic_core::queue::{JobContext, JobError};
    /// # use mosaic_memory::write::{Extractor, Turn, Writer};
    /// # use mosaic_core::memory::Scope;
    /// async fn extract(ctx: &JobContext, writer: &Writer, extractor: &dyn Extractor, turn: Turn) -> Result<(), JobError> {
    ///     let written = writer.write(&Scope::of("acme").user("ann"), turn, extractor).await;
    ///     written.map_err(|error| JobError::from(error.kept(ctx.job.error.as_ref())))?;
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn kept(&self, before: Option<&ErrorReport>) -> ErrorReport {
        let mut report = self.report();
        let mut all = before.map(Nonsense::of).unwrap_or_default();
        if let Self::Extract(ExtractError::Nonsense { answers, .. }) = self {
            all.extend(answers.iter().cloned());
        }
        Nonsense::keep(all, &mut report);
        report
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Extract(error) => error.report(),
            Self::Embed(error) => error.report(),
            Self::Store(error) => error.report(),
            Self::Redact(_) | Self::Refused { .. } | Self::Contended { .. } => {
                let mut report = ErrorReport::new(self.kind(), self.to_string());
                report.retryable = self.is_retryable();
                report
            }
        }
    }
}
