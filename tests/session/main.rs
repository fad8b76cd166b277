//! One session, from the host and back: what a run does, and what is left in the log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cancel;
mod compaction;
mod context;
mod crash;
mod events;
mod fallback;
mod recorded;
mod route;
mod store;
mod support;
mod tools;
mod turn;
