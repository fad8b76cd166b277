//! Agent logs that shrink: rows that grow old leave the database, and can still be asked.
//!
//! ```text
//! run ends ── job log.record ──> hot: rows in the store
//!                                  │  job log.tier, when a day is old or there is too much
//!                                  │   1. announce a name     2. write the file, sync     3. read it back
//!                                  │   4. in one transaction: the file counts, its rows are out, their summary is in
//!                                  ├──> warm: a summary a day, user, agent, model or tool, and end
//!                                  └──> cold: gzip of JSON lines, a frame a user, by an index in the store
//! ```
//!
//! Rows are always in exactly one place, hot or cold, and the summaries are those of what is cold, whatever dies when: step 4 is one
//! transaction of the store, all before it only makes a file that nobody reads yet, and all after it only removes files that nobody reads any
//! more. [`AgentLog`] asks all tiers at once, and erases in all of them.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::agent_log::{LogFilter, LogKey, LogQuery, RamAgentLog};
//! use mosaic_core::archive::RamArchive;
//! use mosaic_core::queue::{Budget, Queue, RamQueue};
//! use mosaic_core::{Scope, TokioRuntime};
//! use mosaic_memory::agent_log::{AgentLog, TierHandler, tier_job};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Arc::new(TokioRuntime::current()?);
//! // In their places, for logs that survive: `SqliteStore::agent_log` and `FolderArchive` of `mosaic-storage`.
//! let log = Arc::new(AgentLog::new(Arc::new(RamAgentLog::new()), Arc::new(RamArchive::new()), runtime.clone()));
//! let queue = Queue::new(Arc::new(RamQueue::new()), runtime).handler(TierHandler::new(log.clone()));
//! queue.add(tier_job()).await?; // or each night: queue.schedule(tier_schedule("17 3 * * *"))
//! queue.run_due_jobs(Budget::jobs(1)).await?;
//!
//! let ann = LogFilter::of(Scope::of("acme").user("ann"));
//! let failed = log.rows(&LogQuery::new(ann.clone().failed())).await?; // of last week or of last year
//! let by_model = log.totals(&ann, &[LogKey::Name]).await?;
//! assert!(failed.is_empty() && by_model.0.is_empty());
//! log.erase(&ann.scope).await?;
//! # Ok(())
//! # }
//! ```

mod erase;
mod jobs;
mod log;
mod pack;
mod pass;
mod policy;
mod read;
#[cfg(test)]
mod tests;

pub use erase::LogErased;
pub use jobs::{RECORD, RecordHandler, TIER, TierHandler, record_job, tier_job, tier_job_of, tier_schedule};
pub use log::AgentLog;
pub use pass::TierReport;
pub use policy::TierPolicy;
