//! OpenAI's Chat Completions, as spoken by OpenAI and some forty other servers.
//!
//! ```text
//! message    a group -> members of `messages` (kept)        chunk      what comes, leniently read
//! request    settings + fragments + tools -> HttpRequest    calls      which call a piece belongs to
//! media      images, sound and documents                    reasoning  reasoning under its three names
//! turns      fragments in the order that a server takes     decoder    bytes -> events
//! quirks     where servers differ, as data                  kept       what comes beside the answer
//! servers    the servers that we know
//! ```
//!
//! ```
//! use mosaic_core::{Codec, Delivery, ModelInfo, Origin, Profile};
//! use mosaic_providers::openai_chat::OpenAiChat;
//!
//! let codec = OpenAiChat::default();
//! let origin = Origin { api: codec.api().into(), provider: "local".into(), model: "qwen".into() };
//! let profile = Profile { origin, info: ModelInfo::new("local", "qwen") };
//! let mut decoder = codec.decoder(&profile, Delivery::Streamed);
//! let mut events = Vec::new();
//! decoder.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n", &mut events)?;
//! decoder.push(b"data: [DONE]\n\n", &mut events)?;
//! decoder.finish(&mut events)?;
//! assert_eq!(events.len(), 4); // Start, Text, End, Done
//! # Ok::<(), mosaic_core::ModelError>(())
//! ```
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat>

mod calls;
mod chunk;
mod decoder;
mod kept;
mod media;
mod message;
mod quirks;
mod reasoning;
mod request;
mod servers;
#[cfg(test)]
mod tests;
mod turns;

pub use quirks::{
    Api, Caching, CallIds, CostFigure, MaxTokens, MediaForm, NamedChoice, NoText, Quirks, ReasoningParam,
    ReasoningReplay, ReasoningTokens, RequiredChoice, Schemas, Seed, StreamUsage, Structured, SystemRole,
    Texts, Turns,
};

pub(crate) use request::strict;

use bytes::Bytes;
use mosaic_core::{
    Codec, Decoder, Delivery, Encodable, EncodeError, GroupBody, Headers, HttpRequest, ModelError, Profile,
    ToolSpec,
};

use crate::wire::{error, functions};

/// The name of the wire API, unless the quirks say another.
pub(crate) const API: &str = "openai-chat";

/// The codec.
#[derive(Debug, Clone, Default)]
pub struct OpenAiChat {
    quirks: Quirks,
}

impl OpenAiChat {
    /// For a server with those differences.
    #[must_use]
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }

    /// For Mistral, whose API has a name of its own because its reasoning and its calls go back in another form.
    ///
    /// Its own settings (`prompt_mode`, `safe_prompt`, `guardrails`, JSON without a schema) are members of
    /// [`ModelParams::extra`](mosaic_core::ModelParams::extra). What an answer refers to (`reference` parts) is kept as
    /// [`Part::Provider`](mosaic_core::Part::Provider) and not sent back: it belongs between two words of the text.
    ///
    /// ```
    /// use mosaic_core::Codec;
    /// use mosaic_providers::openai_chat::OpenAiChat;
    /// assert_eq!(OpenAiChat::mistral().api(), "mistral");
    /// ```
    #[must_use]
    pub fn mistral() -> Self {
        Self::new(Quirks::mistral())
    }

    /// The server's differences.
    #[must_use]
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }
}

impl Codec for OpenAiChat {
    fn api(&self) -> &'static str {
        self.quirks.api.name()
    }

    fn fragment(&self, group: &GroupBody, profile: &Profile) -> Result<Bytes, EncodeError> {
        message::fragment(group, profile, &self.quirks)
    }

    fn tools(&self, tools: &[&ToolSpec], _profile: &Profile) -> Result<Bytes, EncodeError> {
        functions::tools(self.quirks.schemas.root(self.quirks.api), tools)
    }

    fn encode(&self, request: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
        request::encode(request, &self.quirks)
    }

    fn decoder(&self, profile: &Profile, delivery: Delivery) -> Box<dyn Decoder> {
        decoder::decoder(profile, &self.quirks, delivery)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> ModelError {
        error::from_response(status, headers, body)
    }
}
