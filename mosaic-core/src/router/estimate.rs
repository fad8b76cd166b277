//! How many tokens a request will take, before anybody has counted.

use std::fmt::Debug;

use crate::message::Measure;
use crate::model::ModelRequest;

/// Estimates the tokens of a prompt. Called for every routed call, so it must be quick: a session of 2,000 messages is
/// estimated anew each time. What a [`Group`](crate::Group) holds is measured once and kept in
/// [`Group::measure`](crate::Group::measure).
pub trait TokenEstimator: Debug + Send + Sync {
    /// Tokens of the prompt, without the answer. `total` is the measure of the whole conversation.
    fn prompt(&self, request: &ModelRequest, total: &Measure) -> u64;
}

/// Four bytes of text a token, and a flat price for media: right within about a fifth for English, and never slower than
/// reading a number a message.
///
/// Counting exactly is what blocks routers: others report 91 ms at 200,000 tokens and stalls of seconds (litellm#36174,
/// #16716). The figures of media are the order of magnitude that providers publish.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuarterBytes;

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
