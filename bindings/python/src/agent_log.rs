//! Agent logs, as Python describes them and asks for them.

use std::sync::Arc;
use std::time::Duration;

use mosaic::AgentLogSetup;
use mosaic::memory::agent_log::{AgentLog, TierPolicy, tier_schedule};
use mosaic::storage::FolderArchive;
use mosaic_core::agent_log::{
    AgentLogError, LogFilter, LogGroup, LogKey, LogOrder, LogQuery, LogRowId, LogTotals,
};
use mosaic_core::archive::{Archive, RamArchive};
use mosaic_core::memory::Scope;
use mosaic_core::queue::Schedule;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bridge::{Failure, Outcome, future_into_py};
use crate::json::{read, write};

/// How agent logs are kept. What is not said is as in the library.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    /// The folder of what grows old; in RAM, if there is none.
    archive: Option<String>,
    /// When it moves by itself: a cron expression.
    schedule: Option<String>,
    hot_age_ms: Option<u64>,
    hot_rows: Option<u64>,
    hot_bytes: Option<u64>,
    warm_age_ms: Option<u64>,
    cold_age_ms: Option<u64>,
    segment_rows: Option<u32>,
}

impl Description {
    pub(crate) async fn setup(&self) -> Outcome<AgentLogSetup> {
        let archive: Arc<dyn Archive> = match &self.archive {
            None => Arc::new(RamArchive::new()),
            Some(folder) => {
                let opened = FolderArchive::open(folder).await;
                Arc::new(opened.map_err(|error| Failure::report(error.report()))?)
            }
        };
        let mut policy = TierPolicy::default();
        policy.hot_age = self.hot_age_ms.map_or(policy.hot_age, Duration::from_millis);
        policy.hot_rows = self.hot_rows.unwrap_or(policy.hot_rows);
        policy.hot_bytes = self.hot_bytes.unwrap_or(policy.hot_bytes);
        policy.warm_age = self.warm_age_ms.map_or(policy.warm_age, Duration::from_millis);
        policy.cold_age = self.cold_age_ms.map(Duration::from_millis);
        policy.segment_rows = self.segment_rows.unwrap_or(policy.segment_rows);
        Ok(AgentLogSetup::new(archive).policy(policy))
    }

    pub(crate) fn schedule(&self) -> Option<Schedule> {
        self.schedule.as_deref().map(tier_schedule)
    }
}

/// What agents did.
#[pyclass(frozen, module = "mosaic._mosaic", name = "AgentLog")]
pub(crate) struct PyAgentLog {
    log: Arc<AgentLog>,
}

impl PyAgentLog {
    pub(crate) fn new(log: Arc<AgentLog>) -> Self {
        Self { log }
    }
}

/// Which rows are meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    filter: LogFilter,
    /// Those where something went wrong.
    failed: bool,
}

impl Which {
    fn filter(self) -> LogFilter {
        if self.failed { self.filter.failed() } else { self.filter }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    which: Which,
    order: LogOrder,
    after: Option<LogRowId>,
    limit: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Totals {
    which: Which,
    by: Vec<LogKey>,
}

#[derive(Serialize)]
struct ShownTotals<'t> {
    group: &'t LogGroup,
    totals: &'t LogTotals,
}

/// Takes and gives JSON.
#[pymethods]
impl PyAgentLog {
    /// A page of rows.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[str]")]
    fn rows<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let log = self.log.clone();
        future_into_py(py, async move {
            let Rows { which, order, after, limit } = read("rows", &request)?;
            let mut query = LogQuery::new(which.filter()).limit(limit);
            (query.order, query.after) = (order, after);
            write(&log.rows(&query).await.map_err(failure)?)
        })
    }

    /// What rows come to.
    #[pyo3(signature = (request) -> "collections.abc.Awaitable[str]")]
    fn totals<'py>(&self, py: Python<'py>, request: String) -> PyResult<Bound<'py, PyAny>> {
        let log = self.log.clone();
        future_into_py(py, async move {
            let Totals { which, by } = read("totals", &request)?;
            let table = log.totals(&which.filter(), &by).await.map_err(failure)?;
            let shown = table.0.iter().map(|(group, totals)| ShownTotals { group, totals });
            write(&shown.collect::<Vec<_>>())
        })
    }

    /// All rows of a scope as JSON lines.
    #[pyo3(signature = (scope) -> "collections.abc.Awaitable[str]")]
    fn export_lines<'py>(&self, py: Python<'py>, scope: String) -> PyResult<Bound<'py, PyAny>> {
        let log = self.log.clone();
        future_into_py(py, async move {
            let scope: Scope = read("export_lines", &scope)?;
            log.export_lines(&scope).await.map_err(failure)
        })
    }

    /// Adds the rows of an export. Says how many were new.
    #[pyo3(signature = (scope, lines) -> "collections.abc.Awaitable[int]")]
    fn import_lines<'py>(
        &self,
        py: Python<'py>,
        scope: String,
        lines: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let log = self.log.clone();
        future_into_py(py, async move {
            let scope: Scope = read("import_lines", &scope)?;
            log.import_lines(&scope, &lines).await.map_err(failure)
        })
    }

    /// Moves what has grown old of a tenant, and tells what that came to.
    #[pyo3(signature = (tenant) -> "collections.abc.Awaitable[str]")]
    fn tier<'py>(&self, py: Python<'py>, tenant: String) -> PyResult<Bound<'py, PyAny>> {
        let log = self.log.clone();
        future_into_py(py, async move {
            let report = log.tier(&tenant).await.map_err(failure)?;
            write(&json!({
                "moved": report.moved,
                "bytes": report.bytes,
                "repeated": report.repeated,
                "sealed": report.sealed,
                "removed": report.removed,
                "summaries_before": report.summaries_before,
            }))
        })
    }
}

fn failure(error: AgentLogError) -> Failure {
    Failure::report(error.report())
}
