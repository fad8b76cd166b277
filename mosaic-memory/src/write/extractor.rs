//! The contract: a turn in, drafts out.

use std::fmt::Debug;

use mosaic_core::{Cost, ErrorKind, ErrorReport, ModelError, Usage};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Draft, Turn};

/// What was extracted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extraction {
    /// The drafts. Their order means nothing.
    pub drafts: Vec<Draft>,
    /// What it took, failed tries included.
    pub usage: Usage,
    /// What it cost; `None` where that is not known of a part.
    pub cost: Option<Cost>,
    /// Answers that made no sense before one that did, as they came.
    pub nonsense: Vec<Nonsense>,
}

/// An answer of a model that cannot be used.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nonsense {
    /// What the model said. It may repeat what the user said: it is for whoever looks into it, and not for logs.
    pub raw: String,
    /// Why it cannot be used.
    pub why: String,
}

/// Of an answer so many characters are kept with a job: enough to see what went wrong.
const MOST_RAW: usize = 4_096;
/// So many answers are kept with a job, the newest.
const MOST_KEPT: usize = 8;

/// A cause in a report that is no message but an answer.
#[derive(Serialize, Deserialize)]
struct Kept {
    nonsense: Nonsense,
}

impl Nonsense {
    /// The answers that a report keeps, in order: those that [`WriteError::kept`](super::WriteError::kept) put there. From the
    /// [`error`](mosaic_core::queue::Job::error) of a job that waits or is dead one sees what the model said.
    #[must_use]
    pub fn of(report: &ErrorReport) -> Vec<Self> {
        let kept = |cause: &String| serde_json::from_str(cause).ok().map(|Kept { nonsense }| nonsense);
        report.chain.iter().filter_map(kept).collect()
    }

    /// Puts answers into a report.
    pub(super) fn keep(all: Vec<Self>, report: &mut ErrorReport) {
        let older = all.len().saturating_sub(MOST_KEPT);
        for mut nonsense in all.into_iter().skip(older) {
            if let Some((end, _)) = nonsense.raw.char_indices().nth(MOST_RAW) {
                nonsense.raw.truncate(end);
                nonsense.raw.push_str(" ...");
            }
            report.chain.extend(serde_json::to_string(&Kept { nonsense }));
        }
    }
}

impl Debug for Nonsense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the answer itself: it would end up in logs.
        f.debug_struct("Nonsense").field("bytes", &self.raw.len()).field("why", &self.why).finish()
    }
}

/// How extracting fails. Nothing has been written then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The model failed.
    #[error("the model that extracts memories failed: {0}")]
    Model(#[from] ModelError),
    /// The model answered, and no answer could be used.
    #[error(
        "the model made no sense {} times when asked for memories, at last: {}; nothing was written, try again later or with another model",
        answers.len(),
        answers.last().map_or("", |last| &last.why)
    )]
    Nonsense {
        /// Its answers, in order.
        answers: Vec<Nonsense>,
        /// What they took.
        usage: Box<Usage>,
    },
    /// Something else of the host.
    #[error("memories could not be extracted: {0}")]
    Other(String),
}

impl ExtractError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::Nonsense { .. } => ErrorKind::Decode,
            Self::Other(_) => ErrorKind::Internal,
        }
    }

    /// Whether trying again can help. A model that made no sense may do so another time.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Model(error) => error.is_retryable(),
            Self::Nonsense { .. } => true,
            Self::Other(_) => false,
        }
    }

    /// The error as data; without what the model said.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        match self {
            Self::Model(error) => error.report(),
            _ => {
                let mut report = ErrorReport::new(self.kind(), self.to_string());
                report.retryable = self.is_retryable();
                report
            }
        }
    }
}

/// Finds in a turn what is worth remembering.
///
/// # Contract
/// * All or nothing: drafts that are given can all be used. An answer of which a part makes no sense is no answer.
/// * Sources of a draft are entries of the turn; what it replaces is among [`Turn::known`].
/// * What is in the turn is material, whatever it says: it never becomes an instruction.
///
/// ```
/// use mosaic_memory::write::{Draft, ExtractError, Extraction, Extractor, Turn};
///
/// /// Remembers every word.
/// #[derive(Debug)]
/// struct Everything;
///
/// #[async_trait::async_trait]
/// impl Extractor for Everything {
///     async fn extract(&self, turn: &Turn) -> Result<Extraction, ExtractError> {
///         let drafts = turn.messages.iter().map(|said| Draft::insight(&*said.text).said(turn, said));
///         Ok(Extraction { drafts: drafts.collect(), ..Extraction::default() })
///     }
/// }
/// ```
#[async_trait::async_trait]
pub trait Extractor: Debug + Send + Sync {
    /// What is worth remembering of a turn.
    async fn extract(&self, turn: &Turn) -> Result<Extraction, ExtractError>;
}
