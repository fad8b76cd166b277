//! Ollama's own API, which says more than its OpenAI-compatible one: thinking, schemas, and the options of the runner.
//!
//! ```text
//! message    a group -> members of `messages` (kept)        chunk      what comes, leniently read
//! request    settings + fragments + tools -> HttpRequest    decoder    bytes -> events
//! models     how a model is told to think, as a table
//! ```
//!
//! What is Ollama's own:
//!
//! | on the wire | here |
//! | --- | --- |
//! | a stream of JSON objects, a line each; the last says `done: true` | as any stream |
//! | calls come whole, their arguments as an object, in older servers without ids | as any call |
//! | `options`: `num_ctx`, `num_gpu`, `top_k`, ... | members of `options` in [`ModelParams::extra`](mosaic_core::ModelParams::extra); they are added to the codec's |
//! | the context is `num_ctx` tokens (4096 unless set), and what does not fit is left out without a word | set `num_ctx` for an agent |
//! | no call can be forced | [`EncodeError::Unsupported`]; [`ToolMode::JsonSchema`](mosaic_core::ToolMode::JsonSchema) forces calls with a schema |
//! | `format` holds for every answer, so a model under it cannot call tools | beside tools the schema is told in the instructions |
//! | images as base64 only | [`EncodeError::Unsupported`] for URLs and other media |
//!
//! ```
//! use mosaic_core::{Codec, Delivery, ModelInfo, Origin, Profile};
//! use mosaic_providers::ollama::Ollama;
//!
//! let codec = Ollama;
//! let origin = Origin { api: codec.api().into(), provider: "ollama".into(), model: "qwen3:4b".into() };
//! let profile = Profile { origin, info: ModelInfo::new("ollama", "qwen3:4b") };
//! let mut decoder = codec.decoder(&profile, Delivery::Streamed);
//! let mut events = Vec::new();
//! decoder.push(b"{\"message\":{\"content\":\"Hi\"},\"done\":false}\n", &mut events)?;
//! decoder.push(b"{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n", &mut events)?;
//! decoder.finish(&mut events)?;
//! assert_eq!(events.len(), 4); // Start, Text, End, Done
//! # Ok::<(), mosaic_core::ModelError>(())
//! ```
//!
//! Source: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion>,
//! <https://docs.ollama.com/capabilities/thinking>

mod chunk;
mod decoder;
mod message;
mod models;
mod request;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use mosaic_core::{
    Codec, Decoder, Delivery, Encodable, EncodeError, GroupBody, Headers, HttpRequest, ModelError, Profile,
    ToolSpec,
};

use crate::wire::schema::Root;
use crate::wire::{error, functions};

/// The name of the wire API.
pub(crate) const API: &str = "ollama";

/// The codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ollama;

impl Codec for Ollama {
    fn api(&self) -> &'static str {
        API
    }

    fn fragment(&self, group: &GroupBody, profile: &Profile) -> Result<Bytes, EncodeError> {
        message::fragment(group, profile)
    }

    fn tools(&self, tools: &[&ToolSpec], _profile: &Profile) -> Result<Bytes, EncodeError> {
        functions::tools(Root::object(API), tools)
    }

    fn encode(&self, request: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
        request::encode(request)
    }

    fn decoder(&self, profile: &Profile, delivery: Delivery) -> Box<dyn Decoder> {
        decoder::decoder(profile, delivery)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> ModelError {
        error::from_response(status, headers, body)
    }
}
