//! The answer of the candidate that was chosen.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::AttemptOutcome;
use super::course::{Course, Opened};
use super::deployment::Permit;
use crate::error::ErrorKind;
use crate::model::{ModelError, ModelEvent, ModelStream};
use crate::runtime::Timestamp;

pub(super) struct Answer {
    course: Course,
    chosen: Arc<str>,
    ready: VecDeque<Result<ModelEvent, ModelError>>,
    stream: Option<ModelStream>,
    permit: Option<Permit>,
    first: Timestamp,
}

impl Answer {
    pub(super) fn new(course: Course, opened: Opened) -> Self {
        let chosen = opened.permit.deployment.candidate.id.clone();
        let mut answer = Self {
            course,
            chosen,
            ready: VecDeque::with_capacity(opened.held.len() + 2),
            stream: Some(opened.stream),
            permit: Some(opened.permit),
            first: opened.first,
        };
        answer.show_route();
        for event in opened.held {
            answer.take(Ok(event));
        }
        answer
    }

    fn show_route(&mut self) {
        let decision = self.course.decision(Some(self.chosen.clone()));
        tracing::debug!(router = %decision.router, chosen = %self.chosen, route = %decision, "routed");
        self.ready.push_back(Ok(ModelEvent::Route(Arc::new(decision))));
    }

    fn take(&mut self, event: Result<ModelEvent, ModelError>) {
        let now = self.course.router.runtime.now();
        match event {
            Ok(ModelEvent::Route(_)) => {}
            Ok(ModelEvent::Done(mut end)) => {
                self.course.end(AttemptOutcome::Answered { usage: end.usage }, now);
                if let Some(permit) = self.permit.take() {
                    let candidate = &permit.deployment.candidate;
                    // A price that the host gave to the candidate goes before what its model believes.
                    if let Some(price) = &candidate.price {
                        end.cost = Some(price.cost(&end.usage));
                    }
                    permit.deployment.latency.rest(self.first.until(now), end.usage.output);
                    permit.answered(&end.usage, now);
                }
                self.over();
                self.ready.push_back(Ok(ModelEvent::Done(end)));
            }
            Ok(event) => self.ready.push_back(Ok(event)),
            Err(error) => {
                self.course.end(AttemptOutcome::Failed { kind: error.kind }, now);
                if let Some(permit) = self.permit.take() {
                    permit.failed(&error, &self.course.router.breaker, now);
                }
                self.over();
                self.ready.push_back(Err(error));
            }
        }
    }

    fn over(&mut self) {
        self.stream = None;
        self.show_route();
        self.course.router.freed.notify_waiters();
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.permit.take().is_some() {
            self.course.router.freed.notify_waiters();
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
            let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
            let event = ready!(stream.as_mut().poll_next(cx)).unwrap_or_else(|| {
                Err(ModelError::new(ErrorKind::Incomplete, "the answer ended without its last event"))
            });
            self.take(event);
        }
    }
}
