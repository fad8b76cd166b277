//! A codec whose requests have nowhere to go.

use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::{
    Codec, Decoder, Delivery, Encodable, EncodeError, GroupBody, Headers, HttpRequest, ModelError, Profile,
    ToolSpec,
};

/// Stands in for the codec of an endpoint whose address is wrong: building a model cannot fail, so asking it does, with
/// the reason, before anything is sent.
#[derive(Debug)]
pub(super) struct Unreachable {
    pub(super) codec: Arc<dyn Codec>,
    pub(super) message: String,
}

impl Codec for Unreachable {
    fn api(&self) -> &'static str {
        self.codec.api()
    }

    fn fragment(&self, group: &GroupBody, profile: &Profile) -> Result<Bytes, EncodeError> {
        self.codec.fragment(group, profile)
    }

    fn tools(&self, tools: &[&ToolSpec], profile: &Profile) -> Result<Bytes, EncodeError> {
        self.codec.tools(tools, profile)
    }

    fn encode(&self, _: &Encodable<'_>) -> Result<HttpRequest, EncodeError> {
        Err(EncodeError::BaseUrl { message: self.message.clone() })
    }

    fn decoder(&self, profile: &Profile, delivery: Delivery) -> Box<dyn Decoder> {
        self.codec.decoder(profile, delivery)
    }

    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> ModelError {
        self.codec.error(status, headers, body)
    }
}
