//! What a tool is told about its call.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use crate::id::{CallId, RunId, SessionKey};

/// Says that something should stop. Cloned freely; cancelling is final.
#[derive(Debug, Clone)]
pub struct CancelToken(Arc<watch::Sender<bool>>);

impl Default for CancelToken {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl CancelToken {
    /// Says it.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was said.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is said.
    pub async fn cancelled(&self) {
        let mut told = self.0.subscribe();
        // Fails only when the sender is gone, and we hold it.
        let _ = told.wait_for(|cancelled| *cancelled).await;
    }
}

/// Takes the progress updates of one call.
pub trait ProgressSink: Send + Sync {
    /// Shows an update to whoever follows the run. Never blocks; an update that nobody reads in time may be replaced by
    /// the next one.
    fn progress(&self, update: Value);
}

/// What a tool is told about its call.
#[derive(Clone)]
pub struct ToolContext {
    /// The session.
    pub session: SessionKey,
    /// The run.
    pub run: RunId,
    /// The call.
    pub call: CallId,
    /// From 1; more only for tools that may run again.
    pub attempt: u32,
    /// The same for every attempt of this call, and for no other call.
    pub idempotency_key: Arc<str>,
    pub(crate) cancel: CancelToken,
    pub(crate) progress: Option<Arc<dyn ProgressSink>>,
}

impl ToolContext {
    /// A context for calling a tool by hand, in a test for instance.
    pub fn new(session: impl Into<SessionKey>, run: RunId, call: CallId) -> Self {
        Self {
            session: session.into(),
            run,
            attempt: 1,
            idempotency_key: format!("{run}:{call}").into(),
            call,
            cancel: CancelToken::default(),
            progress: None,
        }
    }

    /// Shows an update to whoever follows the run.
    pub fn progress(&self, update: impl Into<Value>) {
        if let Some(sink) = &self.progress {
            sink.progress(update.into());
        }
    }

    /// Waits until the call is cancelled.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Whether the call is cancelled: for tools that block their thread.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// The token behind [`cancelled`](Self::cancelled).
    #[must_use]
    pub fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }
}

impl fmt::Debug for ToolContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolContext")
            .field("session", &self.session)
            .field("run", &self.run)
            .field("call", &self.call)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
