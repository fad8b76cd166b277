//! Waiting for whatever comes first.

use std::future::poll_fn;
use std::task::Poll;

use super::tool_step::ToolDone;
use super::{Command, Driver};
use crate::session::machine::Outcome;

/// What came.
pub(super) enum Woken {
    /// Somebody wants something; nobody ever will again.
    Command(Option<Command>),
    /// The model step ended.
    Outcome(Outcome),
    /// A tool call ended.
    Tool(ToolDone),
    /// Time has come.
    Tick,
}

impl Driver {
    /// Commands come first, so that a cancel is not kept waiting by a busy model.
    pub(super) async fn wait(&mut self) -> Woken {
        let Self { mailbox, work, .. } = self;
        poll_fn(|cx| {
            if let Poll::Ready(command) = mailbox.poll_recv(cx) {
                return Poll::Ready(Woken::Command(command));
            }
            if let Poll::Ready(Some(done)) = work.ended.poll_recv(cx) {
                return Poll::Ready(Woken::Tool(done));
            }
            if let Some((_, model)) = &mut work.model
                && let Poll::Ready(outcome) = model.as_mut().poll(cx)
            {
                work.model = None;
                return Poll::Ready(Woken::Outcome(outcome));
            }
            if let Some((_, timer)) = &mut work.timer
                && timer.as_mut().poll(cx).is_ready()
            {
                work.timer = None;
                return Poll::Ready(Woken::Tick);
            }
            Poll::Pending
        })
        .await
    }
}
