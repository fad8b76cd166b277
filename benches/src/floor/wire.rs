//! OpenAI's Chat Completions, as far as the workloads need it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A message of the request.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Message {
    pub(super) role: &'static str,
    pub(super) content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<Call>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<String>,
}

impl Message {
    pub(super) fn text(role: &'static str, content: String) -> Self {
        Self { role, content: Some(content), tool_calls: Vec::new(), tool_call_id: None }
    }

    pub(super) fn calls(tool_calls: Vec<Call>) -> Self {
        Self { role: "assistant", content: None, tool_calls, tool_call_id: None }
    }

    pub(super) fn result(id: String, content: String) -> Self {
        Self { role: "tool", content: Some(content), tool_calls: Vec::new(), tool_call_id: Some(id) }
    }
}

/// A tool call of a message.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) r#type: &'static str,
    pub(super) function: Function,
}

/// The tool and its arguments.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) arguments: String,
}

/// A request.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: &'a [Message],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tools: Option<&'a RawValue>,
    pub(super) stream: bool,
    pub(super) stream_options: StreamOptions,
}

/// Asks for the usage.
#[derive(Debug, Serialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

/// An event of the answer.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    pub(super) choices: Vec<Choice<'a>>,
    pub(super) usage: Option<Usage>,
}

/// A choice of an event.
#[derive(Debug, Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(borrow)]
    pub(super) delta: Delta<'a>,
}

/// What is new.
#[derive(Debug, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Vec<CallDelta<'a>>,
}

/// More of a call.
#[derive(Debug, Deserialize)]
pub(super) struct CallDelta<'a> {
    pub(super) index: usize,
    pub(super) id: Option<String>,
    #[serde(borrow)]
    pub(super) function: FunctionDelta<'a>,
}

/// More of the arguments.
#[derive(Debug, Deserialize)]
pub(super) struct FunctionDelta<'a> {
    pub(super) name: Option<String>,
    #[serde(borrow)]
    pub(super) arguments: Option<Cow<'a, str>>,
}

/// The tokens.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Usage {
    pub(super) completion_tokens: u64,
}
