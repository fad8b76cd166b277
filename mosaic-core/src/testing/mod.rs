//! To test agents offline: a model and a transport that follow a script, and a clock that is turned by hand.
//!
//! ```
//! use mosaic_core::testing::{Answer, ScriptedModel};
//! use mosaic_core::{ChatModel, Group, ModelCall, ModelRequest, Part};
//! use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mosaic_core::ModelError> {
//! let model = ScriptedModel::new([
//!     Answer::call("weather", serde_json::json!({"city": "Oslo"})),
//!     Answer::text("No rain in Oslo."),
//! ]);
//! let groups = Arc::new(vec![Group::user(vec![Part::text("Rain in Oslo?")])]);
//! model.stream(ModelCall::new(ModelRequest { groups, ..ModelRequest::default() })).await?;
//! assert_eq!(model.requests().len(), 1);
//! # Ok(())
//! # }
//! ```

mod answer;
mod gate;
mod model;
mod runtime;
mod transport;

pub use answer::Answer;
pub use gate::Gate;
pub use model::ScriptedModel;
pub use runtime::TestRuntime;
pub use transport::{Reply, ScriptedTransport};
