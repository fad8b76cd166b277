//! What a model says, piece by piece.

use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ModelError;
use crate::message::{Cost, Origin, Part, Usage};
use crate::router::RouteDecision;

/// What a part of an answer is, known when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PartKind {
    /// Text.
    Text,
    /// Reasoning.
    Reasoning,
    /// A refusal.
    Refusal,
    /// A tool call.
    ToolCall {
        /// The tool, as far as it is known.
        name: String,
    },
    /// A block that only the provider understands.
    Provider,
}

/// What a model says, piece by piece. Parts are numbered from 0 in the order of the answer; the pieces of different
/// parts may be interleaved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelEvent {
    /// A part begins.
    Start {
        /// Its number.
        part: u32,
        /// What it is.
        kind: PartKind,
    },
    /// More text (or more of a refusal).
    Text {
        /// Of which part.
        part: u32,
        /// The new piece.
        delta: String,
    },
    /// More reasoning.
    Reasoning {
        /// Of which part.
        part: u32,
        /// The new piece.
        delta: String,
    },
    /// More of a call's arguments: a piece of JSON text.
    Arguments {
        /// Of which part.
        part: u32,
        /// The new piece.
        delta: String,
    },
    /// A part is whole. What is in here counts; the pieces were for showing.
    End {
        /// Its number.
        part: u32,
        /// The whole part.
        content: Part,
    },
    /// All that was said so far is void: another attempt begins from part 0.
    Restarted,
    /// Where the call went, and why: from a router, first and again before the end.
    Route(Arc<RouteDecision>),
    /// The answer is whole. The last event.
    Done(ModelEnd),
}

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// It was done, or met a stop sequence.
    Stop,
    /// It wants its calls run. Providers are not reliable here: what counts is whether there are calls.
    ToolCalls,
    /// The limit of output tokens; the last part may be cut off.
    Length,
    /// The provider's filter.
    ContentFilter,
    /// The host cancelled; the answer is partial. Never said by a provider.
    Cancelled,
    /// Something else, in the provider's word; empty where it gave none.
    Other {
        /// The provider's word.
        reason: String,
    },
}

/// The terminal record of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelEnd {
    /// Why the model stopped.
    pub stop: StopReason,
    /// What it took.
    pub usage: Usage,
    /// What it cost: the provider's own figure where it tells one, else the model's price times the usage. `None` where
    /// neither is known, which is not the same as nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Where the answer came from.
    pub origin: Origin,
    /// The provider's id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
}

/// The events of one answer. Dropping it cancels the call.
pub type ModelStream = Pin<Box<dyn Stream<Item = Result<ModelEvent, ModelError>> + Send + 'static>>;
