//! Agent logs: what agents did, as rows that can be asked.
//!
//! A session's log says everything of one session. Which model failed most this week, what a user's agents cost, which tool is slow,
//! are questions over many sessions: for them each run, model call and tool call is also a row of figures and names. Rows hold nothing
//! that was said (no messages, no arguments, no results) and are derived from the log, so they can be made again at any time.
//!
//! ```text
//! a run's entries ── rows(), pure ──> LogRow ... ──> AgentLogStore::put ──> rows, totals
//!                                                        │
//!                            hot: rows in the store ─────┤ when they grow old, in one step
//!                            warm: a summary a day ◄─────┼──► cold: compressed segments in an Archive, read by their index
//! ```
//!
//! | word | meaning |
//! | --- | --- |
//! | [`LogRow`] | a run, a model call, an attempt of a router, a tool attempt, a question, a compaction |
//! | [`LogTable`] | rows added up: by day, user, agent, session, model or tool, end |
//! | *hot* | rows that are in the store, whole |
//! | *warm* | what rows that have left came to: totals by [`SUMMARY`] |
//! | *cold* | rows that have left, in [`Segment`]s of an [`Archive`](crate::archive::Archive) |
//!
//! This module has the rows, the contract of their store, and a store in RAM. What moves rows through the tiers and reads across them
//! is `mosaic_memory::agent_log`.
//!
//! ```
//! use mosaic_core::agent_log::*;
//! use mosaic_core::memory::Scope;
//! use mosaic_core::{EndedRun, RunEntries, SessionStore};
//!
//! async fn record(run: &EndedRun, sessions: &dyn SessionStore, log: &dyn AgentLogStore) -> Result<(), Box<dyn std::error::Error>> {
//!     if let RunEntries::Ended(entries) = run.read(sessions).await? {
//!         log.put(rows(run, &entries)).await?; // again: nothing happens
//!     }
//!     // What her agents' model calls cost, a line a day and model.
//!     let ann = LogFilter::of(Scope::of("acme").user("ann")).kind(LogKind::Model);
//!     for (group, totals) in log.totals(&ann, &[LogKey::Day, LogKey::Name]).await?.0 {
//!         println!("{:?} {:?}: {} calls, {} failed, {}", group.day, group.name, totals.rows, totals.errors, totals.cost);
//!     }
//!     // Her last failures.
//!     for row in log.rows(&LogQuery::new(ann.failed()).limit(10)).await? {
//!         println!("{} {:?}", row.at, row.error);
//!     }
//!     Ok(())
//! }
//! ```

pub mod check;
#[cfg(feature = "testing")]
pub mod conformance;
mod error;
mod fold;
mod lines;
mod query;
mod ram;
mod row;
mod store;
mod text;
mod tier;
mod totals;

pub use error::AgentLogError;
pub use fold::rows;
pub use lines::{AgentLogStoreExt, from_lines, to_lines};
pub use query::{LogFilter, LogKey, LogOrder, LogQuery};
pub use ram::RamAgentLog;
pub use row::{Day, LogError, LogKind, LogRow, LogRowId, LogStatus, MAX_ERROR};
pub use store::AgentLogStore;
pub use tier::{Frame, HotDay, Registered, SUMMARY, Segment, TierChange};
pub use totals::{LogGroup, LogTable, LogTotals};
