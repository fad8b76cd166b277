//! `memory_search`.

use std::fmt::Write;
use std::sync::Arc;

use mosaic_core::memory::{Memory, MemoryKind, date};
use mosaic_core::{Effect, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shared::{Shared, invalid, read, reported, spec};
use crate::recall::RecallRequest;

/// Hits, if the model wants no other number.
const FEW: usize = 5;
/// More would fill a prompt.
const MOST: usize = 20;
/// Characters of a question; what is longer is no question.
const MAX_QUERY: usize = 2_000;
/// Characters of a hit; an episode may be long.
const MAX_SHOWN: usize = 600;

#[derive(Debug)]
pub(super) struct Search {
    shared: Arc<Shared>,
    spec: ToolSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    query: String,
    limit: Option<usize>,
    #[serde(default)]
    past: bool,
}

impl Search {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let about = "Searches long-term memory for what was said or learned in earlier conversations. Answers with one memory a \
                     line, the best first, each with its id.";
        let input = json!({
            "query": {"type": "string", "description": "A question or some words, with the names and things it is about.",
                "minLength": 1, "maxLength": MAX_QUERY},
            "limit": {"type": "integer", "description": "How many at most; 5 if left out.", "minimum": 1, "maximum": MOST},
            "past": {"type": "boolean", "description": "Whether to find also what is no longer so; no if left out."},
        });
        Self { shared, spec: spec("memory_search", about, input, &["query"], Effect::ReadOnly) }
    }
}

#[async_trait::async_trait]
impl Tool for Search {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let Input { query, limit, past } = read(input)?;
        if query.trim().is_empty() || query.chars().count() > MAX_QUERY {
            return Err(invalid(format!("the query must have 1 to {MAX_QUERY} characters")));
        }
        let limit = limit.unwrap_or(FEW);
        if !(1..=MOST).contains(&limit) {
            return Err(invalid(format!("the limit must be from 1 to {MOST}")));
        }
        let (scope, reach) = self.shared.sight(ctx);
        let mut request =
            RecallRequest::new(scope, query).limit(limit).budget(self.shared.options.budget).reach(reach);
        if !past {
            request = request.now(self.shared.runtime.now());
        }
        let found = self.shared.recall.recall(&request).await.map_err(|error| reported(error.report()))?;
        if found.hits.is_empty() {
            return Ok(ToolOutput::text("nothing found"));
        }
        if let Err(error) = self.shared.recall.touch(&found, self.shared.runtime.now()).await {
            tracing::warn!(%error, "that memories were used could not be counted");
        }
        Ok(ToolOutput::text(found.hits.iter().map(|hit| line(&hit.memory)).collect::<String>()))
    }
}

fn line(memory: &Memory) -> String {
    let mut line = format!("[{}] ", memory.id);
    let document = memory.document().replace('\n', " ");
    line.extend(document.chars().take(MAX_SHOWN));
    if document.chars().count() > MAX_SHOWN {
        line.push_str(" ...");
    }
    // An episode's date is in its text.
    if memory.body.kind() != MemoryKind::Episode {
        let _ = write!(line, " (since {}", date(memory.valid_from));
        if let Some(to) = memory.valid_to {
            let _ = write!(line, ", until {}", date(to));
        }
        line.push(')');
    }
    line.push('\n');
    line
}
