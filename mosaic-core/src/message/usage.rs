//! What an answer cost, and where it came from.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tokens of a model call. A figure that the provider does not report is 0, never an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Usage {
    /// All tokens of the prompt; cached ones, read or written, are counted in.
    pub input: u64,
    /// All tokens of the answer; reasoning is counted in.
    pub output: u64,
    /// Of `input`: read from the provider's cache.
    pub cached_input: u64,
    /// Of `input`: written to the provider's cache.
    pub cache_write: u64,
    /// Of `cache_write`: to be kept for an hour, which some providers charge more for.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Of `output`: spent on reasoning.
    pub reasoning: u64,
}

/// Entries that were written before there was the figure stay as they are.
fn is_zero(tokens: &u64) -> bool {
    *tokens == 0
}

impl Usage {
    /// Whether nothing was used, or nothing reported.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cached_input = self.cached_input.saturating_add(other.cached_input);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
        self.cache_write_1h = self.cache_write_1h.saturating_add(other.cache_write_1h);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
    }
}

/// Money, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Cost(pub u64);

impl Cost {
    /// So many dollars.
    #[must_use]
    pub const fn dollars(dollars: u64) -> Self {
        Self(dollars.saturating_mul(1_000_000))
    }

    /// So many hundredths of a dollar.
    #[must_use]
    pub const fn cents(cents: u64) -> Self {
        Self(cents.saturating_mul(10_000))
    }
}

/// As `$1.25`: two digits behind the point, up to six where they are not 0.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, millionths) = (self.0 / 1_000_000, format!("{:06}", self.0 % 1_000_000));
        let (cents, rest) = millionths.split_at(2);
        write!(f, "${dollars}.{cents}{}", rest.trim_end_matches('0'))
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// Where an answer came from. Reasoning blocks and provider blocks are replayed only to the same origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The wire API, as its codec names it.
    pub api: Arc<str>,
    /// The provider, as the host's configuration names it.
    pub provider: Arc<str>,
    /// The model that was asked.
    pub model: Arc<str>,
}
