//! What an agent can do with its memory itself.
//!
//! | tool | input | does | effect |
//! | --- | --- | --- | --- |
//! | `memory_search` | `query`, `limit`, `past` | finds memories, each with its id | read only |
//! | `memory_save` | `text`, `importance` | remembers a fact, compared with what is there | idempotent |
//! | `memory_forget` | `memory` | believes a memory no longer, or removes it, as the host wants it | idempotent |
//! | `preference_get` | `key` | the value of a preference, or all of them | read only |
//! | `preference_set` | `key`, `value` | sets one; the value before it is closed, not erased | idempotent |
//! | `block_edit` | `block`, `old`, `new` | changes a core block | once |
//!
//! Whose memory it is the host says when it makes the tools: a scope, or [whoever's session](Whose::Session) they are called in. No input names a scope, so no prompt can talk a model into
//! another user's memory. What is written goes the way of all writing: through the redactor and the reconciliation.
//!
//! Answers are small: lines of text or a small JSON object. What a model gets wrong is an error of kind `invalid_request`,
//! `not_found` or
//! `conflict` whose message says what to do.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::memory::Scope;
//! use mosaic_core::testing::TestRuntime;
//! use mosaic_core::{CallId, RunId, Tool, ToolContext};
//! use mosaic_memory::embed::HashingEmbedder;
//! use mosaic_memory::write::tools::{MemoryTools, MemoryToolsOptions};
//! use mosaic_storage::RamStore;
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mosaic_core::ToolError> {
//! let (store, embedder) = (Arc::new(RamStore::new().memories()), Arc::new(HashingEmbedder::new(256)));
//! let runtime = Arc::new(TestRuntime::new(1));
//! let scope = Scope::of("acme").user("ann");
//! let tools = MemoryTools::new(store, embedder, runtime, scope, MemoryToolsOptions::default());
//! let ctx = ToolContext::new("s1", RunId(Default::default()), CallId::derive(1, 0)); // a run makes it
//!
//! tools.save().call(&ctx, json!({"text": "Ann's boat is called Miso."})).await?;
//! let found = tools.search().call(&ctx, json!({"query": "What is the name of the boat?"})).await?;
//! assert!(found.content[0].as_text().is_some_and(|text| text.contains("Ann's boat is called Miso.")));
//! # Ok(())
//! # }
//! ```

mod block;
mod forget;
mod preference;
mod save;
mod search;
mod shared;
#[cfg(test)]
mod tests;

pub use shared::{Forgetting, MemoryTools, MemoryToolsOptions, Whose};
