//! The answer of the candidate that was chosen.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tracing::Span;

use super::course::Course;
use super::deployment::Permit;
use super::opening::{Begun, Opening};
use super::{AttemptOutcome, MidAnswer};
use crate::error::ErrorKind;
use crate::model::{ModelEnd, ModelError, ModelEvent, ModelStream};
use crate::runtime::{BoxFuture, Timestamp};

/// The answer of the candidate that was chosen, or of the next one where that is wanted.
pub(super) struct Answer {
    ready: VecDeque<Result<ModelEvent, ModelError>>,
    state: State,
}

enum State {
    Answering(Box<Answering>),
    /// It broke off, and another one is asked.
    Restarting(BoxFuture<(Course, Result<Opening, ModelError>)>),
    Over,
}

struct Answering {
    course: Course,
    stream: ModelStream,
    /// Its place among the candidates.
    index: usize,
    attempt: usize,
    permit: Permit,
    first: Timestamp,
    span: Span,
}

impl Answer {
    pub(super) fn new(course: Course, opening: Opening) -> Self {
        let mut answer = Self { ready: VecDeque::new(), state: State::Over };
        answer.begin(course, opening);
        answer
    }

    /// Somebody has begun to answer.
    fn begin(&mut self, course: Course, opening: Opening) {
        let Opening { index, attempt, permit, begun, span } = opening;
        let Begun { held, stream, first } = match begun {
            Ok(begun) => begun,
            Err(error) => return self.fail(&course, error),
        };
        self.show(&course, Some(permit.deployment.candidate.id.clone()));
        self.state =
            State::Answering(Box::new(Answering { course, stream, index, attempt, permit, first, span }));
        held.into_iter().for_each(|event| self.take(Ok(event)));
    }

    /// Nobody answers.
    fn fail(&mut self, course: &Course, error: ModelError) {
        self.show(course, None);
        self.ready.push_back(Err(error));
    }

    /// Shows where the call went, so far.
    fn show(&mut self, course: &Course, chosen: Option<Arc<str>>) {
        let decision = course.decide(chosen);
        self.ready.push_back(Ok(ModelEvent::Route(Arc::new(decision))));
    }

    fn take(&mut self, event: Result<ModelEvent, ModelError>) {
        match event {
            // Of a router behind this one.
            Ok(ModelEvent::Route(_)) => {}
            Ok(ModelEvent::Done(end)) => self.done(end),
            Ok(event) => {
                if let State::Answering(answering) = &mut self.state {
                    answering.permit.said(shown(&event));
                }
                self.ready.push_back(Ok(event));
            }
            Err(error) => self.broke_off(error),
        }
    }

    fn done(&mut self, mut end: ModelEnd) {
        let State::Answering(answering) = std::mem::replace(&mut self.state, State::Over) else { return };
        let Answering { mut course, attempt, permit, first, .. } = *answering;
        let now = course.router.runtime.now();
        course.end(attempt, AttemptOutcome::Answered { usage: end.usage }, now);
        let (chosen, price) = (permit.deployment.candidate.id.clone(), &permit.deployment.candidate.price);
        // A price that the host gave to the candidate goes before what its model believes.
        if let Some(price) = price {
            end.cost = price.cost_if_told(&end.usage);
        }
        permit.deployment.latency.rest(first.until(now), end.usage.output);
        permit.answered(&end.usage, end.cost, now);
        self.show(&course, Some(chosen));
        self.ready.push_back(Ok(ModelEvent::Done(end)));
        course.router.freed.notify_waiters();
    }

    fn broke_off(&mut self, error: ModelError) {
        let State::Answering(answering) = std::mem::replace(&mut self.state, State::Over) else { return };
        let Answering { mut course, index, attempt, permit, .. } = *answering;
        let now = course.router.runtime.now();
        course.end(attempt, AttemptOutcome::Failed { kind: error.kind }, now);
        let chosen = permit.deployment.candidate.id.clone();
        permit.failed(&error, &course.router.breaker, now);
        course.router.freed.notify_waiters();
        match course.router.retry.mid_answer {
            MidAnswer::Fail => {
                self.show(&course, Some(chosen));
                self.ready.push_back(Err(error));
            }
            MidAnswer::Restart => match course.judge(index, error) {
                Err(error) => self.fail(&course, error),
                Ok(()) => {
                    self.state = State::Restarting(Box::pin(async move {
                        let opened = course.open().await;
                        (course, opened)
                    }));
                }
            },
        }
    }
}

/// How many bytes of the answer it shows.
fn shown(event: &ModelEvent) -> usize {
    match event {
        ModelEvent::Text { delta, .. }
        | ModelEvent::Reasoning { delta, .. }
        | ModelEvent::Arguments { delta, .. } => delta.len(),
        _ => 0,
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let State::Answering(answering) = std::mem::replace(&mut self.state, State::Over) {
            let Answering { course, permit, .. } = *answering;
            drop(permit);
            course.router.freed.notify_waiters();
        }
    }
}

impl Stream for Answer {
    type Item = Result<ModelEvent, ModelError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            match &mut self.state {
                State::Over => return Poll::Ready(None),
                State::Answering(answering) => {
                    let Answering { stream, span, .. } = &mut **answering;
                    let within = span.enter();
                    let event = ready!(stream.as_mut().poll_next(cx)).unwrap_or_else(|| {
                        Err(ModelError::new(ErrorKind::Incomplete, "the answer ended without its last event"))
                    });
                    drop(within);
                    self.take(event);
                }
                State::Restarting(restart) => {
                    let (course, opened) = ready!(restart.as_mut().poll(cx));
                    self.state = State::Over;
                    match opened {
                        Ok(opening) => {
                            self.ready.push_back(Ok(ModelEvent::Restarted));
                            self.begin(course, opening);
                        }
                        Err(error) => self.fail(&course, error),
                    }
                }
            }
        }
    }
}
