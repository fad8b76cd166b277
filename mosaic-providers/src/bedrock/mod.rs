//! Amazon Bedrock's Converse: one API for the models of many vendors.
//!
//! ```text
//! message    a group -> members of `messages` (kept)     event    what comes, leniently read
//! media      images, documents, videos as blocks         blocks   content blocks -> parts
//! join       fragments -> `messages`: roles, cache       decoder  bytes -> events
//!            points, names of documents                  error    AWS's exceptions -> kinds
//! request    settings, tools, system, messages           models   what differs between the models, as a table
//! ```
//!
//! Streams are binary ([`crate::event_stream`]); requests are signed ([`crate::sigv4`]) or carry a bearer token.
//!
//! ```
//! use mosaic_core::{Codec, Group, ModelInfo, Origin, Part, Profile};
//! use mosaic_providers::bedrock::Bedrock;
//!
//! let codec = Bedrock::default();
//! let model = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
//! let origin = Origin { api: codec.api().into(), provider: "bedrock".into(), model: model.into() };
//! let profile = Profile { origin, info: ModelInfo::new("bedrock", model) };
//! let fragment = codec.fragment(Group::user(vec![Part::text("Hi")]).body(), &profile)?;
//! assert_eq!(fragment, r#"{"role":"user","content":[{"text":"Hi"}]}"#);
//! # Ok::<(), mosaic_core::EncodeError>(())
//! ```
//!
//! # What only Bedrock knows
//! Members of `ModelParams::extra` are added to the body: `guardrailConfig`, `performanceConfig`, `requestMetadata`. Those
//! of `inferenceConfig` and `additionalModelRequestFields` are put beside ours, and the `tools` of `toolConfig` behind
//! ours, so that a system tool (`nova_code_interpreter`) can stand beside an agent's own. Text for a guardrail is a
//! [`Part::Provider`](mosaic_core::Part::Provider) of the kind `guardContent` in what a user says.
//!
//! Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>

mod blocks;
mod decoder;
mod error;
mod event;
mod join;
mod media;
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

/// The name of the wire API.
pub(crate) const API: &str = "bedrock-converse";

/// Whether requests mark what Bedrock shall cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Cache {
    /// Where the model's name tells that it takes the marks: tools, instructions and the last two messages of the user.
    #[default]
    ByModel,
    /// Everywhere: for a model whose name tells nothing, an application inference profile for one.
    On,
    /// Nowhere.
    Off,
}

/// What a host may set, as data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Whether requests mark what shall be cached.
    pub cache: Cache,
}

/// The codec.
#[derive(Debug, Clone, Default)]
pub struct Bedrock {
    quirks: Quirks,
}

impl Bedrock {
    /// With those settings.
    #[must_use]
    pub fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }

    /// The settings.
    #[must_use]
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }
}

impl Codec for Bedrock {
    fn api(&self) -> &'static str {
        API
    }

    fn fragment(&self, group: &GroupBody, profile: &Profile) -> Result<Bytes, EncodeError> {
        message::fragment(group, profile)
    }

    fn tools(&self, tools: &[&ToolSpec], profile: &Profile) -> Result<Bytes, EncodeError> {
        request::tools(tools, profile, &self.quirks)
    }

    fn encode(&self, request: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
        request::encode(request, &self.quirks)
    }

    fn decoder(&self, profile: &Profile, _: Delivery) -> Box<dyn Decoder> {
        decoder::decoder(profile)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> ModelError {
        error::from_response(status, headers, body)
    }
}
