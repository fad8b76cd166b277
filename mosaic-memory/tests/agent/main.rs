//! An agent that remembers: what it is told before a run, what it learns after one, and what a kill in between does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod house;
#[cfg(unix)]
mod kill;
mod learning;
mod telling;
