//! What is asked of a model.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::message::Group;
use crate::router::RouteHints;
use crate::runtime::Timestamp;
use crate::tool::ToolSpecs;

/// What is asked of a model, in the words of no provider.
#[derive(Debug, Clone, Default)]
pub struct ModelRequest {
    /// The system prompt; empty for none.
    pub instructions: Arc<str>,
    /// The conversation. The list is shared with the session, which grows it in place while no request holds it.
    pub groups: Arc<Vec<Arc<Group>>>,
    /// The tools that may be called.
    pub tools: Arc<ToolSpecs>,
    /// Whether they must be.
    pub tool_choice: ToolChoice,
    /// The shape that the final answer must have.
    pub output: Option<Arc<OutputSpec>>,
    /// Settings.
    pub params: ModelParams,
}

/// Whether tools may or must be called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// No tool may be called.
    None,
    /// Some tool must be called.
    Required,
    /// This tool must be called.
    Tool {
        /// Its name.
        name: String,
    },
}

/// The shape that an answer must have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutputSpec {
    /// A name for it: letters, digits, `_` and `-`.
    pub name: String,
    /// Its JSON Schema.
    pub schema: Value,
}

/// How much a model should think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reasoning {
    /// Not at all, where it can be turned off.
    Off,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// A lot.
    High,
}

/// Settings of a model call. What is `None` is left to the provider.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ModelParams {
    /// At most so many tokens of answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// Randomness, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Stop at any of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// For providers that can repeat themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How much to think.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Reasoning>,
    /// Members added to the body as they are, for what only one provider knows. A member that the codec writes itself
    /// is overridden.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, Value>,
}

/// One call of a model. Cancelled by dropping the stream.
#[derive(Debug, Clone)]
pub struct ModelCall {
    /// What is asked.
    pub request: ModelRequest,
    /// The call must have ended by then.
    pub deadline: Option<Timestamp>,
    /// The longest silence between two pieces of the answer, the first one included. `None`: the model's default.
    pub stall: Option<Duration>,
    /// What it wishes of its route; for routers.
    pub route: RouteHints,
}

impl ModelCall {
    /// A call without deadlines of its own.
    #[must_use]
    pub fn new(request: ModelRequest) -> Self {
        Self { request, deadline: None, stall: None, route: RouteHints::default() }
    }
}
