//! The storage contract as checks: for everybody who writes a store.
//!
//! A store is good when [`check_all`] says so. Each rule is also a function of its own, and [`RULES`] lists them by name,
//! to make one test of each. The rules read no clock and never sleep; they run in a tokio runtime, best one with several
//! threads, because some of them let tasks race.
//!
//! | rules about | file |
//! | --- | --- |
//! | what comes back, in which order, from which number | `reading` |
//! | compare-and-append, numbering, reading one's writes | `appending` |
//! | one writer, fencing | `leasing` |
//! | copies, their independence | `forking` |
//! | lists, unusual names, tenants | `naming` |
//! | no trace left, names used again | `erasing` |
//! | many writers, dropped futures | `racing` |
//! | closing, opening again, two handles | `closing` |
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::store::{SessionStore, StoreError, conformance};
//!
//! # async fn open_my_store(_: &str) -> Result<Arc<dyn SessionStore>, StoreError> { unimplemented!() }
//! struct MyStores;
//!
//! #[async_trait::async_trait]
//! impl conformance::Factory for MyStores {
//!     async fn open(&self, place: &str) -> Result<Arc<dyn SessionStore>, StoreError> {
//!         open_my_store(&format!("/tmp/{place}.db")).await
//!     }
//! }
//!
//! // #[tokio::test(flavor = "multi_thread")]
//! async fn my_store_keeps_the_contract() {
//!     conformance::check_all(&MyStores).await.unwrap();
//! }
//! ```

pub mod appending;
pub mod closing;
pub mod erasing;
mod factory;
pub mod forking;
mod help;
pub mod leasing;
pub mod naming;
pub mod racing;
pub mod reading;
mod rules;

pub use crate::conformance::{Broken, Failures};
pub use factory::Factory;
pub use rules::{RULES, Rule, check_all};
