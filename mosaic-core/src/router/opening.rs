//! One attempt, up to the first event that shows something.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use tracing::{Instrument, Span};

use super::deployment::Permit;
use super::router::Inner;
use crate::error::ErrorKind;
use crate::model::{ModelCall, ModelError, ModelEvent, ModelStream, StopReason};
use crate::runtime::{BoxFuture, Timestamp};

/// How one attempt began, or failed to.
pub(super) struct Opening {
    /// Its place among the candidates.
    pub(super) index: usize,
    /// Its place among the attempts of the call.
    pub(super) attempt: usize,
    pub(super) permit: Permit,
    pub(super) begun: Result<Begun, ModelError>,
    /// What happens at the candidate happens within it.
    pub(super) span: Span,
}

/// An answer that has begun.
pub(super) struct Begun {
    /// What it said so far.
    pub(super) held: Vec<ModelEvent>,
    pub(super) stream: ModelStream,
    /// When the first of that showed.
    pub(super) first: Timestamp,
}

/// Asks a candidate. Dropping it cancels the request and gives back what was held.
pub(super) fn ask(
    router: Arc<Inner>,
    call: ModelCall,
    index: usize,
    attempt: usize,
    mut permit: Permit,
    started: Timestamp,
    span: Span,
) -> BoxFuture<Opening> {
    let within = span.clone();
    let asked = async move {
        let limit = router.retry.first_event.map(|limit| started.after(limit));
        let limit = [limit, call.deadline].into_iter().flatten().min();
        let beginning = begin(&permit, call);
        let begun = match limit {
            None => beginning.await,
            Some(at) => match select(std::pin::pin!(beginning), router.runtime.sleep_until(at)).await {
                Either::Left((begun, _)) => begun,
                Either::Right(_) => Err(ModelError::new(ErrorKind::Timeout, "it said nothing in time")),
            },
        };
        let first = router.runtime.now();
        let begun = begun.map(|(held, stream)| {
            let took = started.until(first);
            permit.deployment.latency.first(took, first);
            permit.deployment.first_events.add(took);
            if permit.begun(first) {
                router.freed.notify_waiters();
            }
            Begun { held, stream, first }
        });
        Opening { index, attempt, permit, begun, span }
    };
    Box::pin(asked.instrument(within))
}

async fn begin(permit: &Permit, call: ModelCall) -> Result<(Vec<ModelEvent>, ModelStream), ModelError> {
    let mut stream = permit.deployment.candidate.model.stream(call).await?;
    let mut held = Vec::new();
    loop {
        let event = match stream.next().await {
            Some(event) => event?,
            None => {
                return Err(ModelError::new(
                    ErrorKind::Incomplete,
                    "the answer ended without its last event",
                ));
            }
        };
        match &event {
            // Of a router behind this one.
            ModelEvent::Route(_) => continue,
            ModelEvent::Restarted => held.clear(),
            ModelEvent::Done(end) if end.stop == StopReason::ContentFilter => {
                return Err(ModelError::new(
                    ErrorKind::ContentFiltered,
                    "the provider's filter stopped the answer",
                ));
            }
            _ => {}
        }
        let begins = matches!(event, ModelEvent::Start { .. });
        if !matches!(event, ModelEvent::Restarted) {
            held.push(event);
        }
        if !begins && !held.is_empty() {
            return Ok((held, stream));
        }
    }
}
