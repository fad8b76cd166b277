//! Storage for Mosaic: where sessions and jobs are kept.
//!
//! | address | store | keeps |
//! | --- | --- | --- |
//! | `memory:` | [`RamStore`] | until the process ends |
//! | `sqlite://app.db` | `SqliteStore` (feature `sqlite`, on by default) | in a file; see the module `sqlite` |
//! | `postgres://app@db/app` | `PostgresStore` (feature `postgres`) | jobs only, so far; in a database of many processes |
//!
//! All pass the suite of [`mosaic_core::store`]'s contract, `mosaic_core::store::conformance`, and that of
//! [`mosaic_core::queue`]'s, `mosaic_core::queue::conformance`.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod jobs;
mod open;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod ram;
mod rules;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use open::{open, open_jobs};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
pub use ram::RamStore;
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteOptions, SqliteStore};
