//! Memories, as Python asks for them and tells them.

use std::sync::Arc;

use futures_util::StreamExt;
use mosaic::memory::agent::AgentMemory;
use mosaic::memory::recall::RecallRequest;
use mosaic::memory::write::tools::Forgetting;
use mosaic::memory::write::{BlockPut, Draft};
use mosaic_core::Runtime;
use mosaic_core::memory::{
    AsOf, Change, Filter, MemoryError, MemoryId, MemoryPage, MemoryStore, MemoryStoreExt, Reach,
    RecordStream, Scope,
};
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::bridge::{Failure, NOTHING, Outcome, future_into_py};
use crate::json::{read, write};
use shown::{Shown, ShownRecalled};

mod shown;

/// Lines of an export that cross at once.
const BATCH: usize = 256;

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

    fn store(&self) -> Arc<dyn MemoryStore> {
        self.memory.places().memories.clone()
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    scope: Scope,
    which: Which,
    after: Option<MemoryId>,
    limit: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    scope: Scope,
    id: MemoryId,
    #[serde(default)]
    remove: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Save {
    scope: Scope,
    draft: Draft,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Blocks {
    scope: Scope,
    reach: Reach,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    scope: Scope,
    name: String,
    #[serde(default)]
    text: String,
    purpose: Option<String>,
    limit: Option<u32>,
    expected: Option<u64>,
}

/// Takes and gives JSON.
#[pymethods]
impl PyMemories {
    /// Searches.
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
            let found = memory.recall().recall(&asked).await;
            write(&ShownRecalled::of(&found.map_err(|error| Failure::report(error.report()))?))
        })
    }

    /// A page of memories.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[str]")]
    fn list<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let (store, runtime) = (self.store(), self.runtime.clone());
        future_into_py(py, async move {
            let List { scope, which, after, limit } = read("list", &request)?;
            let page = MemoryPage { filter: which.filter(&*runtime), after, limit };
            let found = store.list(&scope, page).await.map_err(failure)?;
            write(&found.iter().map(|memory| Shown::of(memory)).collect::<Vec<_>>())
        })
    }

    /// A memory.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[str | None]")]
    fn get<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let store = self.store();
        future_into_py(py, async move {
            let One { scope, id, .. } = read("get", &request)?;
            let found = store.get(&scope, &[id]).await.map_err(failure)?.into_iter().flatten().next();
            found.map(|memory| write(&Shown::of(&memory))).transpose()
        })
    }

    /// Writes a draft, and tells what became of it.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[str]")]
    fn save<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let memory = self.memory.clone();
        future_into_py(py, async move {
            let Save { scope, draft } = read("save", &request)?;
            let saved = memory.writer().save(&scope, draft).await;
            let decision = saved.map_err(|error| Failure::report(error.report()))?;
            write(&json!({
                "action": decision.action,
                "reason": decision.reason.to_string(),
                "memory": decision.memory,
                "closed": decision.closed,
            }))
        })
    }

    /// Believes a memory no longer, or removes it.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[None]")]
    fn forget<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let memory = self.memory.clone();
        future_into_py(py, async move {
            let One { scope, id, remove } = read("forget", &request)?;
            let forgetting = if remove { Forgetting::Remove } else { Forgetting::Close };
            memory.writer().forget(&scope, id, forgetting).await.map_err(failure)?;
            Ok(NOTHING)
        })
    }

    /// The core blocks that a scope sees.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[str]")]
    fn blocks<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let store = self.store();
        future_into_py(py, async move {
            let Blocks { scope, reach } = read("blocks", &request)?;
            write(&store.blocks(&scope, reach).await.map_err(failure)?)
        })
    }

    /// Writes a core block, and gives it.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[str]")]
    fn put_block<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let memory = self.memory.clone();
        future_into_py(py, async move {
            let Block { scope, name, text, purpose, limit, expected } = read("put_block", &request)?;
            let mut put = BlockPut::new(name, text);
            (put.purpose, put.limit, put.expected) = (purpose, limit, expected);
            let block = memory.writer().put_block(&scope, put).await;
            write(&block.map_err(|error| Failure::report(error.report()))?)
        })
    }

    /// Removes a core block.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[None]")]
    fn remove_block<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let store = self.store();
        future_into_py(py, async move {
            let Block { scope, name, .. } = read("remove_block", &request)?;
            store.apply(&scope, vec![Change::RemoveBlock { name: name.into() }]).await.map_err(failure)?;
            Ok(NOTHING)
        })
    }

    /// How much there is in a scope.
    #[pyo3(signature = (scope) -> "collections.abc.Awaitable[str]")]
    fn counts<'py>(&self, py: Python<'py>, scope: String) -> PyResult<Bound<'py, PyAny>> {
        let store = self.store();
        future_into_py(py, async move {
            let scope: Scope = read("counts", &scope)?;
            write(&store.counts(&scope).await.map_err(failure)?)
        })
    }

    /// Begins to give all of a scope.
    #[pyo3(signature = (scope) -> "collections.abc.Awaitable[Lines]")]
    fn export<'py>(&self, py: Python<'py>, scope: String) -> PyResult<Bound<'py, PyAny>> {
        let store = self.store();
        future_into_py(py, async move {
            let scope: Scope = read("export", &scope)?;
            let records = store.export(&scope).await.map_err(failure)?;
            Ok(PyLines { records: Some(Arc::new(Mutex::new(records))), tokio: Handle::current() })
        })
    }

    /// Adds the lines of an export.
    #[pyo3(signature = (scope, lines) -> "collections.abc.Awaitable[str]")]
    fn import_lines<'py>(
        &self,
        py: Python<'py>,
        scope: String,
        lines: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let store = self.store();
        future_into_py(py, async move {
            let scope: Scope = read("import_lines", &scope)?;
            let done = store.import_lines(&scope, &lines).await.map_err(failure)?;
            write(&json!({"added": done.added, "present": done.present}))
        })
    }
}

/// The lines of an export.
#[pyclass(frozen, module = "mosaic._mosaic", name = "Lines")]
pub(crate) struct PyLines {
    /// There until it is dropped.
    records: Option<Arc<Mutex<RecordStream>>>,
    tokio: Handle,
}

impl Drop for PyLines {
    fn drop(&mut self) {
        // Python drops it on a thread of its own; a read that was cut short gives back its connection by a task.
        let _inside = self.tokio.enter();
        self.records = None;
    }
}

#[pymethods]
impl PyLines {
    /// Some lines more; None after the last.
    #[pyo3(signature = () -> "collections.abc.Awaitable[list[str] | None]")]
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let records = self.records.clone();
        future_into_py(py, async move {
            match records {
                Some(records) => batch(&mut *records.lock().await).await,
                None => Ok(None),
            }
        })
    }
}

async fn batch(records: &mut RecordStream) -> Outcome<Option<Vec<String>>> {
    let mut lines = Vec::new();
    while lines.len() < BATCH
        && let Some(record) = records.next().await
    {
        lines.push(write(&record.map_err(failure)?)?);
    }
    Ok((!lines.is_empty()).then_some(lines))
}

fn failure(error: MemoryError) -> Failure {
    Failure::report(error.report())
}
