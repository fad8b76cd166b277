//! What comes: events of a stream, and whole bodies.
//!
//! Pieces are read without a copy. Whole items and the response itself are only cut out: they come a few times an answer,
//! and are read when they are wanted.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses-streaming>

use mosaic_core::{Cost, Usage};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::wire::lenient::{Int, List, Maybe, Str};

/// One event. All types share it: what an event does not have is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) item_id: Str<'a>,
    pub(super) output_index: Int,
    pub(super) content_index: Int,
    pub(super) summary_index: Int,
    #[serde(borrow)]
    pub(super) delta: Str<'a>,
    /// The whole of what came in pieces, in `.done` events.
    #[serde(borrow)]
    pub(super) text: Str<'a>,
    #[serde(borrow)]
    pub(super) refusal: Str<'a>,
    #[serde(borrow)]
    pub(super) arguments: Str<'a>,
    #[serde(borrow)]
    pub(super) part: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) item: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) response: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// The response: a whole body, or what the last event of a stream holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow)]
    pub(super) status: Str<'a>,
    #[serde(borrow)]
    pub(super) incomplete_details: Maybe<Incomplete<'a>>,
    pub(super) output: Option<List<Value>>,
    pub(super) usage: Maybe<WireUsage>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Incomplete<'a> {
    #[serde(borrow)]
    pub(super) reason: Str<'a>,
}

/// Token counts. Cached and reasoning tokens are counted in, as with us.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    input_tokens: Int,
    output_tokens: Int,
    input_tokens_details: Maybe<InputDetails>,
    output_tokens_details: Maybe<OutputDetails>,
    /// xAI: what was billed, server-side tools included. <https://docs.x.ai/developers/cost-tracking>
    cost_in_usd_ticks: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Int,
    /// Bedrock and newer models of OpenAI.
    cache_write_tokens: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Int,
}

/// A tick is a ten-billionth of a dollar, ours is a millionth.
const TICKS: u64 = 10_000;

impl WireUsage {
    /// In our words.
    pub(super) fn usage(&self) -> Usage {
        let input = self.input_tokens_details.0.as_ref();
        Usage {
            input: self.input_tokens.or_zero(),
            output: self.output_tokens.or_zero(),
            cached_input: input.map_or(0, |details| details.cached_tokens.or_zero()),
            cache_write: input.map_or(0, |details| details.cache_write_tokens.or_zero()),
            reasoning: self
                .output_tokens_details
                .0
                .as_ref()
                .map_or(0, |details| details.reasoning_tokens.or_zero()),
            ..Usage::default()
        }
    }

    /// What the provider says that it cost.
    pub(super) fn cost(&self) -> Option<Cost> {
        self.cost_in_usd_ticks.0.map(|ticks| Cost(ticks.saturating_add(TICKS / 2) / TICKS))
    }
}
