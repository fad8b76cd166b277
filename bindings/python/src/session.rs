//! Sessions.

use mosaic_core::{Decision, Input, InputDelivery, OutputSpec, Part, Seq, Session, SessionError};
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::bridge::{Failure, NOTHING, future_into_py};
use crate::json::{read, write};
use crate::run::PyRun;

/// What Python says.
#[derive(Deserialize)]
struct Said {
    parts: Vec<Part>,
    delivery: InputDelivery,
    output: Option<OutputSpec>,
}

/// A session.
#[pyclass(frozen, module = "mosaic._mosaic", name = "Session")]
pub(crate) struct PySession {
    session: Session,
}

impl PySession {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }
}

#[pymethods]
impl PySession {
    /// Says something, in JSON.
    #[pyo3(signature = (input) -> "collections.abc.Awaitable[Run]")]
    fn send<'py>(&self, py: Python<'py>, input: String) -> PyResult<Bound<'py, PyAny>> {
        let session = self.session.clone();
        future_into_py(py, async move {
            let Said { parts, delivery, output } = read("send", &input)?;
            let input = Input { parts, delivery, output, ..Input::default() };
            Ok(PyRun::new(session.send(input).await.map_err(failure)?))
        })
    }

    /// Goes on with what was interrupted.
    #[pyo3(signature = () -> "collections.abc.Awaitable[Run | None]")]
    fn resume<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let session = self.session.clone();
        future_into_py(py, async move { Ok(session.resume().await.map_err(failure)?.map(PyRun::new)) })
    }

    /// The log from an entry on, as JSON.
    #[pyo3(signature = (start: "int") -> "collections.abc.Awaitable[str]")]
    fn entries<'py>(&self, py: Python<'py>, start: u64) -> PyResult<Bound<'py, PyAny>> {
        let session = self.session.clone();
        future_into_py(py, async move { write(&session.entries(Seq(start)).await.map_err(failure)?) })
    }

    /// Answers a question with a decision in JSON.
    #[pyo3(signature = (question: "int", by, decision) -> "collections.abc.Awaitable[None]")]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        question: u64,
        by: String,
        decision: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.session.clone();
        future_into_py(py, async move {
            let decision: Decision = read("answer", &decision)?;
            session.answer(Seq(question), by, decision).await.map_err(failure)?;
            Ok(NOTHING)
        })
    }

    /// Goes on from an earlier entry.
    #[pyo3(signature = (to: "int") -> "collections.abc.Awaitable[int]")]
    fn rewind<'py>(&self, py: Python<'py>, to: u64) -> PyResult<Bound<'py, PyAny>> {
        let session = self.session.clone();
        future_into_py(py, async move { Ok(session.rewind(Seq(to)).await.map_err(failure)?.0) })
    }

    /// Writes something of the host, in JSON, into the log.
    #[pyo3(signature = (kind, data) -> "collections.abc.Awaitable[int]")]
    fn record<'py>(&self, py: Python<'py>, kind: String, data: String) -> PyResult<Bound<'py, PyAny>> {
        let session = self.session.clone();
        future_into_py(py, async move {
            let data: Value = read("record", &data)?;
            Ok(session.record(kind, data).await.map_err(failure)?.0)
        })
    }
}

pub(crate) fn failure(error: SessionError) -> Failure {
    Failure::report(error.report())
}
