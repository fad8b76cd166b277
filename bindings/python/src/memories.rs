//! Memories, as Python asks for them.

use std::borrow::Cow;
use std::sync::Arc;

use mosaic::memory::agent::AgentMemory;
use mosaic::memory::recall::{Hit, RecallRequest, Recalled};
use mosaic_core::memory::{AsOf, Filter, Memory, Reach, Scope};
use mosaic_core::{ErrorReport, Runtime};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::bridge::{Failure, future_into_py};
use crate::json::{read, write};

/// What is remembered.
#[pyclass(frozen, module = "mosaic._mosaic", name = "Memories")]
pub(crate) struct PyMemories {
    memory: AgentMemory,
    runtime: Arc<dyn Runtime>,
}

impl PyMemories {
    pub(crate) fn new(memory: AgentMemory, runtime: Arc<dyn Runtime>) -> Self {
        Self { memory, runtime }
    }
}

/// Which memories are meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    filter: Filter,
    /// What is so now, whatever the filter's own times are.
    now: bool,
}

impl Which {
    fn filter(mut self, runtime: &dyn Runtime) -> Filter {
        if self.now {
            self.filter.as_of = AsOf::valid(runtime.now());
        }
        self.filter
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    scope: Scope,
    reach: Reach,
    text: String,
    which: Which,
    limit: usize,
    budget: Option<u64>,
}

#[pymethods]
impl PyMemories {
    /// Searches. Takes and gives JSON.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[str]")]
    fn search<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let (memory, runtime) = (self.memory.clone(), self.runtime.clone());
        future_into_py(py, async move {
            let Search { scope, reach, text, which, limit, budget } = read("search", &request)?;
            let mut asked = RecallRequest::new(scope, text).reach(reach).limit(limit).now(runtime.now());
            asked.filter = which.filter(&*runtime);
            if asked.filter.as_of == AsOf::default() {
                // At any time: a request that says the time asks for what is so then.
                asked.now = None;
            }
            asked.budget = budget;
            let found =
                memory.recall().recall(&asked).await.map_err(|error| Failure::report(error.report()))?;
            write(&ShownRecalled::of(&found))
        })
    }
}

/// A memory, and its text.
#[derive(Serialize)]
struct Shown<'m> {
    #[serde(flatten)]
    memory: &'m Memory,
    text: Cow<'m, str>,
}

impl<'m> Shown<'m> {
    fn of(memory: &'m Memory) -> Self {
        Self { memory, text: memory.text() }
    }
}

#[derive(Serialize)]
struct ShownHit<'m> {
    memory: Shown<'m>,
    score: f64,
    shares: Vec<ShownShare>,
    explanation: String,
}

#[derive(Serialize)]
struct ShownShare {
    signal: &'static str,
    value: f64,
    weight: f64,
    points: f64,
}

impl<'m> ShownHit<'m> {
    fn of(hit: &'m Hit) -> Self {
        let shares = hit.shares.iter().map(|share| ShownShare {
            signal: share.signal.name(),
            value: share.value,
            weight: share.weight,
            points: share.points,
        });
        Self {
            memory: Shown::of(&hit.memory),
            score: hit.score,
            shares: shares.collect(),
            explanation: hit.to_string(),
        }
    }
}

#[derive(Serialize)]
struct ShownRecalled<'m> {
    hits: Vec<ShownHit<'m>>,
    text: String,
    tokens: u64,
    too_long: usize,
    admitted: u64,
    without_vectors: Option<&'m ErrorReport>,
}

impl<'m> ShownRecalled<'m> {
    fn of(found: &'m Recalled) -> Self {
        Self {
            hits: found.hits.iter().map(ShownHit::of).collect(),
            text: found.text(),
            tokens: found.tokens,
            too_long: found.too_long,
            admitted: found.admitted,
            without_vectors: found.without_vectors.as_ref(),
        }
    }
}
