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

/// What a `#[tool]` function may return, alone or in a `Result`: anything that is [`Serialize`], or a [`ToolOutput`].
///
/// `Via` keeps the two apart; nobody names it.
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    note = "a tool returns something that is `Serialize`, a `ToolOutput`, or a `Result` of one of these"
)]
pub trait IntoToolOutput<Via = ViaSerialize> {
    /// The output.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    fn into_tool_output(self) -> Result<ToolOutput, ToolError>;
}

/// Written as JSON.
#[derive(Debug)]
pub struct ViaSerialize;

/// As it is.
#[derive(Debug)]
pub struct ViaOutput;

impl<T: Serialize> IntoToolOutput<ViaSerialize> for T {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        serde_json::to_value(self)
            .map(|value| match value {
                Value::String(text) => ToolOutput::text(text),
                other => ToolOutput::json(&other),
            })
            .map_err(|error| ToolError::new(format!("the tool's result cannot be written as JSON: {error}")))
    }
}

impl IntoToolOutput<ViaOutput> for ToolOutput {
    fn into_tool_output(self) -> Result<ToolOutput, ToolError> {
        Ok(self)
    }
}
