//! What can go wrong, in one vocabulary.
//!
//! Every trait has its own error type ([`ModelError`](crate::ModelError), [`ToolError`](crate::ToolError),
//! [`StoreError`](crate::StoreError), [`TransportError`](crate::TransportError)); each knows its [`ErrorKind`], whether
//! trying again can help, and how to become an [`ErrorReport`]: the one form that is stored in the log and crosses the
//! port to the other languages.
//!
//! | kind | what happened | try again? |
//! | --- | --- | --- |
//! | `rate_limited` | the provider refuses for now | yes, after `retry_after` |
//! | `overloaded` | the provider has no capacity | yes |
//! | `server` | the provider failed | yes |
//! | `timeout` | a deadline passed | yes |
//! | `transport` | no connection, or it broke | yes |
//! | `incomplete` | a stream ended without its terminal event | yes |
//! | `auth` | missing or wrong key | no |
//! | `invalid_request` | the provider does not accept the request | no |
//! | `unsupported` | the model or the library cannot do this | no |
//! | `context_overflow` | the prompt is too long for the model | after compaction |
//! | `content_filtered` | the provider refuses the content | no |
//! | `budget` | a limit that the host set is used up | no |
//! | `cancelled` | the host cancelled | no |
//! | `conflict` | somebody else writes this session | no |
//! | `not_found` | no such thing | no |
//! | `tool` | a tool failed | the model decides |
//! | `storage` | the store failed (full disk, locked, read-only) | sometimes |
//! | `corrupt` | stored bytes are not what was written | no |
//! | `newer_format` | written by a newer version of Mosaic | no |
//! | `decode` | a provider's answer is not what its API promises | sometimes |
//! | `internal` | a defect of Mosaic | no |

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of thing went wrong. Stable, and the same in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The provider refuses for now; `retry_after` says for how long if it is known.
    RateLimited,
    /// The provider has no capacity.
    Overloaded,
    /// The provider failed.
    Server,
    /// A deadline passed.
    Timeout,
    /// No connection, or it broke.
    Transport,
    /// Missing or wrong key.
    Auth,
    /// The provider does not accept the request.
    InvalidRequest,
    /// The model or the library cannot do this.
    Unsupported,
    /// The prompt is too long for the model.
    ContextOverflow,
    /// The provider refuses the content.
    ContentFiltered,
    /// A stream ended without its terminal event.
    Incomplete,
    /// A limit that the host set is used up.
    Budget,
    /// The host cancelled.
    Cancelled,
    /// Somebody else writes this session.
    Conflict,
    /// No such thing.
    NotFound,
    /// A tool failed.
    Tool,
    /// The store failed.
    Storage,
    /// Stored bytes are not what was written.
    Corrupt,
    /// Written by a newer version of Mosaic.
    NewerFormat,
    /// A provider's answer is not what its API promises.
    Decode,
    /// A defect of Mosaic.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the table above.
    pub const ALL: &'static [ErrorKind] = &[
        Self::RateLimited,
        Self::Overloaded,
        Self::Server,
        Self::Timeout,
        Self::Transport,
        Self::Incomplete,
        Self::Auth,
        Self::InvalidRequest,
        Self::Unsupported,
        Self::ContextOverflow,
        Self::ContentFiltered,
        Self::Budget,
        Self::Cancelled,
        Self::Conflict,
        Self::NotFound,
        Self::Tool,
        Self::Storage,
        Self::Corrupt,
        Self::NewerFormat,
        Self::Decode,
        Self::Internal,
    ];

    /// Whether an error of this kind goes away by itself often enough that trying again is sensible.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Overloaded
                | Self::Server
                | Self::Timeout
                | Self::Transport
                | Self::Incomplete
        )
    }

    /// The name as it is written in the log and in the other languages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Server => "server",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::Auth => "auth",
            Self::InvalidRequest => "invalid_request",
            Self::Unsupported => "unsupported",
            Self::ContextOverflow => "context_overflow",
            Self::ContentFiltered => "content_filtered",
            Self::Incomplete => "incomplete",
            Self::Budget => "budget",
            Self::Cancelled => "cancelled",
            Self::Conflict => "conflict",
            Self::NotFound => "not_found",
            Self::Tool => "tool",
            Self::Storage => "storage",
            Self::Corrupt => "corrupt",
            Self::NewerFormat => "newer_format",
            Self::Decode => "decode",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error as data: what the log stores and what crosses the port to Python, Node and Swift.
///
/// Holds no secret: transports and codecs put neither headers nor keys into their messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorReport {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// What happened, to what, why, and what to do next.
    pub message: String,
    /// Whether trying again can help. Decided once, where the error arose.
    pub retryable: bool,
    /// How long to wait before that, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The provider that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's id of the request, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The messages of the causes, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
}

impl ErrorReport {
    /// A report of a kind, with the kind's own view on retries.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retryable: kind.is_retryable(),
            retry_after_ms: None,
            provider: None,
            status: None,
            request_id: None,
            chain: Vec::new(),
        }
    }

    /// Adds the messages of an error's causes.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        // A cycle of sources would be a bug of some crate; do not let it hang us.
        while let (Some(error), true) = (next, self.chain.len() < 16) {
            self.chain.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// How long to wait before trying again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(Duration::from_millis)
    }
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for ErrorReport {}

/// A source that any of the error types can carry.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
