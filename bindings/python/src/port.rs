//! The host port, as Python sees it.

use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::FatalToken;
use mosaic_core::port::{Port, Receipt, RequestId, Response};
use pyo3::exceptions::{PyBaseException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use tokio::sync::oneshot;

use crate::bridge::{Inbox, runtime};

/// Requests of one batch.
const BATCH: usize = 64;

/// The port between the core and one event loop.
#[pyclass(frozen, module = "mosaic._mosaic", name = "Port")]
pub(crate) struct PyPort {
    pub(crate) port: Port,
}

#[pymethods]
impl PyPort {
    /// Delivers the requests of the core to `handler(requests, buffers)` on the running loop: `requests` is a JSON
    /// array, `buffers` the bodies it refers to. The next batch comes after the handler has returned.
    #[pyo3(signature = (handler: "collections.abc.Callable[[str, list[bytes]], None]") -> "None")]
    fn start(&self, py: Python<'_>, handler: Py<PyAny>) -> PyResult<()> {
        let inbox = Inbox::current(py)?;
        runtime(py)?.tokio.spawn(pump(self.port.clone(), inbox, handler));
        Ok(())
    }

    /// Answers a request with a response in JSON. Whether somebody waited for it.
    #[pyo3(signature = (id: "int", response) -> "bool")]
    fn respond(&self, id: u64, response: &str) -> PyResult<bool> {
        let response: Response = serde_json::from_str(response)
            .map_err(|error| PyValueError::new_err(format!("no response of the port: {error}")))?;
        Ok(self.port.respond(RequestId(id), response) == Receipt::Taken)
    }

    /// Answers with a piece of an HTTP body. Whether somebody waited for it.
    #[pyo3(signature = (id: "int", data) -> "bool")]
    fn chunk(&self, id: u64, data: &Bound<'_, PyBytes>) -> bool {
        let response = Response::chunk(Bytes::copy_from_slice(data.as_bytes()));
        self.port.respond(RequestId(id), response) == Receipt::Taken
    }

    /// Answers with an exception that ends the run, and is raised again where the run is awaited.
    #[pyo3(signature = (id: "int", class_name, message, exception) -> "bool")]
    fn fatal(&self, id: u64, class_name: String, message: String, exception: Py<PyBaseException>) -> bool {
        let token = Some(FatalToken(Arc::new(exception)));
        let response = Response::Error { class: class_name, message, fatal: true, token };
        self.port.respond(RequestId(id), response) == Receipt::Taken
    }

    /// What is and was under way, as JSON.
    fn stats(&self) -> PyResult<String> {
        serde_json::to_string(&self.port.stats()).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

async fn pump(port: Port, inbox: Arc<Inbox>, handler: Py<PyAny>) {
    let handler = Arc::new(handler);
    loop {
        let batch = port.poll(BATCH).await;
        let Ok(requests) = batch.to_json() else { continue };
        if batch.is_empty() {
            return;
        }
        let (taken, next) = oneshot::channel();
        let handler = handler.clone();
        let posted = inbox.post(move |py| {
            if let Err(error) = deliver(handler.bind(py), &requests, &batch.buffers) {
                error.write_unraisable(py, Some(handler.bind(py)));
            }
            let _ = taken.send(());
        });
        if !posted || next.await.is_err() {
            // The loop is closed: nobody will ever answer.
            port.abandon();
            return;
        }
    }
}

fn deliver(handler: &Bound<'_, PyAny>, requests: &str, buffers: &[Bytes]) -> PyResult<()> {
    let py = handler.py();
    let buffers = PyList::new(py, buffers.iter().map(|bytes| PyBytes::new(py, bytes)))?;
    handler.call1((requests, buffers)).map(drop)
}
