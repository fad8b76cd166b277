//! How an agent keeps long conversations within its model's window.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::Summarizer;
use crate::model::ModelInfo;
use crate::session::CompactionPolicy;

/// When a conversation is compacted before it is too long.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum CompactAt {
    /// When prompt and answer take that share of the model's window, above 0 and at most 1. Of a model whose window nobody knows,
    /// when it says that the prompt is too long.
    Share(f64),
    /// When prompt and answer take so many tokens.
    Tokens(u64),
}

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CompactionError {
    /// No such share.
    #[error("a conversation cannot be compacted at {0} of the window; give a share above 0 and at most 1")]
    Share(f64),
    /// No tokens, or no tries.
    #[error("`{0}` must be more than 0")]
    Zero(&'static str),
}

/// How an agent keeps long conversations within its model's window: the old part of a conversation gives way to a summary
/// and to [`Facts`](super::Facts). The log keeps all of it; going back to before a compaction gives the whole conversation back.
///
/// Compaction happens between two model calls, never between a call and its result: when the threshold is reached, and when the
/// model says that the prompt is too long. A compaction that does not make the prompt shorter counts as failed. After a failure
/// by the threshold the model is asked all the same, and compaction is tried again when the conversation has grown by an eighth;
/// after `max_tries` in a row that did not help a model that says that the prompt is too long, the run fails.
///
/// ```
/// use mosaic_core::summary::{Compaction, FnSummarizer};
/// use mosaic_core::Agent;
/// # use mosaic_core::summary::{Summary, SummaryRequest};
/// # let summarizer = FnSummarizer::new(async |_: SummaryRequest| Ok(Summary::default()));
///
/// let agent = Agent::builder("assistant")
///     .model("anthropic:claude-sonnet-4-5")
///     .compaction(Compaction::new(summarizer).at_share(0.7).keep_recent(10_000))
///     .build()?;
/// # Ok::<(), mosaic_core::AgentError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Compaction {
    pub(crate) summarizer: Arc<dyn Summarizer>,
    pub(crate) at: CompactAt,
    pub(crate) keep_recent: u64,
    pub(crate) max_tokens: u64,
    pub(crate) max_tries: u32,
    pub(crate) timeout: Duration,
}

impl Compaction {
    /// By a summariser: at eight tenths of the window, keeping the newest 20,000 tokens as they are, with a summary of at most
    /// 2,000 tokens, made within two minutes, in at most three tries.
    pub fn new(summarizer: impl Summarizer + 'static) -> Self {
        Self::shared(Arc::new(summarizer))
    }

    /// As [`new`](Self::new), by a summariser that others use as well.
    #[must_use]
    pub fn shared(summarizer: Arc<dyn Summarizer>) -> Self {
        Self {
            summarizer,
            at: CompactAt::Share(0.8),
            keep_recent: 20_000,
            max_tokens: 2_000,
            max_tries: 3,
            timeout: Duration::from_secs(120),
        }
    }

    /// When prompt and answer take that share of the model's window.
    #[must_use]
    pub fn at_share(mut self, share: f64) -> Self {
        self.at = CompactAt::Share(share);
        self
    }

    /// When prompt and answer take so many tokens.
    #[must_use]
    pub fn at_tokens(mut self, tokens: u64) -> Self {
        self.at = CompactAt::Tokens(tokens);
        self
    }

    /// So many of the newest tokens stay as they were said; at most half of the threshold. After a try that did not help, a quarter
    /// of them do, then none but what waits for an answer.
    #[must_use]
    pub fn keep_recent(mut self, tokens: u64) -> Self {
        self.keep_recent = tokens;
        self
    }

    /// About so many tokens may the summary have.
    #[must_use]
    pub fn max_tokens(mut self, tokens: u64) -> Self {
        self.max_tokens = tokens;
        self
    }

    /// After so many compactions without an answer in between, the run fails.
    #[must_use]
    pub fn max_tries(mut self, tries: u32) -> Self {
        self.max_tries = tries;
        self
    }

    /// So long may a compaction take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// When the machine compacts conversations with a model.
    #[must_use]
    pub fn policy(&self, model: &ModelInfo) -> CompactionPolicy {
        let window = [model.window, model.max_input].into_iter().flatten().min();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let share = |share: f64| window.map(|window| (window as f64 * share) as u64);
        let threshold = match self.at {
            CompactAt::Tokens(tokens) => Some(tokens),
            CompactAt::Share(of) => share(of),
        };
        CompactionPolicy::At { threshold: threshold.unwrap_or(u64::MAX), max_tries: self.max_tries }
    }

    pub(crate) fn validate(&self) -> Result<(), CompactionError> {
        match self.at {
            CompactAt::Share(share) if !(share > 0.0 && share <= 1.0) => {
                return Err(CompactionError::Share(share));
            }
            CompactAt::Tokens(0) => return Err(CompactionError::Zero("at_tokens")),
            _ => {}
        }
        for (what, zero) in [
            ("max_tries", self.max_tries == 0),
            ("max_tokens", self.max_tokens == 0),
            ("timeout", self.timeout.is_zero()),
        ] {
            if zero {
                return Err(CompactionError::Zero(what));
            }
        }
        Ok(())
    }

    /// How many of the newest tokens stay in the how-manieth try, from 1.
    pub(crate) fn keeps(&self, policy: CompactionPolicy, tries: u32) -> u64 {
        let threshold = match policy {
            CompactionPolicy::At { threshold, .. } => threshold,
            CompactionPolicy::Never => u64::MAX,
        };
        let keep = self.keep_recent.min(threshold / 2);
        match tries {
            0 | 1 => keep,
            2 => keep / 4,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::{FnSummarizer, Summary, SummaryRequest};

    fn compaction() -> Compaction {
        Compaction::new(FnSummarizer::new(async |_: SummaryRequest| Ok(Summary::default())))
    }

    fn threshold(compaction: &Compaction, info: &ModelInfo) -> u64 {
        match compaction.policy(info) {
            CompactionPolicy::At { threshold, .. } => threshold,
            CompactionPolicy::Never => 0,
        }
    }

    #[test]
    fn the_threshold_is_a_share_of_what_the_model_takes() {
        let info = ModelInfo { window: Some(1_000), ..ModelInfo::new("lab", "m") };
        assert_eq!(threshold(&compaction(), &info), 800);
        assert_eq!(threshold(&compaction(), &ModelInfo { max_input: Some(500), ..info.clone() }), 400);
        assert_eq!(threshold(&compaction().at_tokens(7), &info), 7);
        let unknown = ModelInfo::new("lab", "m");
        assert_eq!(threshold(&compaction(), &unknown), u64::MAX, "the model says it itself");
    }

    #[test]
    fn each_try_keeps_less() {
        let policy = CompactionPolicy::At { threshold: 10_000, max_tries: 3 };
        let compaction = compaction();
        assert_eq!([1, 2, 3].map(|tries| compaction.keeps(policy, tries)), [5_000, 1_250, 0]);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for (wrong, error) in [
            (compaction().at_share(0.0), CompactionError::Share(0.0)),
            (compaction().at_share(1.5), CompactionError::Share(1.5)),
            (compaction().at_tokens(0), CompactionError::Zero("at_tokens")),
            (compaction().max_tries(0), CompactionError::Zero("max_tries")),
            (compaction().max_tokens(0), CompactionError::Zero("max_tokens")),
            (compaction().timeout(Duration::ZERO), CompactionError::Zero("timeout")),
        ] {
            assert_eq!(wrong.validate(), Err(error));
        }
        assert!(compaction().at_share(f64::NAN).validate().is_err());
        assert_eq!(compaction().validate(), Ok(()));
        assert_eq!(compaction().at_share(1.0).validate(), Ok(()), "the whole window is a share");
    }
}
