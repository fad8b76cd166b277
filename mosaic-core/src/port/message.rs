//! The messages that cross the port, and their JSON Schema.

use std::fmt;

use bytes::Bytes;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{CallId, RunId, SessionKey};
use crate::memory::Purpose;
use crate::message::Part;
use crate::tool::FatalToken;
use crate::transport::{Header, Headers};

/// Which request; unique for the life of a port. In `tool.release` it is the number of the tool.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct RequestId(pub u64);

/// What the core wants of its host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// What a response must name. A `cancel` and an `http.credit` carry the id of the request that they are about.
    pub id: RequestId,
    /// What is wanted.
    #[serde(flatten)]
    pub kind: RequestKind,
}

/// What is wanted.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
#[non_exhaustive]
pub enum RequestKind {
    /// Run a tool of the host. Answered by any number of `progress`, then `end` or `error`.
    #[serde(rename = "tool.call")]
    ToolCall {
        /// The number that the host gave to the tool.
        handle: u64,
        /// The tool's name.
        tool: String,
        /// The session.
        session: SessionKey,
        /// Whose session it is, where the host said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// The run.
        run: RunId,
        /// The call.
        call: CallId,
        /// From 1; more only for tools that may run again.
        attempt: u32,
        /// The same for every attempt of this call, and for no other call.
        idempotency_key: String,
        /// The arguments; they have passed the tool's schema.
        input: Value,
    },
    /// No call of this tool can come any more: the host may forget it. Not answered.
    #[serde(rename = "tool.release")]
    ToolRelease {},
    /// Carry an HTTP request. Answered by `http.head`, any number of `http.chunk`, then `end`; or by `error`.
    #[serde(rename = "http.open")]
    HttpOpen {
        /// The method.
        method: String,
        /// The absolute URL.
        url: String,
        /// The headers.
        headers: Vec<PortHeader>,
        /// Where the whole body is among the batch's buffers; absent for none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<u32>,
        /// How long making a connection may take, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connect_timeout_ms: Option<u64>,
        /// How many bytes of the response body may be sent before the first `http.credit`.
        window: u32,
    },
    /// Embed texts. Answered by `vectors`, or by `error`.
    #[serde(rename = "embed")]
    Embed {
        /// The number that the host gave to the embedder.
        handle: u64,
        /// The model, as the host named it.
        model: String,
        /// Which side of a search the texts are on.
        purpose: Purpose,
        /// The texts; none is empty.
        texts: Vec<String>,
        /// How long the vectors are to be; absent leaves it to the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dimensions: Option<u32>,
    },
    /// No request to this embedder can come any more: the host may forget it. Not answered.
    #[serde(rename = "embed.release")]
    EmbedRelease {},
    /// So many more bytes of the response body may be sent. Not answered.
    #[serde(rename = "http.credit")]
    HttpCredit {
        /// How many more.
        bytes: u32,
    },
    /// Stop. The request is still to be answered by `end` or `error`.
    #[serde(rename = "cancel")]
    Cancel {},
}

/// A header line. A secret value does not show in `Debug`; a host must not log it either.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortHeader {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Whether the value must not show anywhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

impl PortHeader {
    /// A line that is no secret.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), secret: false }
    }

    pub(super) fn headers(lines: Vec<Self>) -> Headers {
        let mut headers = Headers::default();
        for line in lines {
            if line.secret {
                headers.push_secret(line.name, line.value);
            } else {
                headers.push(line.name, line.value);
            }
        }
        headers
    }
}

impl From<&Header> for PortHeader {
    fn from(header: &Header) -> Self {
        Self { name: header.name.to_string(), value: header.expose().to_owned(), secret: header.is_secret() }
    }
}

impl fmt::Debug for PortHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, if self.secret { "[secret]" } else { &self.value })
    }
}

/// What one poll gives. Empty only when the port is closed. Of bodies `Debug` shows the length only.
#[derive(Clone, PartialEq, Default)]
pub struct Batch {
    /// The requests, oldest first.
    pub requests: Vec<Request>,
    /// The bodies that the requests refer to.
    pub buffers: Vec<Bytes>,
}

impl Batch {
    /// The requests as a JSON array.
    ///
    /// # Errors
    /// Never for requests that this crate makes.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.requests)
    }

    /// Whether the port is closed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}

/// What the host answers.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Response {
    /// How a tool is getting on.
    #[serde(rename = "progress")]
    Progress {
        /// Anything.
        update: Value,
    },
    /// The head of an HTTP answer.
    #[serde(rename = "http.head")]
    HttpHead {
        /// The status. Anything but 2xx is no error here.
        status: u16,
        /// The headers.
        #[serde(default)]
        headers: Vec<PortHeader>,
    },
    /// A piece of an HTTP answer's body. Its bytes travel beside the JSON.
    #[serde(rename = "http.chunk")]
    HttpChunk {
        /// The bytes.
        #[serde(skip)]
        bytes: Bytes,
    },
    /// The vectors of texts, one a text, in their order. The last response.
    #[serde(rename = "vectors")]
    Vectors {
        /// The vectors, all of one length.
        vectors: Vec<Vec<f32>>,
    },
    /// It is done. The last response.
    #[serde(rename = "end")]
    End {
        /// What a tool returned: text and media.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        content: Vec<Part>,
    },
    /// It failed. The last response.
    #[serde(rename = "error")]
    Error {
        /// The class of the host's exception.
        class: String,
        /// Its message.
        message: String,
        /// The run cannot go on: the host wants its own exception back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        fatal: bool,
        /// The exception itself, for a host that can hand it over; others find it by the id in [`HostFailure`](super::HostFailure).
        #[serde(skip)]
        token: Option<FatalToken>,
    },
}

impl Response {
    /// It is done, and there is nothing to say.
    #[must_use]
    pub fn end() -> Self {
        Self::End { content: Vec::new() }
    }

    /// A failure that does not end the run.
    pub fn error(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Error { class: class.into(), message: message.into(), fatal: false, token: None }
    }

    /// Whether nothing may come after it.
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::End { .. } | Self::Error { .. } | Self::Vectors { .. })
    }

    /// A piece of a body.
    pub fn chunk(bytes: impl Into<Bytes>) -> Self {
        Self::HttpChunk { bytes: bytes.into() }
    }
}

/// The JSON Schema of what crosses the port: `$defs/Request`, `$defs/Response`, `$defs/Event` and `$defs/ErrorReport`, and
/// what they are made of. `cargo xtask gen` writes it to `bindings/port.schema.json`.
#[must_use]
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let request = generator.subschema_for::<Request>();
    let response = generator.subschema_for::<Response>();
    let event = generator.subschema_for::<crate::event::Event>();
    generator.subschema_for::<crate::error::ErrorReport>();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The host port of Mosaic",
        "description": "`poll` gives an array of requests, `respond` takes one response, `events` is what a run shows.",
        "$defs": generator.take_definitions(true),
        "properties": { "poll": { "type": "array", "items": request }, "respond": response, "events": { "type": "array", "items": event } },
    })
}
