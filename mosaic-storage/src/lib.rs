//! Storage for Mosaic: where sessions, memories and jobs are kept.
//!
//! | address | store | keeps |
//! | --- | --- | --- |
//! | `memory:` | [`RamStore`] | until the process ends |
//! | `sqlite://app.db` | `SqliteStore` (feature `sqlite`, on by default) | in a file; see the module `sqlite` |
//! | `postgres://app@db/app` | `PostgresStore` (feature `postgres`) | memories, jobs and agent logs, so far; in a database of many processes |
//!
//! What routers know of their candidates is shared by processes through `SqliteHealthStore`, and vectors of texts that were embedded
//! are kept by `SqliteVectorCache`, in the same file or another.
//!
//! Memories, jobs and agent logs are kept beside the sessions: [`open_stores`] gives all of it. Each kind passes the suite of its
//! contract: `conformance` in [`mosaic_core::store`], [`mosaic_core::memory`], [`mosaic_core::queue`] and [`mosaic_core::agent_log`].
//!
//! What is kept for long and read seldom goes into an archive: `FolderArchive` (feature `archive`, on by default) is one in a folder.
#![deny(unsafe_code)] // but for `vectors::kernel`, which says why
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod agent_log;
#[cfg(feature = "archive")]
pub mod archive;
mod best;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod jobs;
mod memory;
mod open;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod ram;
mod rules;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod vectors;

#[cfg(feature = "archive")]
pub use archive::FolderArchive;
pub use open::{Stores, open, open_jobs, open_memories, open_stores};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresAgentLog, PostgresMemories, PostgresOptions, PostgresStore};
pub use ram::{RamMemories, RamStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    Durability, SqliteAgentLog, SqliteHealthStore, SqliteMemories, SqliteOptions, SqliteStore,
    SqliteVectorCache,
};
