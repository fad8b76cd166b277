//! How many tokens a request will take, before anybody has counted.

use std::fmt::Debug;

use crate::message::{Measure, json_bytes};
use crate::model::ModelRequest;
use crate::tool::ToolSpec;

/// Estimates the tokens of a prompt. Called for every routed call, so it must be quick: a session of 2,000 messages is
/// estimated anew each time. What a [`Group`](crate::Group) holds is measured once and kept in
/// [`Group::measure`](crate::Group::measure).
pub trait TokenEstimator: Debug + Send + Sync {
    /// Tokens of the prompt, without the answer. `total` is the measure of the whole conversation.
    fn prompt(&self, request: &ModelRequest, total: &Measure) -> u64;

    /// The most tokens that the prompt can be; `None` where that cannot be said. For budgets, which must not be overshot.
    ///
    /// Unless told otherwise: a token for each byte of text, because the tokenizers of today work on bytes and join them; the
    /// most that a provider says it bills for an image; and no answer for documents and sounds, whose length nobody has
    /// looked at.
    fn most(&self, request: &ModelRequest, total: &Measure) -> Option<u64> {
        if total.documents > 0 || total.sounds > 0 {
            return None;
        }
        let tools =
            || request.tools.iter().map(|tool| MOST_PER_TOOL + bytes(tool)).fold(0, u64::saturating_add);
        let schema = request.output.as_ref().map_or(0, |output| json_bytes(&output.schema));
        let parts = [
            MOST_BESIDE,
            request.instructions.len() as u64,
            total.text,
            total.opaque,
            u64::from(total.pieces).saturating_mul(MOST_PER_PIECE),
            u64::from(total.images).saturating_mul(MOST_PER_IMAGE),
            if request.tools.is_empty() { 0 } else { request.tools.counts().get_or("bytes", tools) },
            schema,
        ];
        Some(parts.into_iter().fold(0, u64::saturating_add))
    }
}

/// Four bytes of text a token, and a flat price for media: right within about a fifth for English, and never slower than
/// reading a number a message.
///
/// Counting exactly is what blocks routers: others report 91 ms at 200,000 tokens and stalls of seconds (litellm#36174,
/// #16716). The figures of media are the order of magnitude that providers publish.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuarterBytes;

/// What providers and codecs put in beside what is said: the prompt that makes a model call tools is 346 to 804 tokens
/// (<https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview>), a description of the wanted shape some more.
const MOST_BESIDE: u64 = 2_048;
const MOST_PER_PIECE: u64 = 32;
const MOST_PER_TOOL: u64 = 64;
/// A photo of 12 megapixels is 1,065 to 14,364 tokens, by provider (<https://huggingface.co/datasets/JOHNISKING/image-token-cost>).
const MOST_PER_IMAGE: u64 = 16_000;

const PER_PIECE: u64 = 4;
const PER_IMAGE: u64 = 1_200;
const PER_DOCUMENT: u64 = 4_000;
const PER_SOUND: u64 = 1_500;
/// A tool's name, description and parameters, unless they say otherwise: descriptions are counted, schemas are guessed at.
const PER_TOOL: u64 = 60;

impl TokenEstimator for QuarterBytes {
    fn prompt(&self, request: &ModelRequest, total: &Measure) -> u64 {
        let tools: u64 =
            request.tools.iter().map(|tool| PER_TOOL + (tool.description.len() as u64).div_ceil(4)).sum();
        (request.instructions.len() as u64)
            .saturating_add(total.text)
            .div_ceil(4)
            .saturating_add(u64::from(total.pieces).saturating_mul(PER_PIECE))
            .saturating_add(u64::from(total.images).saturating_mul(PER_IMAGE))
            .saturating_add(u64::from(total.documents).saturating_mul(PER_DOCUMENT))
            .saturating_add(u64::from(total.sounds).saturating_mul(PER_SOUND))
            .saturating_add(tools)
    }
}

fn bytes(tool: &ToolSpec) -> u64 {
    let words = tool.name.len() + tool.description.len();
    (words as u64).saturating_add(json_bytes(&tool.input_schema))
}
