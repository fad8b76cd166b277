//! What Mosaic costs, beside a floor written by hand.
//!
//! ```text
//! cargo xtask bench ──> bench (the driver)
//!                         ├─ bench mock                    the model server, in a process of its own
//!                         ├─ bench run C floor  --url ...  tokio + reqwest, everything by hand
//!                         └─ bench run C mosaic --url ...  the same work through the library
//! ```
//!
//! Every measurement is a process of its own that prints one line of JSON: CPU time (user and system), allocations,
//! bytes allocated, peak memory, wall time. The driver takes the median of several runs and prints the ratio to the
//! floor beside the target. Wall time depends on what else the machine does; CPU time and allocations hardly do, so
//! targets are stated in those.
//!
//! A workload checks its own answer: a run that did not do the work is an error, not a fast run.
//!
//! This crate holds `unsafe` code, which the rest of the library forbids: a [`GlobalAlloc`](std::alloc::GlobalAlloc) that
//! counts ([`allocator`]) and one call of `getrusage` ([`measure`]). Nothing depends on this crate.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod allocator;
pub mod api;
mod disk;
pub mod driver;
pub mod floor;
pub mod library;
pub mod measure;
pub mod mock;
pub mod played;
mod python;
pub mod scenario;
mod table;
mod target;
pub mod workload;

/// What can go wrong in a measurement: anything; the process says it and ends.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of a step of a measurement.
pub type Result<T, E = Error> = std::result::Result<T, E>;
