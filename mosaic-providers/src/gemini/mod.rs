//! Google's Gemini API, as spoken by AI Studio and by Vertex AI.
//!
//! ```text
//! message   a group -> members of `contents` (kept)      chunk    what comes, leniently read
//! results   the results of its calls; media              decoder  bytes -> events
//! request   settings + fragments + tools                 finish   reasons and blocks -> our words
//! schema    JSON Schema -> the API's dialects            count    counting tokens, as pure functions
//! models    what differs between the models              quirks   what differs between the servers
//! ```
//!
//! The model is part of the URL: `{base}/models/{model}:streamGenerateContent?alt=sse`. AI Studio takes a key in
//! `x-goog-api-key`; on Vertex AI the base holds project and region, and an OAuth token pays.
//!
//! # Signatures
//! A signature belongs to the very part that it came with, be that a thought, a text or a call. It is kept in a
//! [`Part::Reasoning`](mosaic_core::Part::Reasoning) without text beside that part, and goes back on the same part, to
//! the same model only. For a call whose signature is missing (it came from another provider), newer models are sent
//! the value that the API documents for that.
//!
//! ```
//! use mosaic_core::{Codec, Group, ModelInfo, Origin, Part, Profile};
//! use mosaic_providers::gemini::Gemini;
//!
//! let codec = Gemini::default();
//! let origin = Origin { api: codec.api().into(), provider: "gemini".into(), model: "gemini-3.1-pro-preview".into() };
//! let profile = Profile { origin, info: ModelInfo::new("gemini", "gemini-3.1-pro-preview") };
//! let fragment = codec.fragment(Group::user(vec![Part::text("Hi")]).body(), &profile)?;
//! assert_eq!(fragment, r#"{"role":"user","parts":[{"text":"Hi"}]}"#);
//! # Ok::<(), mosaic_core::EncodeError>(())
//! ```
//!
//! Sources: <https://ai.google.dev/api/generate-content>, <https://ai.google.dev/gemini-api/docs/function-calling>,
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>

mod chunk;
mod count;
mod decoder;
mod finish;
mod message;
mod models;
mod quirks;
mod request;
mod results;
mod schema;
#[cfg(test)]
mod tests;

pub use quirks::{Counting, Files, Quirks, Schemas, Streams};

use bytes::Bytes;
use mosaic_core::{
    Codec, Decoder, Delivery, Encodable, EncodeError, GroupBody, Headers, HttpRequest, ModelError, Profile,
    ToolSpec,
};

use crate::wire::error;

/// The name of the wire API.
pub(crate) const API: &str = "gemini";

/// The codec.
#[derive(Debug, Clone, Default)]
pub struct Gemini {
    quirks: Quirks,
}

impl Gemini {
    /// For a server with those differences.
    #[must_use]
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }

    /// The server's differences.
    #[must_use]
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// The request that asks how many tokens a prompt has (`:countTokens`); nothing is generated.
    ///
    /// # Errors
    /// As [`Codec::encode`].
    pub fn count_request(&self, request: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
        count::request(request, &self.quirks)
    }

    /// The answer to [`count_request`](Self::count_request).
    ///
    /// # Errors
    /// `decode` when it tells no number.
    pub fn count_answer(&self, body: &[u8]) -> Result<u64, ModelError> {
        count::answer(body)
    }
}

impl Codec for Gemini {
    fn api(&self) -> &'static str {
        API
    }

    fn fragment(&self, group: &GroupBody, profile: &Profile) -> Result<Bytes, EncodeError> {
        message::fragment(group, profile, &self.quirks)
    }

    fn tools(&self, tools: &[&ToolSpec], _profile: &Profile) -> Result<Bytes, EncodeError> {
        request::tools(tools, &self.quirks)
    }

    fn encode(&self, request: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
        request::encode(request, &self.quirks)
    }

    fn decoder(&self, profile: &Profile, delivery: Delivery) -> Box<dyn Decoder> {
        decoder::decoder(profile, delivery)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> ModelError {
        error::from_response(status, headers, body)
    }
}
