//! What a recording of HTTP is made of.

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::BoxError;
use crate::transport::TransportError;

/// The version of the format that this version of Mosaic writes, and the newest that it reads.
pub(super) const FORMAT: u16 = 1;

/// A request and how it was answered: one line of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The version of the format.
    pub v: u16,
    /// The how-manieth request it was, from 1. Lines stand in the order in which exchanges ended.
    pub number: u64,
    /// What was asked.
    pub request: RecordedRequest,
    /// How it was answered.
    pub answer: RecordedAnswer,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: RecordedBody,
}

/// How it was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordedAnswer {
    /// With a head, and a body in pieces.
    Answered {
        /// The status.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// The body as it came.
        pieces: Vec<RecordedPiece>,
        /// How the body ended.
        end: RecordedEnd,
    },
    /// With an error in place of a head.
    Failed {
        /// Which.
        error: RecordedError,
    },
    /// Not at all: whoever asked went away before the head came.
    Cancelled,
}

/// How a body ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordedEnd {
    /// It is whole.
    Whole,
    /// The connection broke.
    Broken {
        /// How.
        error: RecordedError,
    },
    /// Whoever asked went away.
    Cancelled,
}

/// A [`TransportError`] as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordedError {
    /// No connection could be made.
    Connect {
        /// Where to.
        host: String,
        /// Why.
        message: String,
    },
    /// The connection broke.
    Broken {
        /// Where to.
        host: String,
        /// Why.
        message: String,
    },
    /// A deadline passed.
    Timeout {
        /// What took too long.
        what: String,
        /// The deadline.
        millis: u64,
    },
    /// The request is no HTTP request.
    Request {
        /// Why.
        reason: String,
    },
    /// The host's own transport failed.
    Host {
        /// The class of the host's exception.
        class: String,
        /// Its message.
        message: String,
    },
    /// The host's transport is gone.
    Gone,
}

/// What transports say that took too long: the error holds no other texts.
const WAITS: &[&str] = &["making a connection", "the head of the answer", "the body of the answer"];

impl From<&TransportError> for RecordedError {
    fn from(error: &TransportError) -> Self {
        match error {
            TransportError::Connect { host, source } => {
                Self::Connect { host: host.clone(), message: source.to_string() }
            }
            TransportError::Broken { host, source } => {
                Self::Broken { host: host.clone(), message: source.to_string() }
            }
            TransportError::Timeout { what, millis } => {
                Self::Timeout { what: (*what).to_owned(), millis: *millis }
            }
            TransportError::Request { reason } => Self::Request { reason: reason.clone() },
            TransportError::Host { class, message } => {
                Self::Host { class: class.clone(), message: message.clone() }
            }
            TransportError::Gone => Self::Gone,
            TransportError::Unrecorded { .. } => Self::Request { reason: error.to_string() },
        }
    }
}

impl From<RecordedError> for TransportError {
    fn from(error: RecordedError) -> Self {
        match error {
            RecordedError::Connect { host, message } => {
                Self::Connect { host, source: BoxError::from(message) }
            }
            RecordedError::Broken { host, message } => Self::Broken { host, source: BoxError::from(message) },
            RecordedError::Timeout { what, millis } => {
                let known = WAITS.iter().find(|known| **known == what);
                Self::Timeout { what: known.copied().unwrap_or("the recorded exchange"), millis }
            }
            RecordedError::Request { reason } => Self::Request { reason },
            RecordedError::Host { class, message } => Self::Host { class, message },
            RecordedError::Gone => Self::Gone,
        }
    }
}

impl RecordedError {
    /// The texts in it, to be scrubbed.
    pub(super) fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Connect { host, message } | Self::Broken { host, message } => vec![host, message],
            Self::Host { class, message } => vec![class, message],
            Self::Timeout { what, .. } => vec![what],
            Self::Request { reason } => vec![reason],
            Self::Gone => Vec::new(),
        }
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecordedBody {
    /// JSON, as nearly every body is.
    Json(Value),
    /// Anything else.
    Other(RecordedPiece),
}

impl RecordedBody {
    /// Of bytes.
    pub(super) fn of(bytes: &Bytes) -> Self {
        match serde_json::from_slice(bytes) {
            Ok(value) => Self::Json(value),
            Err(_) => Self::Other(RecordedPiece(bytes.clone())),
        }
    }
}

/// Some bytes. In the file they are a text, and where they are no text (a piece may end in the middle of a letter) an
/// object with their digits: `{"hex": "c3"}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedPiece(pub Bytes);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Hex { hex: String },
}

impl Serialize for RecordedPiece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let hex = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
                Written::Hex { hex }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for RecordedPiece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into())),
            Written::Hex { hex } => {
                let digits = |pair: &[u8]| {
                    let pair = std::str::from_utf8(pair).ok()?;
                    u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2)
                };
                let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(digits).collect();
                let bytes = bytes.ok_or_else(|| D::Error::custom("`hex` is no even number of digits"))?;
                Ok(Self(bytes.into()))
            }
        }
    }
}
