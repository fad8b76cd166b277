//! An agent that remembers: recall before a run, tools within it, and learning after it.
//!
//! A store, an embedder, a recall and a writer do nothing by themselves. This puts them around an agent's runs:
//!
//! ```text
//! input ──> AgentMemory as context provider ──> preferences, what bears on the input, core blocks ──> before the input
//!   run ──> the model, with memory_search, memory_save, preference_set ...
//!   end ──> AfterRun as hook ──> a durable job `memory.remember` ──> Remember: the turns as episodes, and what was extracted
//! ```
//!
//! Whose memory it is follows from the session: that of the [user](mosaic_core::SessionKey::user) whose session it is, or of the
//! session alone where nobody said whose it is. So one agent serves all users, and none sees what another said.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::queue::{Budget, Queue};
//! use mosaic_core::testing::{Answer, ScriptedModel, TestRuntime};
//! use mosaic_core::{Agent, Engine, SessionKey};
//! use mosaic_memory::agent::{AgentMemory, AgentMemoryOptions, MemoryAgentBuilder, Places};
//! use mosaic_memory::embed::HashingEmbedder;
//! use mosaic_memory::write::RulesExtractor;
//! use mosaic_storage::RamStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, runtime) = (Arc::new(RamStore::new()), Arc::new(TestRuntime::new(1)));
//! let places = Places { sessions: store.clone(), memories: Arc::new(store.memories()), jobs: store.clone() };
//! let embedder = Arc::new(HashingEmbedder::new(256));
//! let memory =
//!     AgentMemory::new(places, embedder, Arc::new(RulesExtractor), runtime.clone(), AgentMemoryOptions::default());
//!
//! let model = ScriptedModel::new([Answer::text("Noted."), Answer::text("A pot of green tea?")]);
//! let agent = Agent::builder("butler").model(model.clone()).memory(&memory).build()?;
//! let engine = Engine::new(store.clone(), runtime.clone(), None);
//!
//! let monday = engine.session(SessionKey::new("monday").user("ann"), &agent).await?;
//! monday.send("I prefer green tea for breakfast.").await?.finish().await?;
//!
//! // A worker would do this in the background.
//! runtime.advance(std::time::Duration::from_secs(1)).await;
//! let jobs = Queue::new(store, runtime).handler(memory.handler());
//! assert_eq!(jobs.run_due_jobs(Budget::jobs(10)).await?.done, 1);
//!
//! let tuesday = engine.session(SessionKey::new("tuesday").user("ann"), &agent).await?;
//! tuesday.send("What shall there be for breakfast?").await?.finish().await?;
//! let seen = format!("{:?}", model.requests()[1].groups);
//! assert!(seen.contains("breakfast: green tea"), "{seen}");
//! # Ok(())
//! # }
//! ```

mod after;
mod builder;
mod context;
mod memory;
mod options;
mod remember;

pub use after::AfterRun;
pub use builder::MemoryAgentBuilder;
pub use context::MemoryContext;
pub use memory::{AgentMemory, Places};
pub use options::{AgentMemoryOptions, BlockTemplate};
pub use remember::{REMEMBER, Remember};
