//! What a tool returns.

use serde::Serialize;
use serde_json::Value;

use super::ToolError;
use crate::message::Part;

/// What a tool returns: text and media for the model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToolOutput {
    /// The parts, in order.
    pub content: Vec<Part>,
}

impl ToolOutput {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Part::text(text)] }
    }

    /// A value as JSON text; a string stays as it is.
    #[must_use]
    pub fn json(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::text(text.clone()),
            other => Self::text(other.to_string()),
        }
    }
}

/// Anything that a `#[tool]` function may return: what serialises, or a `Result` of it.
pub trait IntoToolOutput {
    /// The output.
    ///
    /// # Errors
    /// The function's own error, or that its value does not serialise.
    fn into_tool_output(self) -> Result<ToolOutput, ToolError>;
}

impl<T: Serialize> IntoToolOutput for T {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        serde_json::to_value(self)
            .map(|value| ToolOutput::json(&value))
            .map_err(|error| ToolError::new(format!("the tool's result cannot be written as JSON: {error}")))
    }
}
