//! Storage for Mosaic: where sessions and memories are kept.
//!
//! | address | store | keeps |
//! | --- | --- | --- |
//! | `memory:` | [`RamStore`] | until the process ends |
//! | `sqlite://app.db` | `SqliteStore` (feature `sqlite`, on by default) | in a file; see the module `sqlite` |
//!
//! What routers know of their candidates is shared by processes through `SqliteHealthStore`, in the same file or another.
//!
//! All pass the suite of [`mosaic_core::store`]'s contract, `mosaic_core::store::conformance`.
#![deny(unsafe_code)] // but for `vectors::kernel`, which says why
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod memory;
mod open;
pub mod ram;
mod rules;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod vectors;

pub use open::open;
pub use ram::{RamMemories, RamStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteHealthStore, SqliteMemories, SqliteOptions, SqliteStore};
