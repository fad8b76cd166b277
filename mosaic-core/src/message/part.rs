//! The pieces of a message.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::CallId;

/// A piece of what a user, a model or a tool says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// An image, a document, a sound.
    Media(Media),
    /// What a model thought before it answered.
    Reasoning {
        /// The readable part; may be empty.
        text: String,
        /// The provider's signature, encrypted or redacted block. Goes back to its origin unchanged, and to nobody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opaque: Option<Value>,
    },
    /// The model declines to answer.
    Refusal {
        /// Its words.
        text: String,
    },
    /// The model asks for a tool.
    ToolCall(ToolCall),
    /// A block that only its provider understands (a server-side search, say). Goes back to its origin unchanged, and
    /// to nobody else.
    Provider {
        /// The provider's name for the block.
        kind: String,
        /// The block as it came.
        data: Value,
    },
}

impl Part {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A tool call; `arguments` is JSON text.
    pub fn call(id: impl Into<Arc<str>>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self::ToolCall(ToolCall {
            id: CallId(id.into()),
            wire_id: None,
            name: name.into(),
            arguments: arguments.into(),
        })
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            _ => None,
        }
    }

    /// The call, if it is a call.
    #[must_use]
    pub fn as_call(&self) -> Option<&ToolCall> {
        match self {
            Self::ToolCall(call) => Some(call),
            _ => None,
        }
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// An image, a document, a sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Media {
    /// The MIME type, `image/png` for one.
    pub media_type: String,
    /// The bytes, or where they are.
    pub data: MediaData,
    /// A file name, where the provider shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The bytes of a medium, or where they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaData {
    /// The bytes, in standard base64 with padding.
    Base64 {
        /// The text.
        data: String,
    },
    /// The provider fetches them itself.
    Url {
        /// From here.
        url: String,
    },
    /// A file that was uploaded to the provider before.
    File {
        /// The provider's id of it.
        id: String,
    },
}

/// A tool call as the model wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCall {
    /// Ours. Decoders leave it empty; the machine assigns it.
    pub id: CallId,
    /// The provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire_id: Option<String>,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them: JSON text, or what was there when it was cut off.
    pub arguments: String,
}

impl ToolCall {
    /// The arguments as JSON. No text at all counts as `{}`: several servers write that for a tool without parameters.
    ///
    /// # Errors
    /// When the text is not JSON, because it was cut off for instance. Such a call must never run.
    pub fn input(&self) -> Result<Value, serde_json::Error> {
        if self.arguments.trim().is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_str(&self.arguments)
    }
}

/// How a tool call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolStatus {
    /// It returned.
    Ok,
    /// It returned an error, or panicked.
    Error,
    /// It was never started: unknown tool, or arguments that do not fit its schema.
    Rejected,
    /// A human said no.
    Denied,
    /// It was never started: the answer was cut off, the run ended, or the tool is gone.
    NotRun,
    /// It took too long and was stopped.
    TimedOut,
    /// It was cancelled while it ran.
    Cancelled,
    /// It was started and nobody knows how it ended: the process died, or the host did not let go of it.
    Unknown,
}

impl ToolStatus {
    /// Whether the model should be told that this is an error.
    #[must_use]
    pub fn is_error(self) -> bool {
        !matches!(self, Self::Ok)
    }

    /// Whether the tool was started, so that its effects may have happened.
    #[must_use]
    pub fn was_started(self) -> bool {
        !matches!(self, Self::Rejected | Self::Denied | Self::NotRun)
    }
}

/// The result of a tool call, as the model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolResult {
    /// Which call.
    pub call: CallId,
    /// How it ended.
    pub status: ToolStatus,
    /// What it says: text and media.
    pub content: Vec<Part>,
}
