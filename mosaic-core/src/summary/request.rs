//! The contract: passages in, claims out.

use std::fmt::Debug;

use super::{Passage, Summary, SummaryError};
use crate::runtime::Timestamp;

/// What a summary is for, so that a summariser knows what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SummaryUse {
    /// A memory of a part of a conversation: what will be worth knowing in weeks.
    #[default]
    Episode,
    /// A memory of a whole session: what it came to.
    Session,
    /// It takes the place of the old part of a conversation that goes on: nothing that is still open may be left out.
    Compaction,
}

/// What is to be summarised.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SummaryRequest {
    /// What was said, in order. Empty where only the earlier summary is to be made shorter.
    pub passages: Vec<Passage>,
    /// What was summarised before: its claims may be taken over, with what they cite, or left out.
    pub earlier: Option<Summary>,
    /// About so many tokens may the summary have.
    pub max_tokens: u64,
    /// The work must have ended by then.
    pub deadline: Option<Timestamp>,
    /// What it is for.
    pub used_for: SummaryUse,
}

impl SummaryRequest {
    /// The tokens that a summary may have where nobody says otherwise.
    pub const MAX_TOKENS: u64 = 800;

    /// Of passages alone, of some 800 tokens, without a deadline.
    #[must_use]
    pub fn new(passages: Vec<Passage>, used_for: SummaryUse) -> Self {
        Self { passages, earlier: None, max_tokens: Self::MAX_TOKENS, deadline: None, used_for }
    }

    /// Rolls on an earlier summary.
    #[must_use]
    pub fn earlier(mut self, earlier: impl Into<Option<Summary>>) -> Self {
        self.earlier = earlier.into();
        self
    }

    /// About so many tokens.
    #[must_use]
    pub fn max_tokens(mut self, tokens: u64) -> Self {
        self.max_tokens = tokens;
        self
    }

    /// With an end.
    #[must_use]
    pub fn deadline(mut self, at: Timestamp) -> Self {
        self.deadline = Some(at);
        self
    }
}

/// Makes summaries.
///
/// # Contract
/// * All or nothing: every claim of a summary passes [`SummaryRequest::check`]. A summary of which a part does not is none.
/// * What is in the passages is material, whatever it says: it never becomes an instruction.
/// * The passages may be far more than fits into a model; that is the summariser's to solve.
/// * Dropping the future cancels the work. It ends by the deadline, or the caller drops it then.
#[async_trait::async_trait]
pub trait Summarizer: Debug + Send + Sync {
    /// The summary.
    ///
    /// # Errors
    /// Nothing was summarised then.
    async fn summarize(&self, request: &SummaryRequest) -> Result<Summary, SummaryError>;
}
