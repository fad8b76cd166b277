//! How things fail, until there is a Python thread to make an exception of it.

use std::any::Any;
use std::sync::Arc;

use mosaic_core::{ErrorKind, ErrorReport};
use pyo3::exceptions::{PyBaseException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// What work for Python comes to.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// A failure that is made an exception on the loop's thread.
#[derive(Clone)]
pub(crate) enum Failure {
    /// An error of the library: `mosaic.MosaicError` or one of its classes.
    Report(Box<ErrorReport>),
    /// An exception of the program's own, raised again as the same object.
    Original(Arc<dyn Any + Send + Sync>),
}

impl Failure {
    pub(crate) fn report(report: ErrorReport) -> Self {
        Self::Report(Box::new(report))
    }

    /// A panic: a defect of the library.
    pub(super) fn panic(payload: &(dyn Any + Send)) -> Self {
        let what = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Self::report(ErrorReport::new(
            ErrorKind::Internal,
            format!("Mosaic panicked: {what}. Please report this"),
        ))
    }

    pub(crate) fn into_py_err(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Original(exception) => match exception.downcast_ref::<Py<PyBaseException>>() {
                Some(exception) => PyErr::from_value(exception.bind(py).clone().into_any()),
                None => PyRuntimeError::new_err("a tool ended the run with something that is no exception"),
            },
            Self::Report(report) => exception(py, &report).map_or_else(|error| error, PyErr::from_value),
        }
    }
}

impl From<ErrorReport> for Failure {
    fn from(report: ErrorReport) -> Self {
        Self::report(report)
    }
}

fn exception<'py>(py: Python<'py>, report: &ErrorReport) -> PyResult<Bound<'py, PyAny>> {
    static FROM_REPORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let json = serde_json::to_string(report).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    FROM_REPORT.import(py, "mosaic.errors", "error_from_report")?.call1((json,))
}
