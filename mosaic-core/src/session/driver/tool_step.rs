//! One tool call, from its start to its end.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::agent::Limits;
use crate::id::{CallId, RunId, Seq};
use crate::message::{Part, ToolCall, ToolStatus};
use crate::runtime::TaskHandle;
use crate::session::machine::Outcome;
use crate::session::shared::{Bound, Shared};
use crate::tool::{
    CallEnd, CallLimits, CancelToken, FatalToken, ProgressSink, ToolContext, ToolError, run_call,
};

/// A tool call that is running.
pub(super) struct Running {
    token: CancelToken,
    task: Box<dyn TaskHandle>,
}

impl Running {
    /// Asks it to stop. Its end is reported all the same.
    pub(super) fn cancel(&self) {
        self.token.cancel();
    }

    /// Lets go of it: nobody waits for its end.
    pub(super) fn abandon(self) {
        self.token.cancel();
        self.task.abort();
    }
}

/// A tool call that ended.
pub(super) struct ToolDone {
    pub(super) call: CallId,
    pub(super) attempt: u32,
    pub(super) fatal: Option<FatalToken>,
    status: ToolStatus,
    content: Vec<Part>,
    error: Option<crate::error::ErrorReport>,
}

impl ToolDone {
    pub(super) fn into_outcome(self) -> Outcome {
        let Self { call, attempt, status, content, error, .. } = self;
        Outcome::Tool { call, attempt, status, content, fatal: error }
    }
}

/// What is to be run.
pub(super) struct Start<'a> {
    pub(super) run: RunId,
    /// The input that began the run.
    pub(super) input: Seq,
    pub(super) call: &'a Arc<ToolCall>,
    pub(super) attempt: u32,
    pub(super) key: &'a Arc<str>,
    pub(super) limits: &'a Limits,
}

/// Starts a call in a task of its own.
pub(super) fn start(
    shared: &Arc<Shared>,
    bound: &Bound,
    start: Start<'_>,
    done: mpsc::UnboundedSender<ToolDone>,
) -> Running {
    let (call, attempt) = (start.call.id.clone(), start.attempt);
    let token = CancelToken::default();
    let mut ctx = ToolContext::new(shared.key.clone(), start.run, call.clone());
    ctx.attempt = attempt;
    ctx.agent = bound.agent.name().into();
    ctx.user = shared.user();
    ctx.input = start.input;
    ctx.idempotency_key = start.key.clone();
    ctx.cancel = token.clone();
    ctx.progress = Some(Arc::new(Progress { shared: shared.clone(), call: call.clone() }));
    let tool = bound.agent.tools().get(&start.call.name).cloned();
    // Validated before the call was started.
    let input = start.call.input().unwrap_or_default();
    let limits = CallLimits {
        timeout: start.limits.tool_timeout,
        text_bytes: usize::try_from(start.limits.max_result_bytes).unwrap_or(usize::MAX),
        ..CallLimits::default()
    };
    let (runtime, activity) = (shared.around.runtime.clone(), shared.around.activity.clone());
    let task = shared.around.runtime.spawn(Box::pin(async move {
        let end = match tool {
            Some(tool) => run_call(tool.as_ref(), ctx, input, &runtime, &limits).await,
            None => CallEnd {
                status: ToolStatus::NotRun,
                content: vec![Part::text("The tool is gone.")],
                fatal: None,
            },
        };
        if end.status == ToolStatus::Unknown {
            activity.abandoned(&call);
        }
        // The driver may be gone; the log then says that the call was started.
        let _ = done.send(ToolDone {
            call,
            attempt,
            status: end.status,
            content: end.content,
            error: end.fatal.as_ref().map(ToolError::report),
            fatal: end.fatal.and_then(|error| error.fatal),
        });
    }));
    Running { token, task }
}

struct Progress {
    shared: Arc<Shared>,
    call: CallId,
}

impl ProgressSink for Progress {
    fn progress(&self, update: Value) {
        self.shared.feed.progress(&self.call, update);
    }
}
