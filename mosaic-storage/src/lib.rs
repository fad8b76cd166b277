//! Storage for Mosaic: where sessions and memories are kept.
//!
//! | address | store | keeps |
//! | --- | --- | --- |
//! | `memory:` | [`RamStore`] | until the process ends |
//! | `sqlite://app.db` | `SqliteStore` (feature `sqlite`, on by default) | in a file; see the module `sqlite` |
//!
//! Sessions pass the suite of [`mosaic_core::store`]'s contract, `mosaic_core::store::conformance`; memories, which each of these stores has too
//! (`memories()`, or [`open_stores`]), that of [`mosaic_core::memory`], `mosaic_core::memory::conformance`.
#![deny(unsafe_code)] // but for `vectors::kernel`, which says why
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod memory;
mod open;
pub mod ram;
mod rules;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod vectors;

pub use open::{Stores, open, open_stores};
pub use ram::{RamMemories, RamStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteMemories, SqliteOptions, SqliteStore};
