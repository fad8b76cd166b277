//! What comes: events of a stream, and whole bodies.
//!
//! Source: <https://docs.anthropic.com/en/docs/build-with-claude/streaming>,
//! <https://docs.anthropic.com/en/api/messages>

use mosaic_core::Usage;
use serde::Deserialize;
use serde_json::Value;

use crate::wire::lenient::{Int, List, Maybe, Str};

/// One event. All types share it: what an event does not have is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    pub(super) index: Int,
    #[serde(borrow)]
    pub(super) message: Maybe<Start<'a>>,
    pub(super) content_block: Maybe<Value>,
    #[serde(borrow)]
    pub(super) delta: Maybe<Delta<'a>>,
    pub(super) usage: Maybe<WireUsage>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Start<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    pub(super) usage: Maybe<WireUsage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) text: Str<'a>,
    #[serde(borrow)]
    pub(super) thinking: Str<'a>,
    #[serde(borrow)]
    pub(super) signature: Str<'a>,
    #[serde(borrow)]
    pub(super) partial_json: Str<'a>,
    /// Where a text is from.
    pub(super) citation: Maybe<Value>,
    #[serde(borrow)]
    pub(super) stop_reason: Str<'a>,
}

/// A whole body.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Body<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    pub(super) content: Option<List<Value>>,
    #[serde(borrow)]
    pub(super) stop_reason: Str<'a>,
    pub(super) usage: Maybe<WireUsage>,
    pub(super) error: Option<Value>,
}

/// Token counts. In a stream they are cumulative, and each event may tell some of them.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    input_tokens: Int,
    output_tokens: Int,
    cache_creation_input_tokens: Int,
    cache_read_input_tokens: Int,
    cache_creation: Maybe<CacheCreation>,
    output_tokens_details: Maybe<OutputDetails>,
}

/// What was written to the cache, by how long it is kept: <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Int,
}

impl Copy for Maybe<CacheCreation> {}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Int,
}

impl Copy for Maybe<OutputDetails> {}

impl WireUsage {
    /// Takes newer figures. A zero tells nothing: some servers fill in what they do not know.
    pub(super) fn update(&mut self, newer: Self) {
        let set = |old: &mut Int, new: Int| {
            if new.or_zero() > 0 {
                *old = new;
            }
        };
        set(&mut self.input_tokens, newer.input_tokens);
        set(&mut self.output_tokens, newer.output_tokens);
        set(&mut self.cache_creation_input_tokens, newer.cache_creation_input_tokens);
        set(&mut self.cache_read_input_tokens, newer.cache_read_input_tokens);
        if newer.cache_creation.0.is_some_and(|new| new.ephemeral_1h_input_tokens.or_zero() > 0) {
            self.cache_creation = newer.cache_creation;
        }
        if newer.output_tokens_details.0.is_some() {
            self.output_tokens_details = newer.output_tokens_details;
        }
    }

    /// In our words: Anthropic counts cached tokens beside `input_tokens`, we count them in.
    pub(super) fn usage(self) -> Usage {
        let (written, read) =
            (self.cache_creation_input_tokens.or_zero(), self.cache_read_input_tokens.or_zero());
        Usage {
            input: self.input_tokens.or_zero().saturating_add(written).saturating_add(read),
            output: self.output_tokens.or_zero(),
            cached_input: read,
            cache_write: written,
            cache_write_1h: self.cache_creation.0.map_or(0, |kept| kept.ephemeral_1h_input_tokens.or_zero()),
            reasoning: self.output_tokens_details.0.map_or(0, |details| details.thinking_tokens.or_zero()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::WireUsage;

    /// The example of the page on prompt caching, with the part for an hour.
    #[test]
    fn what_is_written_for_an_hour_is_told_apart_and_a_later_event_keeps_it() {
        let start = r#"{"input_tokens":2048,"cache_read_input_tokens":1800,"cache_creation_input_tokens":248,
            "output_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":148,"ephemeral_1h_input_tokens":100}}"#;
        let later = r#"{"output_tokens":503,"cache_creation":{"ephemeral_1h_input_tokens":0}}"#;
        let mut usage: WireUsage = serde_json::from_str(start).unwrap();
        usage.update(serde_json::from_str(later).unwrap());
        let usage = usage.usage();
        assert_eq!((usage.input, usage.output), (2_048 + 1_800 + 248, 503));
        assert_eq!((usage.cached_input, usage.cache_write, usage.cache_write_1h), (1_800, 248, 100));
    }
}
