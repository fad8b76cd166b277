//! `memory_save`.

use std::sync::Arc;

use mosaic_core::{Effect, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shared::{Shared, invalid, read, spec};
use crate::write::Draft;

/// What is longer is no fact.
const MAX_TEXT: usize = 2_000;

#[derive(Debug)]
pub(super) struct Save {
    shared: Arc<Shared>,
    spec: ToolSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    text: String,
    importance: Option<f32>,
}

impl Save {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let about = "Remembers a fact for later conversations. What is known already is not saved twice. For what the user likes or \
                     wants, use preference_set.";
        let input = json!({
            "text": {"type": "string", "description": "One sentence that can be understood without this conversation.",
                "minLength": 1, "maxLength": MAX_TEXT},
            "importance": {"type": "number", "description": "From 0 to 1; 0.5 if left out.", "minimum": 0, "maximum": 1},
        });
        // Saying it again finds it there.
        Self { shared, spec: spec("memory_save", about, input, &["text"], Effect::Idempotent) }
    }
}

#[async_trait::async_trait]
impl Tool for Save {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let Input { text, importance } = read(input)?;
        if text.chars().count() > MAX_TEXT {
            return Err(invalid(format!(
                "the text has more than {MAX_TEXT} characters; save the facts in it one by one"
            )));
        }
        self.shared.write(ctx, Draft::insight(text).importance(importance.unwrap_or(0.5))).await
    }
}
