//! `memory_forget`.

use std::sync::Arc;

use mosaic_core::memory::{MemoryError, MemoryId};
use mosaic_core::{Effect, ErrorKind, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shared::{Shared, failed, invalid, read, spec, stored};

#[derive(Debug)]
pub(super) struct Forget {
    shared: Arc<Shared>,
    spec: ToolSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    memory: String,
}

impl Forget {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let about = "Forgets a memory that is wrong, or that the user wants forgotten.";
        let input = json!({
            "memory": {"type": "string", "description": "The id of the memory, as memory_search shows it in brackets."},
        });
        Self { shared, spec: spec("memory_forget", about, input, &["memory"], Effect::Idempotent) }
    }
}

#[async_trait::async_trait]
impl Tool for Forget {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let Input { memory } = read(input)?;
        let name = memory.trim().trim_matches(['[', ']']);
        let id: MemoryId = serde_json::from_value(Value::String(name.to_owned()))
            .map_err(|_| invalid("`memory` is no id of a memory; memory_search shows them in brackets"))?;
        let Shared { writer, options, .. } = &*self.shared;
        match writer.forget(&self.shared.scope(ctx), id, options.forgetting).await {
            Ok(()) => Ok(ToolOutput::text("forgotten")),
            Err(MemoryError::NotFound { .. }) => {
                let message = format!("there is no memory {id}; look with memory_search");
                Err(failed(ErrorKind::NotFound, message))
            }
            Err(error) => Err(stored(error)),
        }
    }
}
