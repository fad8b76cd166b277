//! What the model and the machine know of a tool.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::Tool;
use crate::message::{Counts, Fragments};

/// What running a tool a second time would do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: it only reads. Run again after a crash.
    ReadOnly,
    /// The same as running it once, if the idempotency key is the same. Run again after a crash, with the same key.
    Idempotent,
    /// Something more. Never run again without an explicit decision.
    #[default]
    Once,
}

/// Whether a human is asked before a tool runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Approval {
    /// Not asked.
    #[default]
    Never,
    /// Asked for every call.
    Always,
}

/// What the model and the machine know of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolSpec {
    /// 1 to 64 letters, digits, `_` or `-`: what every provider takes.
    pub name: Arc<str>,
    /// What it does, for the model.
    pub description: Arc<str>,
    /// The JSON Schema of its input: an object.
    pub input_schema: Value,
    /// What running it twice would do.
    #[serde(default)]
    pub effect: Effect,
    /// How long it may take. `None`: the agent's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Whether a human is asked first.
    #[serde(default)]
    pub approval: Approval,
}

/// What is wrong with a tool's description.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ToolSpecError {
    /// The name is not one that every provider takes.
    #[error("`{name}` is no tool name: 1 to 64 letters, digits, `_` or `-`")]
    Name {
        /// The name.
        name: String,
    },
    /// The schema is not the schema of an object.
    #[error("the input schema of tool `{tool}` is no JSON Schema of an object: {reason} (at `{path}`)")]
    Schema {
        /// The tool.
        tool: String,
        /// Where in the schema, as a JSON pointer.
        path: String,
        /// What is wrong there.
        reason: String,
    },
}

impl ToolSpec {
    /// A tool that may be run once, without approval, within the agent's time limit.
    pub fn new(name: impl Into<Arc<str>>, description: impl Into<Arc<str>>, input_schema: Value) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            input_schema,
            effect: Effect::default(),
            timeout: None,
            approval: Approval::default(),
        }
    }

    /// With another effect.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// With a time limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// With another approval.
    #[must_use]
    pub fn approval(mut self, approval: Approval) -> Self {
        self.approval = approval;
        self
    }

    /// Checks name and schema.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), ToolSpecError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(fits) {
            return Err(ToolSpecError::Name { name: self.name.to_string() });
        }
        super::check::validate_object_schema(&self.input_schema)
            .map_err(|(path, reason)| ToolSpecError::Schema { tool: self.name.to_string(), path, reason })
    }
}

/// The tools of a request, in a stable order, with what they were encoded to.
#[derive(Debug, Default)]
pub struct ToolSpecs {
    specs: Vec<Described>,
    fragments: Fragments,
    counts: Counts,
}

/// A tool, or its description alone. A schema is a tree of some dozen blocks, so agents share it with their tools instead
/// of copying it.
#[derive(Debug)]
enum Described {
    Spec(Box<ToolSpec>),
    Tool(Arc<dyn Tool>),
}

impl ToolSpecs {
    /// Of a list, in its order.
    #[must_use]
    pub fn new(specs: Vec<ToolSpec>) -> Self {
        Self::of(specs.into_iter().map(|spec| Described::Spec(Box::new(spec))).collect())
    }

    /// Of tools, in their order.
    pub(super) fn of_tools(tools: Vec<Arc<dyn Tool>>) -> Self {
        Self::of(tools.into_iter().map(Described::Tool).collect())
    }

    fn of(specs: Vec<Described>) -> Self {
        Self { specs, fragments: Fragments::default(), counts: Counts::default() }
    }

    /// The tools.
    pub fn iter(&self) -> impl Iterator<Item = &ToolSpec> {
        self.specs.iter().map(|described| match described {
            Described::Spec(spec) => spec,
            Described::Tool(tool) => tool.spec(),
        })
    }

    /// The tool of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ToolSpec> {
        self.iter().find(|spec| &*spec.name == name)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// What they were encoded to.
    #[must_use]
    pub fn fragments(&self) -> &Fragments {
        &self.fragments
    }

    /// How many tokens they are.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}
