//! How summarising fails.

use thiserror::Error;

use super::CitationError;
use crate::error::{ErrorKind, ErrorReport};
use crate::message::{Cost, Usage};
use crate::model::ModelError;

/// How summarising fails. Nothing was summarised then, and nothing of it is used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SummaryError {
    /// The model failed.
    #[error("the model that summarises failed: {0}")]
    Model(#[from] ModelError),
    /// A claim rests on nothing.
    #[error("the summary cannot be used: {0}")]
    Citation(#[from] CitationError),
    /// No answer of the model could be used.
    #[error(
        "the model made no usable summary in {tries} tries, at last: {why}; try again later or with another model"
    )]
    Unusable {
        /// How often it was asked.
        tries: u32,
        /// What was wrong with the last answer; without what it said.
        why: String,
        /// What the tries took.
        usage: Box<Usage>,
        /// What they cost, where that is known.
        cost: Option<Cost>,
    },
    /// The deadline passed.
    #[error("the summary was not made in time; give it longer, or less to read")]
    Late,
    /// There is nothing to summarise.
    #[error("there is nothing to summarise")]
    Nothing,
    /// Something of the host.
    #[error("the summary could not be made: {}", .0.message)]
    Other(Box<ErrorReport>),
}

impl SummaryError {
    /// Something of the host, that goes away by itself where its kind does.
    pub fn other(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::Other(Box::new(ErrorReport::new(kind, message)))
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::Citation(_) | Self::Unusable { .. } => ErrorKind::Decode,
            Self::Late => ErrorKind::Timeout,
            Self::Nothing => ErrorKind::InvalidRequest,
            Self::Other(report) => report.kind,
        }
    }

    /// Whether trying again can help. A model that made no sense may do so another time.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Model(error) => error.is_retryable(),
            Self::Citation(_) | Self::Unusable { .. } | Self::Late => true,
            Self::Nothing => false,
            Self::Other(report) => report.retryable,
        }
    }

    /// What was spent in vain.
    #[must_use]
    pub fn spent(&self) -> (Usage, Option<Cost>) {
        match self {
            Self::Unusable { usage, cost, .. } => (**usage, *cost),
            _ => (Usage::default(), None),
        }
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Model(error) => error.report(),
            Self::Other(report) => (**report).clone(),
            _ => {
                let mut report = ErrorReport::new(self.kind(), self.to_string());
                report.retryable = self.is_retryable();
                report
            }
        }
    }
}
