//! OpenAI's Responses, as spoken by OpenAI, Azure, xAI, DeepSeek, Bedrock's OpenAI endpoints and llama.cpp.
//!
//! The API can keep conversations on its servers. We never let it: the log is the truth, so every request holds the whole
//! conversation, asks for nothing to be stored, and takes reasoning along in the encrypted form that the API has for this.
//!
//! ```text
//! message    a group -> items of `input` (kept)             event      what comes, leniently read
//! request    settings + fragments + tools -> HttpRequest    items      output items -> parts
//! models     which models encrypt reasoning                 decoder    bytes -> events
//! quirks     where servers differ, as data                  reasoning  a reasoning item, kept and written back
//! ```
//!
//! | item | part |
//! | --- | --- |
//! | `message` with `output_text`, `refusal` | text, a refusal: one part each; `annotations` and the message's `phase` are provider blocks behind them |
//! | `reasoning` | reasoning; its id and encrypted content are the opaque value, and go back to their origin only |
//! | `function_call` | a tool call, whose wire id is the `call_id` |
//! | anything else (`web_search_call`, `mcp_call`, ...) | a provider block as it came, and goes back to its origin only |
//!
//! ```
//! use mosaic_core::{Codec, Group, ModelInfo, Origin, Part, Profile};
//! use mosaic_providers::openai_responses::OpenAiResponses;
//!
//! let codec = OpenAiResponses::default();
//! let origin = Origin { api: codec.api().into(), provider: "openai-responses".into(), model: "gpt-5.5".into() };
//! let profile = Profile { origin, info: ModelInfo::new("openai-responses", "gpt-5.5") };
//! let fragment = codec.fragment(Group::user(vec![Part::text("Hi")]).body(), &profile)?;
//! assert_eq!(fragment, r#"{"type":"message","role":"user","content":"Hi"}"#);
//! # Ok::<(), mosaic_core::EncodeError>(())
//! ```
//!
//! Sources: <https://platform.openai.com/docs/api-reference/responses>,
//! <https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items>

mod decoder;
mod event;
mod items;
mod message;
mod models;
mod quirks;
mod reasoning;
mod request;
#[cfg(test)]
mod tests;

pub use quirks::{
    Cut, Documents, Quirks, ReasoningParam, ReasoningReplay, ResultMedia, Sampling, Schemas, Stateless,
    Structured,
};

use bytes::Bytes;
use mosaic_core::{
    Codec, Decoder, Delivery, Encodable, EncodeError, GroupBody, Headers, HttpRequest, ModelError, Profile,
    ToolSpec,
};

use crate::wire::error;

/// The name of the wire API.
pub(crate) const API: &str = "openai-responses";

/// The codec.
#[derive(Debug, Clone, Default)]
pub struct OpenAiResponses {
    quirks: Quirks,
}

impl OpenAiResponses {
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
}

impl Codec for OpenAiResponses {
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
        decoder::decoder(profile, delivery, None)
    }

    fn limited_decoder(&self, profile: &Profile, delivery: Delivery, limit: Option<u64>) -> Box<dyn Decoder> {
        decoder::decoder(profile, delivery, limit.filter(|_| self.quirks.cut == Cut::Untold))
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> ModelError {
        error::from_response(status, headers, body)
    }
}
