//! What a call costs.
//!
//! Prices are whole numbers, so that a sum of ten thousand calls is exact: a rate of $3 a million tokens is 3,000,000. The
//! arithmetic is one sum; what it must get right is that every token is in it once:
//!
//! ```text
//! Usage.input  = fresh + cached_input + cache_write (of which cache_write_1h)
//!                  │          │             └ x cache_write, x cache_write_1h
//!                  │          └ x cached_input
//!                  └ x input
//! Usage.output = spoken x output + reasoning x reasoning
//! ```
//!
//! A rate that is not known falls back to the one that it is a discount or a surcharge of, never to nothing. A price that
//! is not known at all is `None` in [`ModelInfo`](crate::ModelInfo), and then the cost is unknown, which is not the same
//! as nothing.
//!
//! ```
//! use mosaic_core::{Cost, Price, Rates, Usage};
//!
//! let price = Price::new(Rates { cached_input: Some(300_000), ..Rates::new(3_000_000, 15_000_000) })
//!     .above(200_000, Rates::new(6_000_000, 22_500_000));
//! let usage = Usage { input: 10_000, cached_input: 8_000, output: 500, ..Usage::default() };
//! assert_eq!(price.cost(&usage), Cost(6_000 + 2_400 + 7_500));
//! ```

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::{Cost, Usage};

/// What a token costs, by what became of it: in millionths of a US dollar a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rates {
    /// A token of the prompt that was neither read from a cache nor written to one.
    pub input: u64,
    /// A token of the answer.
    pub output: u64,
    /// One that was read from the cache. Unless set, as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<u64>,
    /// One that was written to the cache. Unless set, as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
    /// One that was written to the cache for an hour. Unless set, as `cache_write`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<u64>,
    /// One that was spent on reasoning. Unless set, as `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
}

impl Rates {
    /// Of a provider that makes no further difference.
    #[must_use]
    pub const fn new(input: u64, output: u64) -> Self {
        Self { input, output, cached_input: None, cache_write: None, cache_write_1h: None, reasoning: None }
    }

    fn cost(&self, usage: &Usage) -> Cost {
        let cached = usage.cached_input;
        let hour = usage.cache_write_1h.min(usage.cache_write);
        let written = usage.cache_write - hour;
        let reasoning = usage.reasoning.min(usage.output);
        let cache_write = self.cache_write.unwrap_or(self.input);
        // A provider whose figures do not add up counts its cached tokens beside the prompt; nothing is subtracted twice.
        let fresh = usage.input.saturating_sub(cached).saturating_sub(usage.cache_write);
        let millionths = [
            (fresh, self.input),
            (cached, self.cached_input.unwrap_or(self.input)),
            (written, cache_write),
            (hour, self.cache_write_1h.unwrap_or(cache_write)),
            (usage.output - reasoning, self.output),
            (reasoning, self.reasoning.unwrap_or(self.output)),
        ]
        .into_iter()
        .map(|(tokens, rate)| u128::from(tokens) * u128::from(rate))
        // Six products of 128 bits: the largest counts at the largest rates would overflow.
        .fold(0, u128::saturating_add);
        Cost(u64::try_from(millionths.saturating_add(500_000) / 1_000_000).unwrap_or(u64::MAX))
    }
}

/// Other rates for long prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Tier {
    /// For prompts of more tokens than this.
    pub above: u64,
    /// The rates of the whole request then, answer included. What is not set in here falls back within these rates.
    #[serde(flatten)]
    pub rates: Rates,
}

/// What a model costs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// The rates of a request that no tier is for.
    #[serde(flatten)]
    pub rates: Rates,
    /// Other rates for long prompts. The highest tier that a prompt is above counts, for all of its tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
}

impl Price {
    /// The same rates for every request.
    #[must_use]
    pub const fn new(rates: Rates) -> Self {
        Self { rates, tiers: Vec::new() }
    }

    /// With other rates for prompts of more than `above` tokens.
    #[must_use]
    pub fn above(mut self, above: u64, rates: Rates) -> Self {
        self.tiers.push(Tier { above, rates });
        self
    }

    /// The rates of a request with so many tokens of prompt.
    #[must_use]
    pub fn rates(&self, prompt: u64) -> &Rates {
        let reached = self.tiers.iter().filter(|tier| prompt > tier.above);
        reached.max_by_key(|tier| tier.above).map_or(&self.rates, |tier| &tier.rates)
    }

    /// What a call costs, where its tokens were told. An answer without figures costs something that nobody knows, which
    /// is not the same as nothing.
    pub(crate) fn cost_if_told(&self, usage: &Usage) -> Option<Cost> {
        (*usage != Usage::default()).then(|| self.cost(usage))
    }

    /// What a call costs, rounded to the nearest millionth of a dollar.
    ///
    /// The sum is made once, over the figures of the terminal record: an answer that came in pieces costs what the same
    /// answer costs whole. Sound and images are priced as the text tokens that the provider reports them as.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Cost {
        let prompt = usage.input.max(usage.cached_input.saturating_add(usage.cache_write));
        self.rates(prompt).cost(usage)
    }
}
