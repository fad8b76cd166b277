//! `memory_forget`.

use std::sync::Arc;

use mosaic_core::memory::{Change, MemoryError, MemoryId};
use mosaic_core::{Effect, ErrorKind, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shared::{Forgetting, Shared, failed, invalid, read, spec, stored};

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
        let Shared { store, options, runtime, .. } = &*self.shared;
        let scope = &self.shared.scope(ctx);
        let done = Ok(ToolOutput::text("forgotten"));
        let found = store.get(scope, &[id]).await.map_err(stored)?.into_iter().flatten().next();
        let Some(found) = found else {
            if options.forgetting == Forgetting::Remove {
                // It may be this very call that has removed it, before a crash.
                return done;
            }
            return Err(failed(
                ErrorKind::NotFound,
                format!("there is no memory {id}; look with memory_search"),
            ));
        };
        let change = match options.forgetting {
            Forgetting::Close if found.closed_at.is_some() => return done,
            Forgetting::Close => Change::Close { id, at: runtime.now(), kept: None },
            Forgetting::Remove => Change::Remove { id },
        };
        match store.apply(scope, vec![change]).await {
            // Somebody else was faster.
            Ok(()) | Err(MemoryError::Closed { .. }) => done,
            Err(error) => Err(stored(error)),
        }
    }
}
