//! The contract of [`JobStore`](crate::queue::JobStore) as a suite of rules, for everybody who writes one.
//!
//! Each rule is a public function whose name says what must hold; [`RULES`] lists them and [`check_all`] checks them all. Rules use
//! only the trait, and say the time themselves. What a store does when an owner dies, only its own tests can show.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::queue::{JobStore, QueueError, RamQueue, conformance};
//!
//! #[derive(Default)]
//! struct Places(std::sync::Mutex<std::collections::HashMap<String, RamQueue>>);
//!
//! #[async_trait::async_trait]
//! impl conformance::Factory for Places {
//!     async fn open(&self, place: &str) -> Result<Arc<dyn JobStore>, QueueError> {
//!         Ok(Arc::new(self.0.lock().unwrap().entry(place.into()).or_default().sibling()))
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() {
//! conformance::check_all(&Places::default()).await.unwrap();
//! # }
//! ```

pub mod adding;
pub mod caring;
pub mod claiming;
pub mod ending;
mod help;
pub mod owning;
pub mod pausing;
mod rules;
pub mod scheduling;

pub use crate::conformance::{Broken, Failures};
pub use rules::{Factory, RULES, Rule, check_all};
