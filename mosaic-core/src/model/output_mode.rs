//! How a model is brought to answer in a shape that it cannot be held to through its provider's interface.
//!
//! | mode | the request | the answer |
//! | --- | --- | --- |
//! | `native` | the shape goes to the provider | as it is |
//! | `tool` | one tool more, whose input is the shape; some tool must be called | the input of that tool, as text, live |
//! | `prompt` | the shape in the instructions | the JSON in the text, without fences and words around it |
//!
//! All of this is pure and knows no wire format. It comes before the [tool modes](super::tool_mode), which see the final
//! answer as one tool among others; the host sees neither.
//!
//! ```text
//! ModelRequest ─ shape ─ ModelRequest without an output ─ tool_mode::prepare ─ Codec
//! host <─ AnswerFilter <─ tool_mode::Filter <─ Decoder
//! ```
//!
//! Real tools stay what they are: they are called, and run, and the model answers later. With a [`ToolMode`] of its own a
//! model is not asked in two ways at once:
//!
//! | | `tool` | `prompt` |
//! | --- | --- | --- |
//! | [`ToolMode::Native`] | `tool` | `prompt` |
//! | [`ToolMode::JsonSchema`] with tools | the forced schema holds the answer's | the same |
//! | [`ToolMode::JsonSchema`] without, [`ToolMode::Text`] | `prompt` | `prompt` |

mod extract;
mod filter;
mod live;
mod shape;
#[cfg(test)]
mod tests;
mod unwrap;

pub use filter::AnswerFilter;
pub use shape::{Reading, Shaped, shape};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ModelRequest, ToolMode};

/// How a model is brought to answer in a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutputMode {
    /// Through the provider's own interface.
    #[default]
    Native,
    /// Through a tool that takes the final answer. Hidden from the host. A model that must not be forced to call a tool (one
    /// that is thinking, at some providers) wants [`Prompt`](Self::Prompt).
    Tool,
    /// The shape is described in the instructions, and the answer read out of the text.
    Prompt,
}

impl OutputMode {
    /// What is really done, beside a tool mode.
    fn beside(self, tools: ToolMode, request: &ModelRequest) -> Self {
        match (self, tools) {
            (Self::Native, _) => Self::Native,
            (mode, ToolMode::Native) => mode,
            (_, ToolMode::JsonSchema) if !request.tools.is_empty() => Self::Native,
            _ => Self::Prompt,
        }
    }
}
