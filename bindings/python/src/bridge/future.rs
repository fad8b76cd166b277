//! A Rust future as an `asyncio.Future`.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use tokio::sync::oneshot;

use super::failure::{Failure, Outcome};
use super::inbox::here;

/// Python's `None`, for work that gives nothing.
pub(crate) const NOTHING: Option<bool> = None;

/// Called by asyncio when the future is done, whichever way.
#[pyclass(frozen, module = "mosaic._mosaic", name = "_OnDone")]
struct OnDone(Mutex<Option<oneshot::Sender<()>>>);

#[pymethods]
impl OnDone {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let tell = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(tell), true) = (tell, future.call_method0(intern!(future.py(), "cancelled"))?.extract()?)
        {
            // An error means that the work has just ended.
            let _ = tell.send(());
        }
        Ok(())
    }
}

/// Runs `work` on tokio and gives an awaitable of the running loop. Cancelling the awaitable drops the work; a panic in
/// it becomes an exception.
pub(crate) fn future_into_py<'py, F, T>(py: Python<'py>, work: F) -> PyResult<Bound<'py, PyAny>>
where
    F: Future<Output = Outcome<T>> + Send + 'static,
    T: for<'a> IntoPyObject<'a> + Send + 'static,
{
    let (started, inbox) = here(py)?;
    let event_loop = inbox.event_loop(py).ok_or_else(|| PyRuntimeError::new_err("the event loop is gone"))?;
    let future = event_loop.call_method0(intern!(py, "create_future"))?;
    let (tell, cancelled) = oneshot::channel();
    future.call_method1(intern!(py, "add_done_callback"), (OnDone(Mutex::new(Some(tell))),))?;

    let settled = future.clone().unbind();
    started.tokio.spawn(async move {
        let cancelled = async {
            if cancelled.await.is_err() {
                // Nobody can cancel it any more.
                std::future::pending::<()>().await;
            }
        };
        let outcome = {
            let work = pin!(AssertUnwindSafe(work).catch_unwind());
            match select(work, pin!(cancelled)).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(((), _)) => return,
            }
        };
        let outcome = outcome.unwrap_or_else(|payload| Err(Failure::panic(&*payload)));
        inbox.post(move |py| settle(settled.bind(py), outcome));
    });
    Ok(future)
}

fn settle<T>(future: &Bound<'_, PyAny>, outcome: Outcome<T>)
where
    T: for<'a> IntoPyObject<'a>,
{
    let py = future.py();
    let done = future.call_method0(intern!(py, "done")).and_then(|done| done.extract::<bool>());
    if done.unwrap_or(true) {
        return;
    }
    let value = match outcome {
        Ok(value) => value.into_py_any(py),
        Err(failure) => Err(failure.into_py_err(py)),
    };
    let set = match value {
        Ok(value) => future.call_method1(intern!(py, "set_result"), (value,)),
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error,)),
    };
    if let Err(error) = set {
        error.write_unraisable(py, Some(future));
    }
}
