//! Sessions, memories, jobs and agent logs in a SQLite file.
//!
//! One writer per store takes all changes and commits them in groups: whatever waits while one commit is under way goes
//! into the next. Readers have connections of their own and are never in its way.
//!
//! ```text
//! append, lease, fork ... ──► queue ──► writer: BEGIN IMMEDIATE ─ check in memory ─ few large statements ─ COMMIT ──► answers
//! read, find, list ────────────────────► readers (a small pool): pages of some hundred rows
//! ```
//!
//! | promise | how |
//! | --- | --- |
//! | what was acknowledged survives `kill -9` | it is committed to the WAL before the answer |
//! | ... and a power cut ([`Durability::Full`]) | a commit that holds a durable change is synced; one of ordered rows and leases only is not: the next sync covers it |
//! | two processes on one file | every transaction takes the write lock first; what is known from before is believed only if nobody else wrote since |
//! | a dead writer is replaced at once | an owner holds a lock on a file in `<database>.owners/`; the system lets go of it when the process dies, however it dies |
//! | a full disk loses nothing | a transaction that does not fit is rolled back whole; the store goes on when there is room |
//! | erased is gone | what is deleted is overwritten (`secure_delete`), the tables concerned are written anew (`anew`), and the WAL is emptied before the answer; where somebody still reads an old state, as soon as nobody does |
//!
//! The file must lie on a local disk: locks and the WAL do not work over a network. A process that forks must not use the
//! store of its parent: open one after the fork.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("app.db");
//! use mosaic_core::{SessionKey, SessionStore};
//! use mosaic_storage::sqlite::{Durability, SqliteOptions, SqliteStore};
//!
//! let store = SqliteStore::open(SqliteOptions::new(&path).durability(Durability::Process)).await?;
//! assert!(store.find(&SessionKey::new("user-42")).await?.is_none());
//! store.close().await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

mod agent_log;
mod anew;
mod fault;
mod health;
mod jobs;
mod memory;
mod options;
mod owner;
mod plan;
mod queue;
mod reader;
mod schema;
mod statements;
mod store;
mod vectors;
mod work;
mod writer;

pub use agent_log::SqliteAgentLog;
pub use health::SqliteHealthStore;
pub use memory::SqliteMemories;
pub use options::{Durability, SqliteOptions};
pub use store::SqliteStore;
pub use vectors::SqliteVectorCache;
