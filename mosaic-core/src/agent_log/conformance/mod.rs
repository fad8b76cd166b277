//! The contract of [`AgentLogStore`](super::AgentLogStore) as a suite of rules, for everybody who writes one.
//!
//! Each rule is a public function whose name says what must hold; [`RULES`] lists them and [`check_all`] checks them all. Rules use
//! only the trait, and say the time themselves.
//!
//! | rules about | file |
//! | --- | --- |
//! | what comes back, once, all or nothing | `keeping` |
//! | filters, pages, totals, tenants | `asking` |
//! | the register of segments, moves, summaries | `moving` |
//! | erasing, export and import | `leaving` |
//! | two handles, many tasks, opening again | `sharing` |
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::agent_log::{AgentLogError, AgentLogStore, RamAgentLog, conformance};
//!
//! #[derive(Default)]
//! struct Places(std::sync::Mutex<std::collections::HashMap<String, RamAgentLog>>);
//!
//! #[async_trait::async_trait]
//! impl conformance::Factory for Places {
//!     async fn open(&self, place: &str) -> Result<Arc<dyn AgentLogStore>, AgentLogError> {
//!         Ok(Arc::new(self.0.lock().unwrap().entry(place.into()).or_default().sibling()))
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() {
//! conformance::check_all(&Places::default()).await.unwrap();
//! # }
//! ```

pub mod asking;
mod help;
pub mod keeping;
pub mod leaving;
pub mod moving;
mod rules;
pub mod sharing;

pub use crate::conformance::{Broken, Failures};
pub use help::row;
pub use rules::{Factory, RULES, Rule, check_all};
