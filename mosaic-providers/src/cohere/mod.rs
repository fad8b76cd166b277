//! Cohere's Chat, version 2.
//!
//! ```text
//! message    a group -> members of `messages` (kept)        event    what comes, leniently read
//! request    settings + fragments + tools -> HttpRequest    decoder  bytes -> events
//! schema     the part of JSON Schema that Cohere takes
//! ```
//!
//! What is Cohere's own:
//!
//! | on the wire | here |
//! | --- | --- |
//! | `thinking` blocks of the content | reasoning; goes back to its origin |
//! | `tool_plan`, the words before a call | [`Part::Provider`](mosaic_core::Part::Provider) of kind `tool_plan`; goes back to its origin |
//! | `citations` | [`Part::Provider`](mosaic_core::Part::Provider) of kind `citations`, all of an answer in one list; goes back to its origin |
//! | `documents`, `citation_options`, `safety_mode`, `strict_tools`, `k` | members of [`ModelParams::extra`](mosaic_core::ModelParams::extra) |
//! | a forced call, but never of a named tool | `REQUIRED`, with that tool alone |
//! | `response_format`, but not beside tools or documents | beside those the schema is told in the instructions |
//!
//! ```
//! use mosaic_core::{Codec, Group, ModelInfo, Origin, Part, Profile};
//! use mosaic_providers::cohere::Cohere;
//!
//! let codec = Cohere;
//! let origin = Origin { api: codec.api().into(), provider: "cohere".into(), model: "command-a-03-2025".into() };
//! let profile = Profile { origin, info: ModelInfo::new("cohere", "command-a-03-2025") };
//! let fragment = codec.fragment(Group::user(vec![Part::text("Hi")]).body(), &profile)?;
//! assert_eq!(fragment, r#"{"role":"user","content":"Hi"}"#);
//! # Ok::<(), mosaic_core::EncodeError>(())
//! ```
//!
//! Source: <https://docs.cohere.com/reference/chat>

mod decoder;
mod event;
mod message;
mod request;
mod schema;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use mosaic_core::{
    Codec, Decoder, Delivery, Encodable, EncodeError, ErrorKind, GroupBody, Headers, HttpRequest, ModelError,
    Profile, ToolSpec,
};
use serde_json::Value;

use crate::wire::schema::Root;
use crate::wire::{error, functions};

/// The name of the wire API.
pub(crate) const API: &str = "cohere";

/// The codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cohere;

impl Codec for Cohere {
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
        let mut error = error::from_response(status, headers, body);
        // 498 is an overload elsewhere; here a text of the request or of the answer is on a deny list.
        // <https://docs.cohere.com/reference/errors>
        if status == 498 {
            error.kind = ErrorKind::ContentFiltered;
            error.retryable = false;
        }
        if error.request_id.is_none() {
            let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
            error.request_id = body.get("id").and_then(Value::as_str).map(str::to_owned);
        }
        error
    }
}
