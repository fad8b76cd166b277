//! The core of Mosaic: types, traits and pure logic. No network, no database.
//!
//! Four ideas carry everything. **The log is the truth**: a session is an append-only log, its state a fold over it.
//! **The core decides, the shell acts**: the run machine and the wire formats are pure. **One port to the host**: what only
//! the host can do crosses one narrow interface. **Storage is a trait with a contract, and the contract is a test
//! suite.**
//!
//! Applications use the facade crate `mosaic`; this one is for those who write a store, a provider or a binding.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod agent;
pub mod agent_log;
pub mod archive;
#[cfg(feature = "testing")]
mod conformance;
pub mod context;
pub mod engine;
pub mod error;
pub mod event;
pub mod id;
pub mod memory;
pub mod message;
pub mod model;
pub mod port;
pub mod queue;
pub mod recording;
pub mod router;
pub mod runtime;
pub mod session;
pub mod store;
pub mod summary;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tool;
pub mod transport;

pub use agent::{Agent, AgentBuilder, AgentError, Limits, ModelChoice, RunEndHook};
pub use agent_log::{AgentLogError, AgentLogStore, AgentLogStoreExt};
pub use archive::{Archive, ArchiveError};
pub use context::{ContextProvider, ContextRequest, Provided};
pub use engine::{CloseReport, Engine};
pub use error::{BoxError, ErrorKind, ErrorReport};
pub use event::{Cursor, Event};
pub use id::{CallId, RunId, Seq, SessionKey, StepId};
pub use memory::{
    EmbedCodec, EmbedError, EmbedRequest, Embedder, EmbedderExt, EmbedderInfo, EmbedderSource, Embeddings,
    HttpEmbedder, Memory, MemoryError, MemoryStore, MemoryStoreExt, Purpose, Scope,
};
pub use message::{
    Cost, Counts, Fragments, Group, GroupBody, GroupError, Measure, Media, MediaData, Origin, Part, ToolCall,
    ToolResult, ToolStatus, Usage,
};
pub use model::{
    Auth, Authenticator, Calibration, Capability, ChatModel, Codec, ContextLimits, Count, CountBasis,
    Decoder, Delivery, Encodable, EncodeError, Estimate, HttpModel, ModelCall, ModelEnd, ModelError,
    ModelEvent, ModelInfo, ModelParams, ModelRef, ModelRefError, ModelRequest, ModelSource, ModelStream,
    Observed, OutputMode, OutputSpec, PartKind, Price, Profile, Rates, Reasoning, RequestCounter, StopReason,
    TextTokens, Tier, Timeouts, TokenCounter, ToolChoice, ToolMode,
};
#[cfg(feature = "tokio-runtime")]
pub use runtime::TokioRuntime;
pub use runtime::{BoxFuture, Runtime, RuntimeExt, TaskHandle, Timestamp};
pub use session::{
    About, Body, CancelReason, Canceller, Decision, EndedRun, Entry, Input, InputDelivery, LimitKind,
    RecoveryPolicy, Reply, Run, RunEnd, RunEntries, Session, SessionError, SessionSpec,
};
pub use store::{Flush, Lease, ListOptions, Row, RowStream, SessionInfo, SessionStore, StoreError};
pub use summary::{
    Claim, Compaction, Facts, FnSummarizer, Passage, Summarizer, Summary, SummaryError, SummaryRequest,
    SummaryUse,
};
pub use tool::{
    Approval, CallEnd, CallLimits, CancelToken, Effect, FatalToken, IntoToolOutput, Mismatch, ProgressSink,
    SchemaCheck, SubsetCheck, Tool, ToolContext, ToolError, ToolOutput, ToolSet, ToolSetError, ToolSpec,
    ToolSpecError, ToolSpecs, run_call,
};
pub use transport::{
    BodyStream, Header, Headers, HttpRequest, HttpResponse, HttpTransport, Method, TransportError,
};

#[cfg(feature = "macros")]
pub use mosaic_macros::tool;

/// For the code that `#[tool]` writes.
#[doc(hidden)]
pub mod __private {
    pub use crate::tool::glue::*;
    /// The attribute for users of the facade, which re-exports it as `tool`.
    #[cfg(feature = "macros")]
    pub use mosaic_macros::facade_tool;
}
