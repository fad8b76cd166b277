//! From the log to what the model sees: an incremental fold.
//!
//! ```text
//! Input ───────────────> user group
//! Context ─────────────> before the input that began the run, in its group
//! Assistant ───────────> assistant group, open until each of its calls has a result
//! ToolEnd ─────────────> a result of the open group
//! Notice, steered input > user group, after the open one has closed
//! Compaction ──────────> a user group with the summary and the facts, in place of what it stands for
//! ```
//!
//! A rewind is not seen here: [`Log`](crate::session::Log) folds the path that it leaves.
//!
//! An old group is never built again, so a turn over a long history costs what is new in it.

mod cut;
mod fold;
mod provider;

pub(crate) use cut::Cut;
pub use fold::Context;
pub(crate) use fold::summary_group;
pub use provider::{ContextProvider, ContextRequest, Provided};
