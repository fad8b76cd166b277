//! Mosaic: agents for an application. Sessions that survive, tools, many model providers.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mosaic::Error> {
//! use mosaic::prelude::*;
//! use mosaic::testing::{Answer, ScriptedModel};
//!
//! // A model that follows a script, so that this runs offline. In its place: .model("openai:gpt-4o-mini")
//! let model = ScriptedModel::new([Answer::deltas(["No rain ", "in Oslo."])]);
//! let agent = Agent::builder("assistant").model(model).instructions("Be brief.").build()?;
//!
//! let mosaic = Mosaic::open("memory:").await?; // or sqlite://app.db
//! let session = mosaic.session("user-42", &agent).await?; // creates or opens; runs nothing
//! let mut run = session.send("Rain in Oslo?").await?; // durable when this returns
//! let mut said = String::new();
//! while let Some(event) = run.next().await {
//!     if let Event::Text { delta, .. } = event {
//!         said += &delta;
//!     }
//! }
//! let reply = run.finish().await?;
//! assert_eq!(reply.text, said);
//!
//! if let Some(run) = session.resume().await? {
//!     run.finish().await?; // what a crash or a restart interrupted
//! }
//! mosaic.close().await?; // returns when nothing runs
//! # Ok(())
//! # }
//! ```
//!
//! A *session* is an append-only log. A *run* is one turn of work, from an input to its end. What `send` has returned
//! for survives a crash, and a tool that had started is never run again behind your back: see
//! [`Effect`].
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod archives;
mod builder;
mod erase;
mod failure;
mod jobs;
mod logs;
mod models;
mod mosaic;
mod remember;
#[cfg(feature = "jsonschema")]
mod schema;

pub use archives::SessionArchiveSetup;
pub use builder::MosaicBuilder;
pub use erase::{SessionLogs, UserErased};
pub use failure::Error;
pub use jobs::Work;
pub use logs::AgentLogSetup;
pub use mosaic::Mosaic;
pub use mosaic_core::*;
pub use remember::{EmbedderChoice, MemorySetup};
// Written by name, this one goes before the core's own, which only finds the core.
#[cfg(feature = "macros")]
pub use mosaic_core::__private::facade_tool as tool;
pub use mosaic_providers as providers;
pub use mosaic_storage as storage;
#[cfg(feature = "jsonschema")]
pub use schema::FullCheck;

/// Memory: what it is and how it is kept, from the core; how it is embedded, recalled, written and given to agents.
pub mod memory {
    pub use mosaic_core::memory::*;
    pub use mosaic_memory::*;
}

/// What most files that use Mosaic need.
pub mod prelude {
    #[cfg(feature = "macros")]
    pub use mosaic_core::__private::facade_tool as tool;

    pub use crate::{
        Agent, Effect, Error, ErrorKind, Event, Limits, MemorySetup, Mosaic, Part, Reply, Run, RunEnd,
        Session, SessionKey, Tool, ToolContext, ToolError, ToolOutput,
    };
    pub use mosaic_memory::agent::MemoryAgentBuilder;
}

/// The examples of the README are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// And so is the page about models.
#[cfg(doctest)]
#[doc = include_str!("../docs/catalogue.md")]
struct CataloguePage;

/// And the one about recordings.
#[cfg(doctest)]
#[doc = include_str!("../docs/recordings.md")]
struct RecordingsPage;
