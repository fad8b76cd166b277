//! Storage for Mosaic: where sessions are kept.
//!
//! | address | store | keeps |
//! | --- | --- | --- |
//! | `memory:` | [`RamStore`] | until the process ends |
//!
//! All pass the suite of [`mosaic_core::store`]'s contract, `mosaic_core::store::conformance`.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod ram;
mod rules;

pub use ram::RamStore;
