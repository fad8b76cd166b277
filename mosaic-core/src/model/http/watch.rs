//! One timer for a whole exchange.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::limits::Limits;
use crate::error::ErrorKind;
use crate::model::ModelError;
use crate::runtime::{BoxFuture, Runtime, Timestamp};

/// Watches the waits of one exchange with one timer.
///
/// The timer is not moved when a piece comes: it is looked at when it fires, and set anew if somebody spoke since.
/// So a piece costs no timer, and a silent answer is found to the millisecond. Silence counts from when we begin to
/// wait: a host that reads slowly does not make its provider late.
pub(crate) struct Watch {
    runtime: Arc<dyn Runtime>,
    deadline: Option<Timestamp>,
    since: Option<Timestamp>,
    timer: Option<(Timestamp, BoxFuture<()>)>,
}

impl Watch {
    pub(crate) fn new(runtime: Arc<dyn Runtime>, limits: &Limits) -> Self {
        Self { runtime, deadline: limits.deadline, since: None, timer: None }
    }

    /// Something came.
    pub(crate) fn heard(&mut self) {
        self.since = None;
    }

    /// Nothing is there: is it too late? Ready when the call's deadline or `silence` has passed.
    pub(crate) fn poll(&mut self, silence: Duration, cx: &mut Context<'_>) -> Poll<ModelError> {
        let since = *self.since.get_or_insert_with(|| self.runtime.now());
        let end = since.after(silence);
        let end = self.deadline.map_or(end, |deadline| deadline.min(end));
        loop {
            match &mut self.timer {
                // Too early at worst: then it is set anew when it fires.
                Some((at, timer)) if *at <= end => {
                    if timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.timer = None;
                    if self.runtime.now() >= end {
                        return Poll::Ready(self.late(end, silence));
                    }
                }
                _ => self.timer = Some((end, self.runtime.sleep_until(end))),
            }
        }
    }

    fn late(&self, end: Timestamp, silence: Duration) -> ModelError {
        let message = if self.deadline == Some(end) {
            "the model call was not done by its deadline".to_owned()
        } else {
            format!(
                "the model was silent for {} ms; a longer wait is set with `Timeouts`, or with the call's `stall`",
                silence.as_millis()
            )
        };
        ModelError::new(ErrorKind::Timeout, message)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("since", &self.since).finish_non_exhaustive()
    }
}
