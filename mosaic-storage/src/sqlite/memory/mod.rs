//! Memories in the SQLite file, beside the sessions.
//!
//! ```text
//! apply, erase ──> queue ──> the one writer: look up ─ plan ─ few large statements ─ COMMIT
//! search ──> heads of the parts (one small query) ──> index in RAM, brought up to date ──> rows of the candidates, kept at hand
//! ```
//!
//! | table | holds |
//! | --- | --- |
//! | `memory_parts` | a tenant's user (or the tenant itself), and how often what is theirs changed |
//! | `memories` | the memories; what changes of one (closing, uses) in columns, the rest as JSON |
//! | `memory_models`, `memory_vectors` | the vectors, as little-endian f32, and how long those of a model are |
//! | `memory_blocks` | the core blocks |
//!
//! The index of a part is loaded when it is first searched. Each row says at which change of its part it was changed, so what others
//! (or this process) wrote since is read and no more; where rows were removed, it is loaded anew. Parts that were not searched for
//! long are let go of when all together grow over a limit. From very many vectors on (`SqliteOptions::memory_graph_from`) a thread makes
//! a graph of them.

mod bring;
mod erase;
mod grow;
mod index;
mod read;
mod rows;
mod schema;
mod store;
mod write;

pub(super) use index::Index;
pub(super) use schema::{MIGRATION, TABLES, bytes, user_key, values};
pub use store::SqliteMemories;
pub(super) use write::{Request, Task, carry_out};
