//! One model call, from the request to the outcome.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::answer::Answer;
use crate::error::ErrorKind;
use crate::id::RunId;
use crate::model::{ModelCall, ModelEnd, ModelError, ModelEvent, ModelRequest, ModelStream};
use crate::recording::run::Pen;
use crate::runtime::BoxFuture;
use crate::session::machine::Outcome;
use crate::session::shared::{Bound, Shared};

/// After so many events without a pause others get their turn.
const TURN: usize = 256;

/// What is to be asked.
pub(super) struct Start {
    pub(super) run: Option<RunId>,
    pub(super) number: u64,
    pub(super) request: ModelRequest,
    /// Writes down what comes, while runs are recorded.
    pub(super) pen: Option<Arc<Pen>>,
}

/// Starts a model step.
pub(super) fn start(shared: &Arc<Shared>, bound: &Bound, start: Start) -> BoxFuture<Outcome> {
    let Start { run, number, request, pen } = start;
    let mut route = bound.agent.route().cloned().unwrap_or_default();
    // One candidate a session, unless the host groups its calls otherwise: that is what hits prompt caches.
    route.session.get_or_insert_with(|| shared.key.to_string().into());
    shared.feed.step(run, number);
    let (shared, model) = (shared.clone(), bound.model.clone());
    Box::pin(async move {
        let mut taker = Taker { answer: Answer::default(), shared: &shared, number, pen };
        let call = ModelCall { route, ..ModelCall::new(request) };
        let end = match model.stream(call).await {
            Ok(mut stream) => poll_fn(|cx| taker.poll(&mut stream, cx)).await,
            Err(error) => Err(error),
        };
        let answer = taker.answer;
        match end {
            Ok(end) => Outcome::Reply { step: number, reply: answer.into_reply(end) },
            Err(error) => {
                let partial = shared.feed.partial();
                Outcome::ModelFailed { step: number, error: error.report(), partial, route: answer.route }
            }
        }
    })
}

/// Takes what comes of a stream.
struct Taker<'a> {
    answer: Answer,
    shared: &'a Shared,
    number: u64,
    pen: Option<Arc<Pen>>,
}

impl Taker<'_> {
    /// Takes events until the last one. Readers are woken once for all that came together.
    fn poll(&mut self, stream: &mut ModelStream, cx: &mut Context<'_>) -> Poll<Result<ModelEnd, ModelError>> {
        for taken in 0..TURN {
            let polled = stream.as_mut().poll_next(cx);
            if let (Some(pen), Poll::Ready(Some(Ok(event)))) = (&self.pen, &polled) {
                pen.event(self.shared.around.runtime.now(), self.number, event);
            }
            match polled {
                Poll::Ready(Some(Ok(ModelEvent::Done(end)))) => return Poll::Ready(Ok(end)),
                Poll::Ready(Some(Ok(event))) => {
                    self.shared.feed.model(&event);
                    self.answer.take(event);
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
                        self.pause();
                    }
                    return Poll::Pending;
                }
            }
        }
        self.pause();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn pause(&self) {
        self.shared.feed.notify();
        if let Some(pen) = &self.pen {
            pen.flush();
        }
    }
}
