//! Models: what is asked of them, what they answer, and how a model behind HTTP is put together.
//!
//! ```text
//! ModelRequest ──> ChatModel::stream ──> ModelEvent, ModelEvent, ... ModelEvent::Done
//!                     │
//!                     └─ HttpModel = Codec (pure) + endpoint + auth + HttpTransport + Profile (tool mode, facts)
//! ```
//!
//! Nothing in this crate knows a provider. A name such as `"anthropic:some-model"` is a [`ModelRef`]; a
//! [`ModelSource`] turns it into a [`ChatModel`] when a session opens.

mod codec;
mod error;
mod event;
pub(crate) mod http;
mod info;
pub mod output_mode;
mod price;
mod reference;
mod request;
mod tokens;
pub mod tool_mode;

pub use codec::{Codec, Decoder, Delivery, Encodable, EncodeError, Profile};
pub use error::{ContextLimits, ModelError};
pub use event::{ModelEnd, ModelEvent, ModelStream, PartKind, StopReason};
pub use http::{Auth, Authenticator, HttpModel, Timeouts};
pub use info::{Capability, ModelInfo, ToolMode};
pub use output_mode::OutputMode;
pub use price::{Price, Rates, Tier};
pub use reference::{ModelRef, ModelRefError, ModelSource};
pub use request::{ModelCall, ModelParams, ModelRequest, OutputSpec, Reasoning, ToolChoice};
pub(crate) use tokens::estimated_tokens;
pub use tokens::{
    Calibration, Count, CountBasis, Estimate, Observed, RequestCounter, TextTokens, TokenCounter,
};

use std::fmt::Debug;

/// A model that can be talked to.
///
/// # Contract
/// * The stream yields events until it yields either [`ModelEvent::Done`], once and last, or an error, once and last.
/// * A stream that ends without either is a defect; the driver reports it as `incomplete`.
/// * Dropping the stream, or the future that makes it, cancels the call.
/// * A call to a tool has an unassigned [`CallId`](crate::CallId).
#[async_trait::async_trait]
pub trait ChatModel: Debug + Send + Sync {
    /// Facts about the model.
    fn info(&self) -> &ModelInfo;

    /// Asks the model.
    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError>;
}
