//! The native half of the Python package `mosaic`: handles, conversions and lifetimes. Everything that a program sees
//! is in `python/mosaic`.

mod agent_log;
mod bridge;
mod engine;
mod json;
mod memories;
mod memory;
mod model;
mod port;
mod run;
mod session;
mod testing;

use mosaic_core::ErrorKind;
use pyo3::prelude::*;

#[pymodule(name = "_mosaic")]
mod native {
    #[pymodule_export]
    use super::agent_log::PyAgentLog;
    #[pymodule_export]
    use super::bridge::{assert_same_process, shutdown};
    #[pymodule_export]
    use super::engine::{PyAgent, PyEngine, open};
    #[pymodule_export]
    use super::memories::{PyLines, PyMemories};
    #[pymodule_export]
    use super::port::PyPort;
    #[pymodule_export]
    use super::run::PyRun;
    #[pymodule_export]
    use super::session::PySession;
    #[pymodule_export]
    use super::testing::PyScriptedModel;
    #[pymodule_export]
    use super::{error_kinds, panic_for_tests};

    /// The version of the library.
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}

/// Every kind of error, by name.
#[pyfunction]
fn error_kinds() -> Vec<&'static str> {
    ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect()
}

/// An awaitable whose work panics.
#[pyfunction(name = "_panic")]
#[expect(clippy::panic, reason = "this is what it is for")]
#[pyo3(signature = (message) -> "collections.abc.Awaitable[None]")]
fn panic_for_tests(py: Python<'_>, message: String) -> PyResult<Bound<'_, PyAny>> {
    bridge::future_into_py(py, async move {
        if message.is_empty() {
            return Ok(bridge::NOTHING);
        }
        panic!("{message}")
    })
}
