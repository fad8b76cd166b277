//! An agent, and how one is built.

use std::sync::{Arc, OnceLock};

use thiserror::Error;

use super::{Limits, RunEndHook, digest};
use crate::context::ContextProvider;
use crate::error::ErrorKind;
use crate::model::{ChatModel, ModelParams, ModelRef, ModelRefError};
use crate::router::RouteHints;
use crate::session::RecoveryPolicy;
use crate::summary::Compaction;
use crate::tool::{Tool, ToolSet, ToolSetError, ToolSpec};

/// A model, or the name of one that is resolved when a session opens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ModelChoice {
    /// By name.
    Named(ModelRef),
    /// Itself.
    Given(Arc<dyn ChatModel>),
    /// A text that is no name; kept, so that the builder can say so.
    Invalid(ModelRefError),
}

impl From<&str> for ModelChoice {
    fn from(name: &str) -> Self {
        name.parse().map_or_else(Self::Invalid, Self::Named)
    }
}

impl From<String> for ModelChoice {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

impl From<ModelRef> for ModelChoice {
    fn from(name: ModelRef) -> Self {
        Self::Named(name)
    }
}

impl<M: ChatModel + 'static> From<M> for ModelChoice {
    fn from(model: M) -> Self {
        Self::Given(Arc::new(model))
    }
}

impl<M: ChatModel + 'static> From<Arc<M>> for ModelChoice {
    fn from(model: Arc<M>) -> Self {
        Self::Given(model)
    }
}

impl From<Arc<dyn ChatModel>> for ModelChoice {
    fn from(model: Arc<dyn ChatModel>) -> Self {
        Self::Given(model)
    }
}

/// What an agent says of compaction.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum CompactionChoice {
    /// Nothing: the engine's default counts.
    #[default]
    Unset,
    /// Its conversations are never compacted.
    Never,
    /// So.
    Given(Arc<Compaction>),
}

/// What is wrong with an agent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AgentError {
    /// No model was given.
    #[error("agent `{agent}` has no model; call `.model(\"provider:model\")`")]
    NoModel {
        /// The agent.
        agent: String,
    },
    /// The model's name is none.
    #[error("agent `{agent}`: {source}")]
    Model {
        /// The agent.
        agent: String,
        /// Why.
        source: ModelRefError,
    },
    /// The tools are wrong.
    #[error("agent `{agent}`: {source}")]
    Tools {
        /// The agent.
        agent: String,
        /// Why.
        source: ToolSetError,
    },
    /// The settings of compaction make no sense.
    #[error("agent `{agent}`: {reason}")]
    Compaction {
        /// The agent.
        agent: String,
        /// Why, as [`CompactionError`](crate::summary::CompactionError) says it.
        reason: String,
    },
}

impl AgentError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidRequest
    }
}

/// Instructions, a model, tools and limits. Cheap to clone; a thousand sessions share one.
#[derive(Debug, Clone)]
pub struct Agent(Arc<Inner>);

/// Boxed in an agent: few have any of it, and an agent is to stay small.
#[derive(Debug, Default)]
struct Extras {
    fallbacks: Vec<ModelChoice>,
    hints: Option<RouteHints>,
    compaction: CompactionChoice,
    contexts: Vec<Arc<dyn ContextProvider>>,
    run_ends: Vec<Arc<dyn RunEndHook>>,
}

#[derive(Debug)]
struct Inner {
    name: Arc<str>,
    instructions: Arc<str>,
    model: ModelChoice,
    extras: Option<Box<Extras>>,
    params: ModelParams,
    tools: ToolSet,
    limits: Limits,
    recovery: RecoveryPolicy,
    /// Made when it is first asked for: when a session opens, not for every agent that is built.
    digest: OnceLock<Box<str>>,
}

impl Agent {
    /// Starts an agent of that name.
    pub fn builder(name: impl Into<Arc<str>>) -> AgentBuilder {
        AgentBuilder {
            name: name.into(),
            instructions: "".into(),
            model: None,
            extras: None,
            params: ModelParams::default(),
            tools: Vec::new(),
            check: None,
            limits: Limits::default(),
            recovery: RecoveryPolicy::default(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its instructions.
    #[must_use]
    pub fn instructions(&self) -> &Arc<str> {
        &self.0.instructions
    }

    /// Its model.
    #[must_use]
    pub fn model(&self) -> &ModelChoice {
        &self.0.model
    }

    /// The models that are asked when its model does not answer, in order.
    #[must_use]
    pub fn fallbacks(&self) -> &[ModelChoice] {
        self.0.extras.as_deref().map_or(&[], |extras| &extras.fallbacks)
    }

    /// Settings of its model calls.
    #[must_use]
    pub fn params(&self) -> &ModelParams {
        &self.0.params
    }

    /// What its model calls wish of their route.
    #[must_use]
    pub fn route(&self) -> Option<&RouteHints> {
        self.0.extras.as_deref()?.hints.as_ref()
    }

    /// Its tools.
    #[must_use]
    pub fn tools(&self) -> &ToolSet {
        &self.0.tools
    }

    /// What a run of it may take.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What becomes of calls whose outcome is unknown.
    #[must_use]
    pub fn recovery(&self) -> RecoveryPolicy {
        self.0.recovery
    }

    /// How its conversations are kept within its model's window.
    #[must_use]
    pub fn compaction(&self) -> &CompactionChoice {
        static UNSET: CompactionChoice = CompactionChoice::Unset;
        self.0.extras.as_deref().map_or(&UNSET, |extras| &extras.compaction)
    }

    /// What tells the model more before a run's first call.
    #[must_use]
    pub fn contexts(&self) -> &[Arc<dyn ContextProvider>] {
        self.0.extras.as_deref().map_or(&[], |extras| &extras.contexts)
    }

    /// What is told when a run ends.
    #[must_use]
    pub fn run_ends(&self) -> &[Arc<dyn RunEndHook>] {
        self.0.extras.as_deref().map_or(&[], |extras| &extras.run_ends)
    }

    /// Changes with anything that the model sees of the agent.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.0.digest.get_or_init(|| {
            let of_spec = |spec: &ToolSpec| {
                let (effect, approval) = (spec.effect, spec.approval);
                format!("{}\n{}\n{}\n{effect:?}{approval:?}", spec.name, spec.description, spec.input_schema)
            };
            let specs: Vec<String> = self.0.tools.specs().iter().map(of_spec).collect();
            let mut texts = vec![self.name(), &*self.0.instructions];
            texts.extend(specs.iter().map(String::as_str));
            digest(&texts).into()
        })
    }
}

/// An agent in the making.
#[derive(Debug)]
#[must_use]
pub struct AgentBuilder {
    name: Arc<str>,
    instructions: Arc<str>,
    model: Option<ModelChoice>,
    extras: Option<Box<Extras>>,
    params: ModelParams,
    tools: Vec<Arc<dyn Tool>>,
    check: Option<Arc<dyn crate::tool::SchemaCheck>>,
    limits: Limits,
    recovery: RecoveryPolicy,
}

impl AgentBuilder {
    /// The model: `"provider:model"`, or any [`ChatModel`], also in an `Arc`.
    pub fn model(mut self, model: impl Into<ModelChoice>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// A model that is asked when the one before it is down, limited, or too small for the conversation. May be called
    /// several times: the models are asked in that order.
    ///
    /// The engine puts a [`Router`](crate::router::Router) over the list, one for all sessions, so that a model that fails
    /// in one session is left alone by all for a while. A fallback that is known to lack what a request needs (tools,
    /// images) is not asked, nor is one of which nobody said whether it can; [`ModelInfo`](crate::ModelInfo) says it. For
    /// more than an order, build a router and give it to [`model`](AgentBuilder::model).
    ///
    /// ```
    /// # use mosaic_core::Agent;
    /// let agent = Agent::builder("assistant")
    ///     .model("anthropic:claude-sonnet-4-5")
    ///     .fallback("openai:gpt-4o")
    ///     .fallback("groq:llama-3.3-70b-versatile")
    ///     .build()?;
    /// assert_eq!(agent.fallbacks().len(), 2);
    /// # Ok::<(), mosaic_core::AgentError>(())
    /// ```
    pub fn fallback(mut self, model: impl Into<ModelChoice>) -> Self {
        self.extras.get_or_insert_default().fallbacks.push(model.into());
        self
    }

    /// The system prompt.
    pub fn instructions(mut self, instructions: impl Into<Arc<str>>) -> Self {
        self.instructions = instructions.into();
        self
    }

    /// Adds a tool.
    pub fn tool(mut self, tool: impl Tool + 'static) -> Self {
        self.tools.push(Arc::new(tool));
        self
    }

    /// Adds tools.
    pub fn tools(mut self, tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Another check of arguments and of structured answers.
    pub fn schema_check(mut self, check: Arc<dyn crate::tool::SchemaCheck>) -> Self {
        self.check = Some(check);
        self
    }

    /// Settings of its model calls.
    pub fn params(mut self, params: ModelParams) -> Self {
        self.params = params;
        self
    }

    /// What its model calls wish of their route, where its model is a router.
    pub fn route(mut self, route: RouteHints) -> Self {
        self.extras.get_or_insert_default().hints = Some(route);
        self
    }

    /// What a run may take.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What becomes of calls whose outcome is unknown.
    pub fn recovery(mut self, recovery: RecoveryPolicy) -> Self {
        self.recovery = recovery;
        self
    }

    /// How its conversations are kept within its model's window: see [`Compaction`]. `None`: not at all, even if the engine does
    /// it by default.
    pub fn compaction(mut self, compaction: impl Into<Option<Compaction>>) -> Self {
        self.extras.get_or_insert_default().compaction = match compaction.into() {
            Some(compaction) => CompactionChoice::Given(Arc::new(compaction)),
            None => CompactionChoice::Never,
        };
        self
    }

    /// Tells the model more before a run's first call: memories, documents. May be called several times: what the providers
    /// give stands in that order. They are asked together.
    pub fn context(mut self, provider: impl ContextProvider + 'static) -> Self {
        self.extras.get_or_insert_default().contexts.push(Arc::new(provider));
        self
    }

    /// Is told of every run that is about to end. May be called several times: the hooks are called in that order.
    pub fn on_run_end(mut self, hook: impl RunEndHook + 'static) -> Self {
        self.extras.get_or_insert_default().run_ends.push(Arc::new(hook));
        self
    }

    /// The agent.
    ///
    /// # Errors
    /// No model or no name of one; two tools of one name, or a tool that providers refuse; settings that make no sense.
    pub fn build(self) -> Result<Agent, AgentError> {
        let agent = || self.name.to_string();
        let model = match self.model {
            None => return Err(AgentError::NoModel { agent: agent() }),
            Some(ModelChoice::Invalid(source)) => return Err(AgentError::Model { agent: agent(), source }),
            Some(model) => model,
        };
        let fallbacks = self.extras.as_deref().map_or(&[][..], |extras| &extras.fallbacks);
        let invalid = fallbacks.iter().find_map(|choice| match choice {
            ModelChoice::Invalid(source) => Some(source.clone()),
            _ => None,
        });
        if let Some(source) = invalid {
            return Err(AgentError::Model { agent: agent(), source });
        }
        let compaction = self.extras.as_deref().map(|extras| &extras.compaction);
        if let Some(CompactionChoice::Given(compaction)) = compaction
            && let Err(error) = compaction.validate()
        {
            return Err(AgentError::Compaction { agent: agent(), reason: error.to_string() });
        }
        let mut tools =
            ToolSet::new(self.tools).map_err(|source| AgentError::Tools { agent: agent(), source })?;
        if let Some(check) = self.check {
            tools = tools.with_check(check);
        }
        Ok(Agent(Arc::new(Inner {
            name: self.name,
            instructions: self.instructions,
            model,
            extras: self.extras,
            params: self.params,
            tools,
            limits: self.limits,
            recovery: self.recovery,
            digest: OnceLock::new(),
        })))
    }
}
