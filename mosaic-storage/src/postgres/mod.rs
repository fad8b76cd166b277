//! Jobs, agent logs and [memories](memory) in Postgres, for many processes on many machines. (Sessions are to follow, in the same schema.)
//!
//! ```text
//! enqueue, settle, ... ──► pool ──► one statement, or one transaction, each
//! claim ─────────────────► pool ──► FOR UPDATE SKIP LOCKED: workers do not wait for each other
//! presence ──────────────► a connection of its own: holds the owner's lock, LISTENs, rings the bell
//! ```
//!
//! | promise | how |
//! | --- | --- |
//! | what was acknowledged survives | it is committed before the answer; what a commit survives is the server's setting (`synchronous_commit`) |
//! | an attempt has one worker | an owner holds an advisory lock in a session of its own. Its jobs are taken over only when **both** the lock is free **and** `visible_until` has passed: a late heartbeat alone frees nothing, nor does a connection that broke for a moment |
//! | a worker without a connection stops in time | it drops its handler when its jobs were not heard of until `visible_until` ([`JobStore::silence_frees`](mosaic_core::queue::JobStore::silence_frees)) |
//! | many processes may start at once | migrations run in one transaction, under an advisory lock |
//! | tables of others are not touched | all is in a schema of its own (`mosaic`) |
//!
//! The server finds out that a machine is gone by TCP keepalives (within half a minute); until then its jobs stay its own. Times
//! are those of the callers' clocks: machines whose clocks differ by more than the visibility timeout take over too early or too
//! late, but never from a session that lives.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mosaic_storage::postgres::{PostgresOptions, PostgresStore};
//!
//! let options = PostgresOptions::from_url("postgres://app@localhost/app")?.connections(16);
//! let store = PostgresStore::open(options).await?;
//! # Ok(())
//! # }
//! ```
//!
//! `SKIP LOCKED`: <https://www.postgresql.org/docs/current/sql-select.html>; advisory locks:
//! <https://www.postgresql.org/docs/current/explicit-locking.html>.

mod agent_log;
mod begin;
mod fault;
mod jobs;
pub mod memory;
mod options;
mod presence;
mod row_security;
mod schema;
mod scrub;
mod statistics;
mod store;

pub use agent_log::PostgresAgentLog;
pub use memory::PostgresMemories;
pub use options::PostgresOptions;
pub use store::PostgresStore;
