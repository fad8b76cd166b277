//! What the workloads share.

use std::sync::Arc;

use async_trait::async_trait;
use mosaic_core::{
    Agent, Auth, ChatModel, Effect, Engine, HttpModel, HttpTransport, ModelInfo, Origin, Profile, Runtime,
    Session, SessionStore, Tool, ToolContext, ToolError, ToolOutput, ToolSpec,
};
use mosaic_providers::transport::ReqwestTransport;
use serde_json::Value;

use crate::api::Api;
use crate::scenario::{self, check};
use crate::{Error, Result};

/// The tool.
#[derive(Debug)]
pub struct Weather(ToolSpec);

impl Weather {
    /// With its schema read.
    ///
    /// # Errors
    /// Never: the schema is a constant.
    pub fn new() -> Result<Self> {
        let schema = serde_json::from_str(scenario::TOOL_SCHEMA)?;
        let spec = ToolSpec::new(scenario::TOOL, scenario::TOOL_DESCRIPTION, schema).effect(Effect::ReadOnly);
        Ok(Self(spec))
    }
}

#[async_trait]
impl Tool for Weather {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, _: &ToolContext, input: Value) -> Result<ToolOutput, ToolError> {
        match input.get("city").and_then(Value::as_str) {
            Some("Oslo") => Ok(ToolOutput::text(scenario::TOOL_OUTPUT)),
            other => Err(ToolError::new(format!("no weather of {other:?}"))),
        }
    }
}

/// An agent with the tool.
///
/// # Errors
/// Never: nothing of it is made up at run time.
pub fn agent(model: Arc<dyn ChatModel>) -> Result<Agent> {
    Ok(Agent::builder("bench")
        .model(model)
        .instructions(scenario::INSTRUCTIONS)
        .tool(Weather::new()?)
        .build()?)
}

/// The models of the mock at `url`, over one transport.
#[derive(Debug, Clone)]
pub struct Models {
    transport: Arc<dyn HttpTransport>,
    runtime: Arc<dyn Runtime>,
    url: String,
    api: &'static Api,
}

impl Models {
    /// Over the library's own HTTP client.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self::over(Arc::new(ReqwestTransport::new()?), url))
    }

    /// Over any transport.
    #[must_use]
    pub fn over(transport: Arc<dyn HttpTransport>, url: &str) -> Self {
        let api = Api::first();
        Self { transport, runtime: runtime(), url: format!("{url}/v1"), api }
    }

    /// Over another API.
    #[must_use]
    pub fn api(mut self, api: &'static Api) -> Self {
        self.api = api;
        self
    }

    /// The model of that name.
    #[must_use]
    pub fn model(&self, name: &str) -> Arc<dyn ChatModel> {
        let codec = (self.api.codec)();
        let profile = Profile {
            origin: Origin { api: codec.api().into(), provider: "mock".into(), model: name.into() },
            info: ModelInfo::new("mock", name),
        };
        let (transport, runtime) = (self.transport.clone(), self.runtime.clone());
        Arc::new(
            HttpModel::new(codec, profile, &*self.url, transport, runtime)
                .auth(Auth::bearer("none".to_owned())),
        )
    }

    /// An agent with the tool and the model of that name.
    ///
    /// # Errors
    /// As [`agent`].
    pub fn agent(&self, model: &str) -> Result<Agent> {
        agent(self.model(model))
    }
}

/// The runtime of the caller.
#[must_use]
pub fn runtime() -> Arc<dyn Runtime> {
    Arc::new(mosaic_core::TokioRuntime::over(tokio::runtime::Handle::current()))
}

/// An engine over a store.
#[must_use]
pub fn engine(store: Arc<dyn SessionStore>) -> Engine {
    Engine::new(store, runtime(), None)
}

/// An engine that keeps everything in memory.
#[must_use]
pub fn engine_in_ram() -> Engine {
    engine(Arc::new(mosaic_storage::RamStore::new()))
}

/// A question and its answer; the tool is called in between if the agent's model does so.
///
/// # Errors
/// When the run fails, or its text is another.
pub async fn turn(session: &Session, number: u64) -> Result<()> {
    let reply = session.send(scenario::question(number)).await?.finish().await?;
    check("text", reply.text.as_str(), scenario::SHORT_TEXT)
}

/// How many messages a session's log holds, as a provider counts them: a tool's result is one.
///
/// # Errors
/// When the log cannot be read.
pub async fn messages(session: &Session) -> Result<u64> {
    use mosaic_core::{Body, Seq};
    let is_message =
        |body: &Body| matches!(body, Body::Input { .. } | Body::Assistant { .. } | Body::ToolEnd { .. });
    let entries = session.entries(Seq(1)).await.map_err(Error::from)?;
    Ok(entries.iter().filter(|entry| is_message(&entry.body)).count() as u64)
}
