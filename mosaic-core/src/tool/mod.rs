//! Tools: what a model may call.
//!
//! ```text
//! ToolSpec (name, description, schema, effect, timeout, approval)   what the model and the machine know
//! Tool::call(&ToolContext, input) -> ToolOutput | ToolError         what is done
//! ```
//!
//! The `#[tool]` attribute makes a tool of a function: its doc comment becomes the description, its types the schema.

mod check;
mod context;
mod error;
#[doc(hidden)]
pub mod glue;
mod output;
mod run;
mod set;
mod spec;

pub use check::{Mismatch, SchemaCheck, SubsetCheck};
pub use context::{CancelToken, ProgressSink, ToolContext};
pub use error::{FatalToken, ToolError};
pub use output::{IntoToolOutput, ToolOutput};
pub use run::{CallEnd, CallLimits, run_call};
pub use set::{ToolSet, ToolSetError};
pub use spec::{Approval, Effect, ToolSpec, ToolSpecError, ToolSpecs};

use std::fmt::Debug;

use serde_json::Value;

/// Something that a model may call.
///
/// # Contract
/// * `input` has passed the schema of [`spec`](Tool::spec).
/// * [`spec`](Tool::spec) always gives the same.
/// * A tool is called at most once a call, unless its [`Effect`] allows more.
/// * When the run is cancelled or the timeout passes, the future is dropped: at once, or after a few seconds for a tool
///   that listens to [`ToolContext::cancelled`] because it must tidy up.
/// * A panic becomes a result that the model sees.
#[async_trait::async_trait]
pub trait Tool: Debug + Send + Sync {
    /// What the model and the machine know of it.
    fn spec(&self) -> &ToolSpec;

    /// Does it.
    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError>;
}
