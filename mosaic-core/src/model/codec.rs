//! Wire formats: pure, one per wire API.

use std::fmt::Debug;

use bytes::Bytes;
use thiserror::Error;

use super::{ModelError, ModelEvent, ModelInfo, ModelParams, OutputSpec, ToolChoice};
use crate::error::ErrorKind;
use crate::message::{GroupBody, Origin};
use crate::tool::ToolSpec;
use crate::transport::{Headers, HttpRequest};

/// What a codec must know of the model that it writes for.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Where the answers will come from: reasoning and provider blocks of the same origin are replayed, others are not.
    pub origin: Origin,
    /// Facts about the model.
    pub info: ModelInfo,
}

/// Whether the answer comes in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Delivery {
    /// As server-sent events (or the API's own framing).
    #[default]
    Streamed,
    /// As one body.
    Whole,
}

/// A request whose parts are encoded already.
#[derive(Debug)]
pub struct Encodable<'a> {
    /// The provider's base URL, without a slash at the end.
    pub base_url: &'a str,
    /// The model.
    pub profile: &'a Profile,
    /// The system prompt; empty for none.
    pub instructions: &'a str,
    /// The conversation: [`Codec::fragment`] of each group, in order.
    pub fragments: &'a [Bytes],
    /// [`Codec::tools`] of the tools, where there are any.
    pub tools: Option<&'a Bytes>,
    /// Whether they must be called.
    pub tool_choice: &'a ToolChoice,
    /// The shape of the final answer.
    pub output: Option<&'a OutputSpec>,
    /// Settings.
    pub params: &'a ModelParams,
    /// Whether the answer comes in pieces.
    pub delivery: Delivery,
}

/// A request that the wire API cannot express.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The API has no place for this.
    #[error("{api} cannot carry {what}; {hint}")]
    Unsupported {
        /// The wire API.
        api: &'static str,
        /// What it cannot carry.
        what: String,
        /// What to do instead.
        hint: String,
    },
    /// It is not JSON where it must be.
    #[error("{what} cannot be written as JSON: {source}")]
    Json {
        /// What.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The base URL is no address that can be asked.
    #[error("{message}")]
    BaseUrl {
        /// What is wrong with it, and how it should look.
        message: String,
    },
}

impl EncodeError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Json { .. } | Self::BaseUrl { .. } => ErrorKind::InvalidRequest,
        }
    }
}

/// A wire API: how a request is written and an answer read. Pure: no socket, no clock, no randomness.
///
/// # Contract
/// * `fragment` and `tools` depend on their arguments only, so that their results can be kept.
/// * `encode` joins fragments without reading them. Header values that are secret are not its business.
/// * A decoder gives the same events for every way of cutting the bytes, up to how deltas are split.
pub trait Codec: Debug + Send + Sync {
    /// The name of the wire API, `openai-chat` for one.
    fn api(&self) -> &'static str;

    /// A group as the members of the API's list of messages, joined by commas; no brackets.
    ///
    /// # Errors
    /// When the API cannot carry it.
    fn fragment(&self, group: &GroupBody, profile: &Profile) -> Result<Bytes, EncodeError>;

    /// The tools as the value of the API's member for them.
    ///
    /// # Errors
    /// When the API cannot carry them.
    fn tools(&self, tools: &[&ToolSpec], profile: &Profile) -> Result<Bytes, EncodeError>;

    /// The whole request, without authentication.
    ///
    /// # Errors
    /// When the API cannot carry it.
    fn encode(&self, request: &Encodable<'_>) -> Result<HttpRequest, EncodeError>;

    /// A decoder for one answer with a 2xx status.
    fn decoder(&self, profile: &Profile, delivery: Delivery) -> Box<dyn Decoder>;

    /// The same for the answer to a request that limits it to so many tokens: servers that do not tell that they cut an
    /// answer there show it by its length alone.
    fn limited_decoder(&self, profile: &Profile, delivery: Delivery, limit: Option<u64>) -> Box<dyn Decoder> {
        let _ = limit;
        self.decoder(profile, delivery)
    }

    /// The error that an answer with any other status means.
    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> ModelError;
}

/// Reads one answer. `push` and `finish` append events; after an error, or after [`ModelEvent::Done`], nothing more
/// comes and further bytes are ignored.
pub trait Decoder: Debug + Send {
    /// Takes the next bytes, cut anywhere.
    ///
    /// # Errors
    /// An error object in the stream, or bytes that are not what the API promises.
    fn push(&mut self, bytes: &[u8], events: &mut Vec<ModelEvent>) -> Result<(), ModelError>;

    /// Says that no more bytes come.
    ///
    /// # Errors
    /// `incomplete` when the answer's terminal event is missing.
    fn finish(&mut self, events: &mut Vec<ModelEvent>) -> Result<(), ModelError>;
}
