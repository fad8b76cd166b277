//! What a tool is told about its call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tokio::sync::watch;

use super::ToolError;
use crate::id::{CallId, RunId, Seq, SessionKey};
use crate::runtime::Runtime;

/// Says that something should stop. Cloned freely; cancelling is final.
#[derive(Debug, Clone)]
pub struct CancelToken(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cancelled: watch::Sender<bool>,
    asked: AtomicBool,
}

impl Default for CancelToken {
    fn default() -> Self {
        Self(Arc::new(Inner { cancelled: watch::Sender::new(false), asked: AtomicBool::new(false) }))
    }
}

impl CancelToken {
    /// Says it.
    pub fn cancel(&self) {
        self.0.cancelled.send_replace(true);
    }

    /// Whether it was said.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.ask();
        *self.0.cancelled.borrow()
    }

    /// Waits until it is said.
    pub async fn cancelled(&self) {
        self.ask();
        let mut told = self.0.cancelled.subscribe();
        // Fails only when the sender is gone, and we hold it.
        let _ = told.wait_for(|cancelled| *cancelled).await;
    }

    /// Whether somebody wants to know of the cancelling, to tidy up. Who never asked is dropped at once.
    pub(crate) fn was_asked(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed)
    }

    fn ask(&self) {
        self.0.asked.store(true, Ordering::Relaxed);
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
    /// The agent; empty where the context was made by hand.
    pub agent: Arc<str>,
    /// Whose session it is, where the host said so.
    pub user: Option<Arc<str>>,
    /// The entry that began the run; [`Seq::ZERO`] where the context was made by hand.
    pub input: Seq,
    pub(crate) cancel: CancelToken,
    pub(crate) progress: Option<Arc<dyn ProgressSink>>,
    /// [`run_call`](super::run_call) puts it in.
    pub(super) runtime: Option<Arc<dyn Runtime>>,
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
            agent: "".into(),
            user: None,
            input: Seq::ZERO,
            cancel: CancelToken::default(),
            progress: None,
            runtime: None,
        }
    }

    /// Shows an update to whoever follows the run.
    pub fn progress(&self, update: impl Into<Value>) {
        if let Some(sink) = &self.progress {
            sink.progress(update.into());
        }
    }

    /// Runs work that blocks its thread, on a thread where that does no harm; at once and here when the context was
    /// made by hand. The work goes on when the call is cancelled or takes too long: long work looks at
    /// [`is_cancelled`](Self::is_cancelled) now and then.
    ///
    /// # Errors
    /// When the work panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ToolError> {
        let Some(runtime) = &self.runtime else {
            return Ok(work());
        };
        let (send, done) = tokio::sync::oneshot::channel();
        runtime.spawn_blocking(Box::new(move || {
            // The panic goes to whoever waits, not to the pool's thread.
            let _ = send.send(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)));
        }));
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => Err(ToolError::panic(panic.as_ref())),
            Err(_) => Err(ToolError::new("the process is shutting down")),
        }
    }

    /// Waits until the call is cancelled, or has taken too long. A tool that asks has a few seconds to tidy up then; one
    /// that never asked is dropped at once.
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
        self.cancel.ask();
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
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
