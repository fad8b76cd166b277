//! What there is once in a process: the tokio runtime and the dispatcher, and who owns them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};

use super::dispatch::Dispatcher;

/// What runs in this process.
pub(crate) struct Started {
    pub(crate) tokio: Handle,
    pub(super) dispatcher: Dispatcher,
    owned: Mutex<Option<Runtime>>,
}

/// The process that started it all; 0 before.
static OWNER: AtomicU32 = AtomicU32::new(0);
static SHUT: AtomicBool = AtomicBool::new(false);
static STARTED: OnceLock<Started> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

/// How long work that blocks its thread, a commit for one, may go on at exit.
const AT_EXIT: Duration = Duration::from_secs(2);

/// The runtime of this process; starts it at the first call.
pub(crate) fn runtime(py: Python<'_>) -> PyResult<&'static Started> {
    assert_same_process()?;
    if SHUT.load(Ordering::Acquire) {
        return Err(PyRuntimeError::new_err("Mosaic has shut down: the interpreter is exiting"));
    }
    match STARTED.get() {
        Some(started) => Ok(started),
        // Another thread may be starting it and need the interpreter for that.
        None => py.detach(start),
    }
}

/// What was started, if anything was.
pub(super) fn started() -> Option<&'static Started> {
    STARTED.get()
}

/// Threads do not survive a fork, and locks may be held by threads that are gone: say so before anything hangs.
#[pyfunction]
pub(crate) fn assert_same_process() -> PyResult<()> {
    let (owner, here) = (OWNER.load(Ordering::Acquire), std::process::id());
    if owner == 0 || owner == here {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(format!(
        "Mosaic was started in process {owner} and cannot be used in its forked child {here}: threads do not survive \
         a fork. Start child processes with multiprocessing.get_context(\"spawn\"), or fork before the first use of Mosaic"
    )))
}

fn start() -> PyResult<&'static Started> {
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(started) = STARTED.get() {
        return Ok(started);
    }
    let failed = |what: &str, error: std::io::Error| PyRuntimeError::new_err(format!("{what}: {error}"));
    let runtime = Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8)))
        .thread_name("mosaic-tokio")
        .enable_all()
        .build()
        .map_err(|error| failed("cannot start the threads of Mosaic", error))?;
    let dispatcher =
        Dispatcher::start().map_err(|error| failed("cannot start the dispatcher of Mosaic", error))?;
    OWNER.store(std::process::id(), Ordering::Release);
    let tokio = runtime.handle().clone();
    Ok(STARTED.get_or_init(|| Started { tokio, dispatcher, owned: Mutex::new(Some(runtime)) }))
}

/// Stops everything: the dispatcher first, so that nothing touches Python any more, then tokio. Run by `atexit`.
#[pyfunction(name = "_shutdown")]
pub(crate) fn shutdown(py: Python<'_>) {
    // A forked child has neither thread; joining one would hang.
    if assert_same_process().is_err() || SHUT.swap(true, Ordering::AcqRel) {
        return;
    }
    let Some(started) = STARTED.get() else { return };
    py.detach(|| {
        started.dispatcher.stop();
        let runtime = started.owned.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(AT_EXIT);
        }
    });
}
