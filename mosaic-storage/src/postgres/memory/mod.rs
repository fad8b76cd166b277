//! Memories in Postgres, with pgvector, for many processes on many machines.
//!
//! ```text
//! apply, erase ──> locks (tenant shared, user alone) ─ look up ─ plan ─ few large statements ─ COMMIT
//! search ──> one snapshot ─┬─> postings of the asked stems ─> docs and their neighbours ─> BM25, the code that RAM and SQLite have
//!                          └─> vectors: all of the scope as halfvec, or HNSW where there are many ─> the best compared as f32
//! ```
//!
//! | table | holds |
//! | --- | --- |
//! | `memory_parts` | a tenant's user (or the tenant itself), how many memories and words are theirs |
//! | `memories` | the memories; what is filtered by and what changes in columns, all else as JSON |
//! | `memory_words` | which stem is in which memory, and how often |
//! | `memory_models`, `memory_vectors` | the vectors, as `halfvec` to search and as little-endian f32 to compare |
//! | `memory_blocks` | the core blocks |
//!
//! | promise | how |
//! | --- | --- |
//! | no tenant sees another's rows | each row names its tenant, each statement asks for it, and **row-level security**, forced upon the owner too, hides all others: a transaction says whose it is (`set_config('mosaic.tenant', ..., true)`), and one that does not sees nothing. Superusers are exempt, as always: let an application be none |
//! | scores tell nothing of others | words are counted by part; see `docs/decisions/0008-postgres-memories.md` for why not by `tsvector` |
//! | a filter loses no hits | small scopes are scanned; an index of neighbours (HNSW, of one model of one tenant) is read on until enough is found, and where it gives up the scope is scanned after all |
//! | any name | names are compared by digests, so their length and letters do not matter |
//! | all or nothing | a change is one transaction; who changes a user's memories holds that user's lock |
//!
//! The server needs the extension `vector`, 0.8 or newer; where the role may not install it, somebody who may does so once
//! (`CREATE EXTENSION vector`).

mod erase;
mod filter;
mod hnsw;
mod names;
mod neighbours;
mod open;
mod read;
mod rows;
mod schema;
mod scrub;
mod search;
mod store;
mod transaction;
mod vectors;
mod words;
mod write;

pub use store::PostgresMemories;
