//! Runs.

use std::sync::Arc;

use mosaic_core::{Canceller, Event, Reply, Run, RunEnd, RunId, SessionError};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use serde_json::json;
use tokio::sync::Mutex;

use crate::bridge::{Failure, NOTHING, Outcome, future_into_py, runtime};
use crate::session::{failure, write};

/// A run. Whoever reads its events or waits for its end holds the lock meanwhile.
#[pyclass(frozen, module = "mosaic._mosaic", name = "Run")]
pub(crate) struct PyRun {
    id: RunId,
    canceller: Canceller,
    run: Arc<Mutex<State>>,
}

/// Kept when it is over: whoever waited for the end may have been cancelled just then, and may ask again.
enum State {
    Going(Box<Run>),
    Over(Outcome<String>),
}

impl State {
    fn going(&mut self) -> Option<&mut Run> {
        match self {
            Self::Going(run) => Some(run),
            Self::Over(_) => None,
        }
    }
}

impl PyRun {
    pub(crate) fn new(run: Run) -> Self {
        Self {
            id: run.id(),
            canceller: run.canceller(),
            run: Arc::new(Mutex::new(State::Going(Box::new(run)))),
        }
    }
}

#[pymethods]
impl PyRun {
    /// Its id.
    fn id(&self) -> String {
        self.id.to_string()
    }

    /// The next events, at most `max`, as a JSON array; empty after the end.
    #[pyo3(signature = (max: "int") -> "collections.abc.Awaitable[str]")]
    fn next<'py>(&self, py: Python<'py>, max: usize) -> PyResult<Bound<'py, PyAny>> {
        let run = self.run.clone();
        future_into_py(py, async move {
            let mut run = run.lock().await;
            let Some(run) = run.going() else { return Ok("[]".to_owned()) };
            let first = run.try_next().await.map_err(failure)?;
            write(&first.map(|first| batch(run, first, max)).unwrap_or_default())
        })
    }

    /// The events that are there already, at most `max`, as a JSON array; None when there are none.
    #[pyo3(signature = (max: "int") -> "str | None")]
    fn ready(&self, max: usize) -> Option<String> {
        // Somebody else reads at this moment: then the caller waits its turn.
        let mut run = self.run.try_lock().ok()?;
        let run = run.going()?;
        let first = run.ready()?;
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
                State::Going(run) => over(*run).await,
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

fn batch(run: &mut Run, first: Event, max: usize) -> Vec<Event> {
    let mut events = vec![first];
    while events.len() < max
        && let Some(event) = run.ready()
    {
        events.push(event);
    }
    events
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
