//! What is to be done on an event loop's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyWeakrefReference;

use super::process::runtime;

/// Something to do, attached, on the loop's thread.
type Job = Box<dyn FnOnce(Python<'_>) + Send>;

/// What is to be done on one event loop's thread. Holds the loop weakly: a loop that its program let go of goes.
///
/// The queue needs no bound of its own: a future has one job in it at most, its result, and a stream is asked for more
/// only after its last batch was taken.
pub(crate) struct Inbox {
    event_loop: Py<PyWeakrefReference>,
    jobs: Mutex<Vec<Job>>,
    /// The loop has been told, or is about to be.
    woken: AtomicBool,
    /// The loop is closed or gone.
    dead: AtomicBool,
}

/// An inbox as Python sees it: a callable that empties it.
#[pyclass(frozen, weakref, module = "mosaic._mosaic", name = "_Inbox")]
#[derive(Clone)]
struct Drain(Arc<Inbox>);

#[pymethods]
impl Drain {
    fn __call__(&self, py: Python<'_>) {
        self.0.drain(py);
    }
}

impl Inbox {
    /// The inbox of the running loop.
    pub(crate) fn current(py: Python<'_>) -> PyResult<Arc<Self>> {
        static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        static INBOXES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let running = RUNNING.import(py, "asyncio", "get_running_loop")?;
        let event_loop = running.call0().map_err(|_| {
            PyRuntimeError::new_err(
                "no running asyncio event loop: await Mosaic from a coroutine that asyncio (or uvloop) runs, or use \
                 `mosaic.blocking`, which needs none",
            )
        })?;
        let inboxes = INBOXES.get_or_try_init(py, || {
            py.import("weakref")?.getattr("WeakKeyDictionary")?.call0().map(Bound::unbind)
        })?;
        let inboxes = inboxes.bind(py);
        if let Ok(known) = inboxes.get_item(&event_loop) {
            return Ok(known.cast::<Drain>()?.get().0.clone());
        }
        let inbox = Arc::new(Self {
            event_loop: PyWeakrefReference::new(&event_loop)?.unbind(),
            jobs: Mutex::default(),
            woken: AtomicBool::new(false),
            dead: AtomicBool::new(false),
        });
        // Two threads do not run one loop, so nobody else can have added it meanwhile.
        inboxes.set_item(&event_loop, Drain(inbox.clone()))?;
        Ok(inbox)
    }

    /// The loop, if it is still there.
    pub(crate) fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.event_loop.bind(py).upgrade()
    }

    /// Does something on the loop's thread, soon. Whether it will: not so when the loop is closed or all is shut down;
    /// then the job is dropped.
    pub(crate) fn post(self: &Arc<Self>, job: impl FnOnce(Python<'_>) + Send + 'static) -> bool {
        if self.dead.load(Ordering::Acquire) {
            return false;
        }
        self.jobs().push(Box::new(job));
        if self.woken.swap(true, Ordering::AcqRel) {
            return true;
        }
        let woken = super::process::started().is_some_and(|started| started.dispatcher.wake(self.clone()));
        if !woken {
            self.die();
        }
        woken
    }

    /// On the dispatcher's thread.
    pub(super) fn wake_loop(self: &Arc<Self>, py: Python<'_>) {
        let told = self.event_loop(py).map(|event_loop| {
            event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (Drain(self.clone()),))
        });
        // Closed, or gone: nobody waits for these results any more.
        if !matches!(told, Some(Ok(_))) {
            self.die();
        }
    }

    fn drain(&self, py: Python<'_>) {
        self.woken.store(false, Ordering::Release);
        let jobs = std::mem::take(&mut *self.jobs());
        for job in jobs {
            // One defect must not leave the others waiting for ever.
            let _ = catch_unwind(AssertUnwindSafe(|| job(py)));
        }
    }

    fn die(&self) {
        self.dead.store(true, Ordering::Release);
        let jobs = std::mem::take(&mut *self.jobs());
        drop(jobs);
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Vec<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runtime is started before anything is posted.
pub(crate) fn here(py: Python<'_>) -> PyResult<(&'static super::process::Started, Arc<Inbox>)> {
    Ok((runtime(py)?, Inbox::current(py)?))
}
