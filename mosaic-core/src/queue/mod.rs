//! Durable jobs: work that is done later, again when it fails, and once whatever happens in between.
//!
//! A job is a kind, a JSON payload and a time. It lives in a [`JobStore`] (RAM, SQLite, Postgres: one contract, one suite of
//! tests) until a [`Handler`] of its kind has done it. A host runs jobs in the background ([`Queue::start`]) or by hand
//! ([`Queue::run_due_jobs`]).
//!
//! ```text
//!  add, fire ──► Waiting ── claim, when due ──► Running ── done ──► gone
//!                  ▲  ▲                          │  │
//!                  │  └── retry, released, ◄─────┘  │ dead, or its last attempt failed
//!                  │      revoked, owner gone       ▼
//!                  └────────── retry_dead ──────── Dead (a dead letter) ── remove ──► gone
//! ```
//!
//! | promise | by what |
//! | --- | --- |
//! | what was added is done or is a dead letter | it is stored before `add` returns, and removed only with its end |
//! | nobody runs it while another does | a claim belongs to an *owner*, an open store of a living process. Time alone frees nothing: an owner that is slow keeps its jobs; one that is gone (its file lock, its database session) loses them |
//! | a worker that lost a job does no harm | its handler is dropped; while it is in doubt it stands still; [`JobContext::confirm`] asks before effects; `settle` with an old epoch is refused |
//! | a job that kills its process is not run for ever | the attempt of a dead owner counts |
//! | a schedule fires once a time, whoever looks | the store adds the job and moves the schedule on in one step |
//!
//! An attempt can be cut short between any two awaits (`kill -9`), and is made again: what a handler does must bear that, or be
//! one transaction at its end. A handler that hangs in a living process is ended by its timeout; one that blocks its thread
//! cannot be: [`JobStore::revoke`] takes its job away by hand.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::TokioRuntime;
//! use mosaic_core::queue::{Budget, Handler, JobContext, JobError, NewJob, Queue, RamQueue};
//!
//! struct Greet;
//!
//! #[async_trait::async_trait]
//! impl Handler for Greet {
//!     fn kind(&self) -> &str {
//!         "greet"
//!     }
//!
//!     async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
//!         let name: String = ctx.payload()?;
//!         println!("Hello, {name}!");
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In its place, for jobs that survive: a `SqliteStore` of `mosaic-storage`.
//! let queue = Queue::new(Arc::new(RamQueue::new()), Arc::new(TokioRuntime::current()?)).handler(Greet);
//! queue.add(NewJob::new("greet", "Oslo".into()).dedup("Oslo")).await?;
//! queue.add(NewJob::new("greet", "Oslo".into()).dedup("Oslo")).await?; // the same work: dropped
//!
//! let report = queue.run_due_jobs(Budget::jobs(10)).await?; // or: let worker = queue.start();
//! assert_eq!((report.done, report.next_due), (1, None));
//! # Ok(())
//! # }
//! ```
//!
//! The shape of the back-off with its half left to chance: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).

mod attempt;
mod bell;
#[cfg(feature = "testing")]
pub mod conformance;
mod error;
mod handler;
mod job;
#[allow(clippy::module_inception)] // what a host holds has the name of the folder
mod queue;
mod ram;
mod schedule;
mod store;
mod worker;

pub use bell::{Bell, Ear};
pub use error::QueueError;
pub use handler::{Again, Handler, JobContext, JobError};
pub use job::{
    Backoff, Dedup, DedupUntil, Due, Job, JobId, JobLease, JobState, MAX_NAME, MAX_PAYLOAD, MAX_TIME, NewJob,
    Rules,
};
pub use queue::{Budget, Queue, QueueOptions, RunReport};
pub use ram::RamQueue;
pub use schedule::{Firing, MAX_SCHEDULE_NAME, Missed, Schedule, Scheduled, When};
pub use store::{Claim, Counts, Enqueued, JobFilter, JobPage, JobStore, Outcome, Pause};
pub use worker::{DrainReport, Worker};
