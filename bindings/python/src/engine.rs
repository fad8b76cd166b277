//! The library, opened over a store, and agents as it knows them.

use std::sync::Arc;

use mosaic::providers::endpoint::Endpoint;
use mosaic::{Mosaic, MosaicBuilder, SessionLogs};
use mosaic_core::port::Port;
use mosaic_core::testing::ScriptedModel;
use mosaic_core::{
    Agent, ErrorKind, ErrorReport, Limits, ModelParams, Runtime, SessionKey, SessionSpec, TokioRuntime, Tool,
    ToolSpec,
};
use pyo3::prelude::*;
use serde::Deserialize;

use crate::agent_log::{self, PyAgentLog};
use crate::bridge::{Failure, NOTHING, Outcome, future_into_py};
use crate::json::{invalid, read};
use crate::memories::PyMemories;
use crate::memory;
use crate::model::Model;
use crate::port::PyPort;
use crate::session::PySession;
use crate::testing::PyScriptedModel;
use mosaic::memory::agent::MemoryAgentBuilder;

/// An agent, as Python describes it.
#[derive(Deserialize)]
struct Description {
    name: String,
    model: Model,
    /// Asked when the model does not answer, in order.
    #[serde(default)]
    fallback: Vec<Model>,
    instructions: String,
    tools: Vec<HostTool>,
    params: ModelParams,
    limits: Limits,
    /// Whether it remembers.
    #[serde(default)]
    memory: bool,
}

#[derive(Deserialize)]
struct HostTool {
    handle: u64,
    spec: ToolSpec,
}

/// An agent.
#[pyclass(frozen, module = "mosaic._mosaic", name = "Agent")]
pub(crate) struct PyAgent {
    agent: Agent,
}

/// The library, opened over a store.
#[pyclass(frozen, module = "mosaic._mosaic", name = "Engine")]
pub(crate) struct PyEngine {
    mosaic: Mosaic,
    port: Port,
}

/// Opens a store. `providers` are names and base URLs of servers that speak OpenAI's API, `keys` those of providers; `memory` and
/// `agent_log` are descriptions in JSON, with the scripted models that they name by their places.
#[pyfunction]
#[pyo3(signature = (url, providers: "list[tuple[str, str]]", keys: "list[tuple[str, str]]", host_transport, memory: "str | None", agent_log: "str | None", scripted: "list[ScriptedModel]") -> "collections.abc.Awaitable[Engine]")]
#[expect(clippy::too_many_arguments, reason = "Python's names for them stand beside them")]
pub(crate) fn open<'py>(
    py: Python<'py>,
    url: String,
    providers: Vec<(String, String)>,
    keys: Vec<(String, String)>,
    host_transport: bool,
    memory: Option<String>,
    agent_log: Option<String>,
    scripted: Vec<PyRef<'py, PyScriptedModel>>,
) -> PyResult<Bound<'py, PyAny>> {
    let scripted: Vec<_> = scripted.iter().map(|scripted| scripted.model.clone()).collect();
    future_into_py(py, async move {
        let runtime = TokioRuntime::current()
            .map_err(|error| Failure::report(ErrorReport::new(ErrorKind::Internal, error.to_string())))?;
        let runtime: Arc<dyn Runtime> = Arc::new(runtime);
        let port = Port::new(runtime.clone());
        let mut builder = Mosaic::builder().runtime(runtime);
        for (name, url) in providers {
            builder = builder.endpoint(Endpoint::compatible(name, url));
        }
        for (provider, key) in keys {
            builder = builder.key(provider, key);
        }
        if host_transport {
            builder = builder.transport(Arc::new(port.transport()));
        }
        if let Some(memory) = memory {
            let memory: memory::Description = read("open", &memory)?;
            builder = builder.memory(memory.setup(&port, &scripted)?);
        }
        if let Some(log) = agent_log {
            let log: agent_log::Description = read("open", &log)?;
            builder = builder.agent_log(log.setup().await?);
            builder = log.schedule().into_iter().fold(builder, MosaicBuilder::schedule);
        }
        let mosaic = builder.open(&url).await.map_err(|error| Failure::report(error.report()))?;
        Ok(PyEngine { mosaic, port })
    })
}

#[pymethods]
impl PyEngine {
    /// The host port.
    fn port(&self) -> PyPort {
        PyPort { port: self.port.clone() }
    }

    /// What is remembered.
    fn memories(&self, py: Python<'_>) -> PyResult<PyMemories> {
        let memory = self.mosaic.memory().map_err(|_| {
            invalid("this Mosaic remembers nothing; open it with `Mosaic.open(url, memory=Memory(...))`")
                .into_py_err(py)
        })?;
        Ok(PyMemories::new(memory.clone(), self.mosaic.engine().runtime().clone()))
    }

    /// What agents did.
    fn agent_log(&self, py: Python<'_>) -> PyResult<PyAgentLog> {
        let log = self.mosaic.agent_log().map_err(|_| {
            invalid(
                "this Mosaic keeps no agent logs; open it with `Mosaic.open(url, agent_log=AgentLog(...))`",
            )
            .into_py_err(py)
        })?;
        Ok(PyAgentLog::new(log.clone()))
    }

    /// Makes an agent of its description in JSON, and of the scripted models that it names by their places.
    #[pyo3(signature = (agent, scripted: "list[ScriptedModel]"))]
    fn agent(
        &self,
        py: Python<'_>,
        agent: &str,
        scripted: Vec<PyRef<'_, PyScriptedModel>>,
    ) -> PyResult<PyAgent> {
        let scripted: Vec<_> = scripted.iter().map(|scripted| scripted.model.clone()).collect();
        let made = self.build(agent, &scripted);
        made.map(|agent| PyAgent { agent }).map_err(|failure| failure.into_py_err(py))
    }

    /// Opens a session, or creates it.
    #[pyo3(signature = (tenant, name, agent, user: "str | None") -> "collections.abc.Awaitable[Session]")]
    fn session<'py>(
        &self,
        py: Python<'py>,
        tenant: String,
        name: String,
        agent: &PyAgent,
        user: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (mosaic, agent) = (self.mosaic.clone(), agent.agent.clone());
        future_into_py(py, async move {
            let opened = mosaic.session(spec(tenant, name, user), &agent).await;
            opened.map(PySession::new).map_err(|error| Failure::report(error.report()))
        })
    }

    /// Opens a session that exists.
    #[pyo3(signature = (tenant, name, agent, user: "str | None") -> "collections.abc.Awaitable[Session | None]")]
    fn find_session<'py>(
        &self,
        py: Python<'py>,
        tenant: String,
        name: String,
        agent: &PyAgent,
        user: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (mosaic, agent) = (self.mosaic.clone(), agent.agent.clone());
        future_into_py(py, async move {
            let found = mosaic.find_session(spec(tenant, name, user), &agent).await;
            found.map(|found| found.map(PySession::new)).map_err(|error| Failure::report(error.report()))
        })
    }

    /// Removes a session and every trace of it.
    #[pyo3(signature = (tenant, name) -> "collections.abc.Awaitable[None]")]
    fn erase<'py>(&self, py: Python<'py>, tenant: String, name: String) -> PyResult<Bound<'py, PyAny>> {
        let mosaic = self.mosaic.clone();
        future_into_py(py, async move {
            let erased = mosaic.erase(SessionKey::of(tenant, name)).await;
            erased.map(|()| NOTHING).map_err(|error| Failure::report(error.report()))
        })
    }

    /// Erases a user. Gives what was erased as JSON.
    #[pyo3(signature = (tenant, user, sessions) -> "collections.abc.Awaitable[str]")]
    fn erase_user<'py>(
        &self,
        py: Python<'py>,
        tenant: String,
        user: String,
        sessions: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mosaic = self.mosaic.clone();
        let logs = if sessions { SessionLogs::Erased } else { SessionLogs::Kept };
        future_into_py(py, async move {
            let erased = mosaic.erase_user(&tenant, &user, logs).await;
            let erased = erased.map_err(|error| Failure::report(error.report()))?;
            Ok(serde_json::json!({
                "sessions": erased.sessions,
                "jobs": erased.jobs,
                "memories": erased.memories.memories,
                "blocks": erased.memories.blocks,
                "log_rows": erased.log_rows,
            })
            .to_string())
        })
    }

    /// Waits until no job is due or runs.
    #[pyo3(signature = () -> "collections.abc.Awaitable[None]")]
    fn idle<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mosaic = self.mosaic.clone();
        future_into_py(py, async move {
            mosaic.idle().await.map(|()| NOTHING).map_err(|error| Failure::report(error.report()))
        })
    }

    /// Waits until nothing runs, and closes. Names what would not stop.
    #[pyo3(signature = () -> "collections.abc.Awaitable[list[str]]")]
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (mosaic, port) = (self.mosaic.clone(), self.port.clone());
        future_into_py(py, async move {
            let closed = mosaic.close().await;
            // In any case: the event loop must not be left with tasks of ours.
            let abandoned: Vec<String> = port.close().await.into_iter().map(|call| call.what).collect();
            closed.map(|_| abandoned).map_err(|error| Failure::report(error.report()))
        })
    }
}

impl PyEngine {
    fn build(&self, agent: &str, scripted: &[Arc<ScriptedModel>]) -> Outcome<Agent> {
        let description: Description = read("session", agent)?;
        let port = &self.port;
        let tools = description
            .tools
            .into_iter()
            .map(|HostTool { handle, spec }| Arc::new(port.tool(spec, handle)) as Arc<dyn Tool>);
        let mut builder = Agent::builder(description.name)
            .instructions(description.instructions)
            .params(description.params)
            .limits(description.limits)
            .tools(tools);
        builder = builder.model(description.model.choice(scripted)?);
        for model in description.fallback {
            builder = builder.fallback(model.choice(scripted)?);
        }
        if description.memory {
            let memory = self.mosaic.memory().map_err(|error| Failure::report(error.report()))?;
            builder = builder.memory(memory);
        }
        builder.build().map_err(|error| invalid(error.to_string()))
    }
}

fn spec(tenant: String, name: String, user: Option<String>) -> SessionSpec {
    let spec = SessionSpec::from(SessionKey::of(tenant, name));
    match user {
        Some(user) => spec.user(user),
        None => spec,
    }
}
