//! An engine over RAM, tools made of functions, and what a log says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mosaic_core::testing::ScriptedModel;
use mosaic_core::{
    Agent, AgentBuilder, Body, Engine, Entry, Run, SessionStore, TokioRuntime, Tool, ToolContext, ToolError,
    ToolOutput, ToolSpec,
};
use serde_json::{Value, json};

pub(crate) fn engine_over(store: Arc<dyn SessionStore>) -> Engine {
    Engine::new(store, Arc::new(TokioRuntime::current().unwrap()), None)
}

pub(crate) fn engine() -> Engine {
    engine_over(Arc::new(mosaic_storage::RamStore::new()))
}

pub(crate) fn agent(model: &ScriptedModel) -> AgentBuilder {
    Agent::builder("test").model(model.clone())
}

type Function = dyn Fn(Value) -> Result<ToolOutput, ToolError> + Send + Sync;

/// A tool made of a function; counts its calls.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) spec: ToolSpec,
    pub(crate) calls: Arc<AtomicUsize>,
    function: Arc<Function>,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.spec.name.fmt(f)
    }
}

impl Fake {
    pub(crate) fn new(
        name: &str,
        function: impl Fn(Value) -> Result<ToolOutput, ToolError> + Send + Sync + 'static,
    ) -> Self {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
        let spec = ToolSpec::new(name, "A tool of the tests.", schema);
        Self { spec, calls: Arc::default(), function: Arc::new(function) }
    }

    pub(crate) fn ok(name: &str) -> Self {
        Self::new(name, |input| Ok(ToolOutput::text(format!("got {input}"))))
    }

    /// With the spec of another one.
    pub(crate) fn like(mut self, other: &Self) -> Self {
        self.spec = other.spec.clone();
        self
    }

    pub(crate) fn called(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Tool for Fake {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, _ctx: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        (self.function)(input)
    }
}

pub(crate) fn kinds(entries: &[Entry]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry.body.kind()).collect()
}

/// The results of all calls, in the order of the log.
pub(crate) fn results(entries: &[Entry]) -> Vec<(String, mosaic_core::ToolStatus, String)> {
    let text = |parts: &[mosaic_core::Part]| parts.iter().filter_map(|part| part.as_text()).collect();
    entries
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::ToolEnd { call, status, content, .. } => Some((call.to_string(), *status, text(content))),
            _ => None,
        })
        .collect()
}

/// All events of a run until its end.
pub(crate) async fn drain(run: &mut Run) -> Vec<mosaic_core::Event> {
    let mut events = Vec::new();
    while let Some(event) = run.next().await {
        events.push(event);
    }
    events
}
