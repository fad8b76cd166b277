//! One model call, from the request to the outcome.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{ErrorKind, ErrorReport};
use crate::message::Part;
use crate::model::{ModelCall, ModelEnd, ModelError, ModelEvent, ModelRequest, ModelStream, ToolChoice};
use crate::router::RouteDecision;
use crate::runtime::BoxFuture;
use crate::session::log::Log;
use crate::session::machine::{Outcome, Reply};
use crate::session::shared::{Bound, Shared};

/// After so many events without a pause others get their turn.
const TURN: usize = 256;

/// Starts model step `number`.
pub(super) fn start(shared: &Arc<Shared>, bound: &Bound, log: &Log, number: u64) -> BoxFuture<Outcome> {
    let agent = &bound.agent;
    let request = ModelRequest {
        instructions: agent.instructions().clone(),
        groups: log.context.groups().clone(),
        tools: agent.tools().specs().clone(),
        tool_choice: ToolChoice::Auto,
        output: log.machine.output().cloned(),
        params: agent.params().clone(),
    };
    let mut route = agent.route().cloned().unwrap_or_default();
    // One candidate a session, unless the host groups its calls otherwise: that is what hits prompt caches.
    route.session.get_or_insert_with(|| shared.key.to_string().into());
    shared.feed.step(log.machine.run(), number);
    let (shared, model) = (shared.clone(), bound.model.clone());
    Box::pin(async move {
        let mut answer = Answer::default();
        let call = ModelCall { route, ..ModelCall::new(request) };
        let end = match model.stream(call).await {
            Ok(mut stream) => poll_fn(|cx| answer.poll(&mut stream, &shared, cx)).await,
            Err(error) => Err(error),
        };
        match end {
            Ok(end) => Outcome::Reply { step: number, reply: answer.into_reply(end) },
            Err(error) => {
                let partial = shared.feed.partial();
                Outcome::ModelFailed { step: number, error: error.report(), partial, route: answer.route }
            }
        }
    })
}

/// There is no summariser yet, and no agent can ask for one.
pub(super) fn no_compactor() -> ErrorReport {
    ErrorReport::new(
        ErrorKind::Unsupported,
        "no summariser is configured, so the conversation cannot be compacted",
    )
}

/// The parts of an answer as they become whole.
#[derive(Default)]
struct Answer {
    parts: Vec<(u32, Part)>,
    /// The last decision of a router.
    route: Option<Arc<RouteDecision>>,
}

impl Answer {
    /// Takes events until the last one. Readers are woken once for all that came together.
    fn poll(
        &mut self,
        stream: &mut ModelStream,
        shared: &Shared,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ModelEnd, ModelError>> {
        for taken in 0..TURN {
            match stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(ModelEvent::Done(end)))) => return Poll::Ready(Ok(end)),
                Poll::Ready(Some(Ok(event))) => {
                    shared.feed.model(&event);
                    self.take(event);
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => {
                    return Poll::Ready(Err(ModelError::new(
                        ErrorKind::Incomplete,
                        "the model's answer ended without its last event",
                    )));
                }
                Poll::Pending => {
                    if taken > 0 {
                        shared.feed.notify();
                    }
                    return Poll::Pending;
                }
            }
        }
        shared.feed.notify();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn take(&mut self, event: ModelEvent) {
        match event {
            ModelEvent::End { part, content } => self.parts.push((part, content)),
            ModelEvent::Restarted => self.parts.clear(),
            ModelEvent::Route(decision) => self.route = Some(decision),
            _ => {}
        }
    }

    fn into_reply(mut self, end: ModelEnd) -> Reply {
        self.parts.sort_by_key(|(index, _)| *index);
        Reply {
            parts: self.parts.into_iter().map(|(_, part)| part).collect(),
            stop: end.stop,
            cost: end.cost,
            usage: end.usage,
            origin: Some(end.origin),
            route: self.route,
        }
    }
}
