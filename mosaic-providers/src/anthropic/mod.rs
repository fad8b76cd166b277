//! Anthropic's Messages, as spoken by Anthropic and several gateways and local servers.
//!
//! ```text
//! message    a group -> members of `messages` (kept)        event    what comes, leniently read
//! request    settings + breakpoints + fragments + tools     blocks   content blocks -> parts
//! models     what differs between the models, as a table    decoder  bytes -> events
//! schema     the dialect of structured outputs
//! ```
//!
//! Signed thinking, redacted thinking and the blocks of server-side tools are kept and go back to their origin only.
//!
//! ```
//! use mosaic_core::{Codec, Group, ModelInfo, Origin, Part, Profile};
//! use mosaic_providers::anthropic::Anthropic;
//!
//! let codec = Anthropic::default();
//! let origin = Origin { api: codec.api().into(), provider: "anthropic".into(), model: "claude-sonnet-5".into() };
//! let profile = Profile { origin, info: ModelInfo::new("anthropic", "claude-sonnet-5") };
//! let fragment = codec.fragment(Group::user(vec![Part::text("Hi")]).body(), &profile)?;
//! assert_eq!(fragment, r#"{"role":"user","content":[{"type":"text","text":"Hi"}]}"#);
//! # Ok::<(), mosaic_core::EncodeError>(())
//! ```
//!
//! Source: <https://docs.anthropic.com/en/api/messages>

mod blocks;
mod decoder;
mod event;
mod message;
pub(crate) mod models;
mod request;
mod schema;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use mosaic_core::{
    Codec, Decoder, Delivery, Encodable, EncodeError, GroupBody, Headers, HttpRequest, ModelError, Profile,
    ToolSpec,
};

// Bedrock passes them on to the same models.
pub(crate) use request::{effort, thinking};
pub(crate) use schema::closed;

use crate::wire::error;

/// The name of the wire API.
pub(crate) const API: &str = "anthropic-messages";

/// Whether requests mark what the provider shall cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Cache {
    /// Tools, instructions and the last two messages of the user, for five minutes each. Prompts shorter than the
    /// model's least are not cached and cost nothing more.
    #[default]
    Ephemeral,
    /// Nothing: for servers that refuse the member.
    Off,
}

/// Where the servers of this API differ, as data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Whether requests mark what shall be cached.
    pub cache: Cache,
}

/// The codec.
#[derive(Debug, Clone, Default)]
pub struct Anthropic {
    quirks: Quirks,
}

impl Anthropic {
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

impl Codec for Anthropic {
    fn api(&self) -> &'static str {
        API
    }

    fn fragment(&self, group: &GroupBody, profile: &Profile) -> Result<Bytes, EncodeError> {
        message::fragment(group, profile)
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
