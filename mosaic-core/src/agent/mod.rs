//! Agents: instructions, a model, tools and limits.
//!
//! ```
//! use mosaic_core::Agent;
//!
//! let agent = Agent::builder("assistant")
//!     .model("openai:gpt-4o-mini")
//!     .instructions("Be brief.")
//!     .build()?;
//! assert_eq!(agent.name(), "assistant");
//! assert!(Agent::builder("assistant").build().is_err(), "an agent needs a model");
//! # Ok::<(), mosaic_core::AgentError>(())
//! ```

mod backoff;
mod builder;
mod digest;
mod hook;
mod limits;

pub(crate) use backoff::backoff;
pub use builder::{Agent, AgentBuilder, AgentError, CompactionChoice, ModelChoice};
pub(crate) use digest::{Fnv, digest};
pub use hook::RunEndHook;
pub use limits::Limits;
