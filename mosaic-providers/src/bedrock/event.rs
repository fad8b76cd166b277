//! What comes: events of a stream, and whole bodies.
//!
//! Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use mosaic_core::Usage;
use serde::Deserialize;
use serde_json::Value;

use crate::wire::lenient::{Int, List, Maybe, Str};

/// The payload of one event. All types share it: what an event does not have is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Event<'a> {
    pub(super) content_block_index: Int,
    #[serde(borrow)]
    pub(super) delta: Maybe<Delta<'a>>,
    pub(super) start: Option<Value>,
    #[serde(borrow)]
    pub(super) stop_reason: Str<'a>,
    pub(super) usage: Maybe<WireUsage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) text: Str<'a>,
    #[serde(borrow)]
    pub(super) tool_use: Maybe<Input<'a>>,
    #[serde(borrow)]
    pub(super) reasoning_content: Maybe<ReasoningDelta<'a>>,
    /// Where a text is from.
    pub(super) citation: Maybe<Value>,
    /// Of a tool that runs at the provider.
    pub(super) tool_result: List<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input<'a> {
    #[serde(borrow)]
    pub(super) input: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ReasoningDelta<'a> {
    #[serde(borrow)]
    pub(super) text: Str<'a>,
    #[serde(borrow)]
    pub(super) signature: Str<'a>,
    #[serde(borrow)]
    pub(super) redacted_content: Str<'a>,
}

/// A whole body.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Body<'a> {
    pub(super) output: Maybe<Output>,
    #[serde(borrow)]
    pub(super) stop_reason: Str<'a>,
    pub(super) usage: Maybe<WireUsage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Output {
    pub(super) message: Maybe<Said>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    pub(super) content: List<Value>,
}

/// Token counts.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireUsage {
    input_tokens: Int,
    output_tokens: Int,
    cache_read_input_tokens: Int,
    cache_write_input_tokens: Int,
}

impl WireUsage {
    /// In our words: Bedrock counts cached tokens beside `inputTokens`, we count them in.
    pub(super) fn usage(self) -> Usage {
        let (written, read) =
            (self.cache_write_input_tokens.or_zero(), self.cache_read_input_tokens.or_zero());
        Usage {
            input: self.input_tokens.or_zero().saturating_add(written).saturating_add(read),
            output: self.output_tokens.or_zero(),
            cached_input: read,
            cache_write: written,
            ..Usage::default()
        }
    }
}
