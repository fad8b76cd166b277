//! How many tokens a request is, before it is sent: for a window that must not overflow, and for a budget.
//!
//! | how | error | cost |
//! | --- | --- | --- |
//! | [`Estimate`]: characters by script | see its table: 1 to 10 % for prose and code of a new tokenizer; more for old ones and rare languages | none; 2,000 messages are added up |
//! | the same, calibrated by the usage of answers ([`Calibration`], [`Observed`]) | 1 to 4 % from the third answer on | none |
//! | a tokenizer ([`TextTokens`] over one; feature `tiktoken` of the providers) | the framing of messages and media | megabytes of vocabulary |
//! | the provider ([`TokenCounter`] over its counting call) | none, or a few tokens that it adds itself | a request |
//!
//! ```text
//! RequestCounter ── TextTokens      texts, one at a time (pure)
//!    │   │
//!    │   └───────── Calibration     the model's usual ratio of reported to counted tokens
//!    └ each group's count is kept beside the group; much that is new is counted on a thread that may block
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::testing::TestRuntime;
//! use mosaic_core::{Calibration, Group, ModelInfo, ModelRequest, Part, RequestCounter, TokenCounter, Usage};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mosaic_core::ModelError> {
//! let learned = Arc::new(Calibration::default()); // one for the process
//! let info = ModelInfo::new("lab", "small");
//! let counter = RequestCounter::estimate(&info, learned, Arc::new(TestRuntime::default()));
//! let groups = Arc::new(vec![Group::user(vec![Part::text("Rain in Oslo today? ".repeat(40))])]);
//! let request = ModelRequest { groups, ..ModelRequest::default() };
//! let before = counter.count(&request).await?.tokens;
//!
//! // The answer says what it really was; the next count is nearer.
//! counter.observe(&request, &Usage { input: before * 2, ..Usage::default() });
//! assert_eq!(counter.count(&request).await?.tokens, before * 2);
//! # Ok(())
//! # }
//! ```

mod calibration;
mod estimate;
mod observed;
mod request;
#[cfg(test)]
mod tests;

pub use calibration::Calibration;
pub use estimate::Estimate;
pub use observed::Observed;
pub use request::RequestCounter;
pub(crate) use request::estimated_tokens;

use std::fmt::Debug;

use super::{ModelError, ModelRequest};

/// What a count rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CountBasis {
    /// The provider counted this very request.
    Provider,
    /// The model's own tokenizer counted the texts; how messages are framed and what media take is estimated.
    Tokenizer,
    /// An estimate.
    Estimate,
}

/// How many tokens a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Tokens of the prompt.
    pub tokens: u64,
    /// What the figure rests on.
    pub basis: CountBasis,
}

/// Counts the tokens of requests.
#[async_trait::async_trait]
pub trait TokenCounter: Debug + Send + Sync {
    /// How many tokens the request is for the model that this counts for. Never blocks its thread for long.
    async fn count(&self, request: &ModelRequest) -> Result<Count, ModelError>;
}

/// Counts the tokens of texts. Pure; may take long for a long text.
pub trait TextTokens: Debug + Send + Sync {
    /// Which counter this is. Counts by the same name are kept and shared, so another way of counting has another name.
    fn name(&self) -> &'static str;

    /// What its counts rest on.
    fn basis(&self) -> CountBasis;

    /// How many tokens the text is.
    fn tokens(&self, text: &str) -> u64;
}
