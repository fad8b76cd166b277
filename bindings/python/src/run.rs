//! Runs.

use std::sync::Arc;

use mosaic_core::{Canceller, Event, Reply, Run, RunEnd, RunId, SessionError};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use serde_json::json;
use tokio::sync::Mutex;

use crate::bridge::{Failure, NOTHING, Outcome, future_into_py, runtime};
use crate::json::write;
use crate::session::failure;

/// A run. Whoever reads its events or waits for its end holds the lock meanwhile.
#[pyclass(frozen, module = "mosaic._mosaic", name = "Run")]
pub(crate) struct PyRun {
    id: RunId,
    canceller: Canceller,
    run: Arc<Mutex<State>>,
}

/// Kept when it is over: whoever waited for the end may have been cancelled just then, and may ask again.
enum State {
    Going {
        run: Box<Run>,
        /// The event that whoever waited has seen coming.
        first: Option<Event>,
    },
    Over(Outcome<String>),
}

impl State {
    fn going(&mut self) -> Option<&mut Run> {
        match self {
            Self::Going { run, .. } => Some(run),
            Self::Over(_) => None,
        }
    }
}

impl PyRun {
    pub(crate) fn new(run: Run) -> Self {
        Self {
            id: run.id(),
            canceller: run.canceller(),
            run: Arc::new(Mutex::new(State::Going { run: Box::new(run), first: None })),
        }
    }
}

#[pymethods]
impl PyRun {
    /// Its id.
    fn id(&self) -> String {
        self.id.to_string()
    }

    /// Waits until there are events to be taken with `ready`. Whether there will be any: not so after the end.
    ///
    /// They are taken on the event loop's thread, when it gets there, and not here: a stream goes on while the loop wakes
    /// up, and what it says meanwhile comes with the same crossing.
    #[pyo3(signature = () -> "collections.abc.Awaitable[bool]")]
    fn wait<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let run = self.run.clone();
        future_into_py(py, async move {
            let mut state = run.lock().await;
            let State::Going { run, first } = &mut *state else { return Ok(false) };
            if first.is_none() {
                *first = run.try_next().await.map_err(failure)?;
            }
            Ok(first.is_some())
        })
    }

    /// The events that are there already, at most `max`, as a JSON array; None when there are none.
    #[pyo3(signature = (max: "int") -> "str | None")]
    fn ready(&self, max: usize) -> Option<String> {
        // Somebody else reads at this moment: then the caller waits its turn.
        let mut state = self.run.try_lock().ok()?;
        let State::Going { run, first } = &mut *state else { return None };
        let first = first.take().or_else(|| run.ready())?;
        serde_json::to_string(&batch(run, first, max)).ok()
    }

    /// Waits for the end; gives the reply as JSON.
    #[pyo3(signature = () -> "collections.abc.Awaitable[str]")]
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let run = self.run.clone();
        future_into_py(py, async move {
            let mut state = run.lock().await;
            if let Some(run) = state.going() {
                // To the end before the state changes: whoever waits may be cancelled meanwhile, and the run must stay.
                while run.try_next().await.map_err(failure)?.is_some() {}
            }
            let closed = State::Over(Err(failure(SessionError::Closed)));
            let over = match std::mem::replace(&mut *state, closed) {
                State::Going { run, .. } => over(*run).await,
                State::Over(over) => over,
            };
            *state = State::Over(over.clone());
            over
        })
    }

    /// Begins to cancel it; done when that is safe.
    #[pyo3(signature = (reason) -> "collections.abc.Awaitable[None]")]
    fn cancel<'py>(&self, py: Python<'py>, reason: String) -> PyResult<Bound<'py, PyAny>> {
        let canceller = self.canceller.clone();
        // In a task of its own: it goes on if nobody waits for it.
        let cancelling = runtime(py)?.tokio.spawn(async move { canceller.cancel(reason).await });
        future_into_py(py, async move {
            match cancelling.await {
                Ok(cancelled) => cancelled.map_err(failure)?,
                // Only the end of the program stops it.
                Err(_) => return Err(failure(SessionError::Closed)),
            }
            Ok(NOTHING)
        })
    }

    /// Cancels it and waits until nothing of it runs, whatever becomes of the caller.
    #[pyo3(signature = (reason) -> "collections.abc.Awaitable[None]")]
    fn stop<'py>(&self, py: Python<'py>, reason: String) -> PyResult<Bound<'py, PyAny>> {
        let (canceller, run) = (self.canceller.clone(), self.run.clone());
        let stopping = runtime(py)?.tokio.spawn(async move {
            // An error means that the run has ended already, or that its store has failed; both end the wait below.
            let _ = canceller.cancel(reason).await;
            let mut run = run.lock().await;
            if let Some(run) = run.going() {
                while let Ok(Some(_)) = run.try_next().await {}
            }
        });
        future_into_py(py, async move {
            let _ = stopping.await;
            Ok(NOTHING)
        })
    }
}

/// What a run that has ended came to; nothing is waited for.
async fn over(run: Run) -> Outcome<String> {
    let original = run.fatal();
    match (run.finish().await, original) {
        (Ok(reply), _) => reply_json(&reply),
        (Err(_), Some(token)) if token.0.is::<Py<PyBaseException>>() => Err(Failure::Original(token.0)),
        (Err(error), _) => Err(failure(error)),
    }
}

/// At most `max` events, with pieces of one text joined.
fn batch(run: &mut Run, first: Event, max: usize) -> Vec<Event> {
    let mut events = vec![first];
    // What was taken counts, not what is left of it: a stream that never pauses must not keep the event loop here.
    for _ in 1..max {
        let Some(event) = run.ready() else { break };
        if !events.last_mut().is_some_and(|last| joined(last, &event)) {
            events.push(event);
        }
    }
    events
}

/// Appends a piece of text to the one before it, if it goes on with that.
fn joined(last: &mut Event, next: &Event) -> bool {
    match (last, next) {
        (
            Event::Text { step, part, delta },
            Event::Text { step: next_step, part: next_part, delta: more },
        ) if (*step, *part) == (*next_step, *next_part) => {
            delta.push_str(more);
            true
        }
        _ => false,
    }
}

fn reply_json(reply: &Reply) -> Outcome<String> {
    let end = match reply.end {
        Some(RunEnd::Cancelled { .. }) => "cancelled",
        _ => "done",
    };
    write(&json!({
        "text": reply.text,
        "parts": reply.parts,
        "end": end,
        "usage": reply.usage,
        "cost": reply.cost,
        "entries": [reply.entries.0, reply.entries.1],
    }))
}
