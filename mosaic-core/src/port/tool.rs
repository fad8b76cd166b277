//! Tools that the host runs.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use serde_json::Value;
use tokio::sync::oneshot;

use super::host::Port;
use super::message::{RequestId, RequestKind};
use super::pending::Pending;
use super::table::{KeepWaiter, ToolEnd, Waiter};
use crate::error::ErrorKind;
use crate::tool::{FatalToken, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};

/// What the [`FatalToken`] of a host's failure holds when the host did not hand its exception over: the host finds the
/// exception by the id of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostFailure {
    /// The request that failed.
    pub id: RequestId,
}

/// A tool that the host runs. Made by [`Port::tool`]; when the last clone of its `Arc` is dropped, the host is told.
pub struct PortTool {
    port: Port,
    spec: ToolSpec,
    handle: u64,
}

impl PortTool {
    pub(super) fn new(port: Port, spec: ToolSpec, handle: u64) -> Self {
        Self { port, spec, handle }
    }
}

impl fmt::Debug for PortTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortTool").field("name", &self.spec.name).finish_non_exhaustive()
    }
}

impl Drop for PortTool {
    fn drop(&mut self) {
        self.port.tell(RequestId(self.handle), RequestKind::ToolRelease {});
    }
}

#[async_trait]
impl Tool for PortTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        let kind = RequestKind::ToolCall {
            handle: self.handle,
            tool: self.spec.name.to_string(),
            session: ctx.session.clone(),
            user: ctx.user.as_ref().map(ToString::to_string),
            run: ctx.run,
            call: ctx.call.clone(),
            attempt: ctx.attempt,
            idempotency_key: ctx.idempotency_key.to_string(),
            input,
        };
        let (end, mut answer) = oneshot::channel();
        let waiter = Waiter::Tool { end, ctx: Box::new(ctx.clone()) };
        let what = format!("tool `{}`", self.spec.name);
        let Some(id) = self.port.table().open(what, kind, Vec::new(), waiter) else {
            return Err(closed(&self.spec.name));
        };
        let mut pending = Pending { port: self.port.clone(), id, ended: false };
        self.port.asked();

        let end = match select(&mut answer, pin!(ctx.cancelled())).await {
            Either::Left((end, _)) => end,
            Either::Right(((), _)) => {
                // The host may have been faster; else it gets its grace, and a timer ends the wait.
                self.port.cancel(id, KeepWaiter::Yes);
                answer.await
            }
        };
        pending.ended = true;
        end.unwrap_or_else(|_| -> ToolEnd { Err(closed(&self.spec.name)) })
    }
}

fn closed(tool: &str) -> ToolError {
    let message = format!("tool `{tool}` cannot be run: the host port is closed");
    ToolError { kind: ErrorKind::Cancelled, ..ToolError::new(message) }
}

/// A host's exception as the core's error.
pub(super) fn error(
    id: RequestId,
    class: String,
    message: String,
    fatal: bool,
    token: Option<FatalToken>,
) -> ToolError {
    let mut error = ToolError::new(message).class(class);
    if fatal || token.is_some() {
        error.fatal = Some(token.unwrap_or_else(|| FatalToken(Arc::new(HostFailure { id }))));
    }
    error
}
