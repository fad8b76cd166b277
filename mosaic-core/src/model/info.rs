//! Facts about a model.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::{Cost, Usage};

/// How a model is brought to call tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolMode {
    /// Through the provider's own tool interface. A call that the model writes into its text instead is accepted when
    /// it names a registered tool and its arguments pass that tool's schema.
    #[default]
    Native,
    /// The answer is forced into a JSON Schema: an `anyOf` of the tools' calls and a final answer. Hidden from the host.
    JsonSchema,
    /// The tools are described in the instructions and calls are read from the text.
    Text,
}

/// What a model can do, beyond text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Calls tools (in any tool mode).
    Tools,
    /// Takes images.
    ImageInput,
    /// Takes documents.
    DocumentInput,
    /// Takes sound.
    AudioInput,
    /// Keeps to a JSON Schema.
    StructuredOutput,
    /// Thinks before it answers.
    Reasoning,
}

/// Prices, in millionths of a US dollar a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Prompt tokens that were not cached.
    pub input: u64,
    /// Answer tokens.
    pub output: u64,
    /// Prompt tokens read from the cache.
    pub cached_input: u64,
    /// Prompt tokens written to the cache.
    pub cache_write: u64,
}

impl Price {
    /// What a call costs.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Cost {
        let fresh = usage.input.saturating_sub(usage.cached_input).saturating_sub(usage.cache_write);
        let micros = [
            (fresh, self.input),
            (usage.output, self.output),
            (usage.cached_input, self.cached_input),
            (usage.cache_write, self.cache_write),
        ]
        .into_iter()
        .map(|(tokens, price)| u128::from(tokens) * u128::from(price))
        .sum::<u128>()
            / 1_000_000;
        Cost(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

/// Facts about a model. What is not known is left out, and nothing is assumed in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelInfo {
    /// The provider, as the host's configuration names it.
    pub provider: Arc<str>,
    /// The model, as the provider names it.
    pub model: Arc<str>,
    /// Tokens of prompt and answer together.
    pub window: Option<u64>,
    /// Tokens of an answer.
    pub max_output: Option<u64>,
    /// How it is brought to call tools.
    pub tool_mode: ToolMode,
    /// How it is brought to answer in a shape.
    pub output_mode: super::OutputMode,
    /// What it can do, all of it; `None` where nobody said. See [`can`](Self::can).
    pub capabilities: Option<BTreeSet<Capability>>,
    /// What it costs.
    pub price: Option<Price>,
}

impl ModelInfo {
    /// A model of which only the name is known.
    pub fn new(provider: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            window: None,
            max_output: None,
            tool_mode: ToolMode::default(),
            output_mode: super::OutputMode::default(),
            capabilities: None,
            price: None,
        }
    }

    /// Whether it can do that; `None` where nobody said what it can do. A model that the host names itself is then asked
    /// all the same, and its provider decides; a router never falls back on a guess.
    #[must_use]
    pub fn can(&self, capability: Capability) -> Option<bool> {
        self.capabilities.as_ref().map(|all| all.contains(&capability))
    }
}
