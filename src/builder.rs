//! A `Mosaic` in the making.

use std::sync::Arc;

use mosaic_core::queue::{Handler, Schedule};
use mosaic_core::recording::run::RunRecorder;
use mosaic_core::summary::Compaction;
use mosaic_core::{Engine, HttpTransport, ModelInfo, ModelSource, Runtime, SessionStore, TokioRuntime};
use mosaic_memory::agent::{AfterRun, Places};
use mosaic_memory::agent_log::record_job;
use mosaic_memory::session_archive::RestoringStore;
use mosaic_memory::summary::ExtractiveSummarizer;
use mosaic_providers::credentials::Credential;
use mosaic_providers::endpoint::Endpoint;
use mosaic_storage::Stores;
use secrecy::SecretString;

use crate::jobs::{JobSettings, Jobs};
use crate::models::{Models, Settings};
use crate::mosaic::Parts;
use crate::{AgentLogSetup, Error, MemorySetup, Mosaic, SessionArchiveSetup, Work, logs};

/// A [`Mosaic`] in the making.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mosaic::Error> {
/// use mosaic::providers::endpoint::Endpoint;
/// use mosaic::{Agent, ErrorKind, Mosaic};
///
/// let mosaic = Mosaic::builder()
///     .endpoint(Endpoint::compatible("lab", "http://127.0.0.1:8080/v1")) // for "lab:any-model"
///     .key("groq", "gsk-1") // instead of GROQ_API_KEY in the environment
/// #   .variables(|_| None)
///     .open("memory:")
///     .await?;
///
/// let agent = Agent::builder("assistant").model("openai:gpt-4o-mini").build()?;
/// let error = mosaic.session("user-42", &agent).await.unwrap_err(); // if there is no key
/// assert_eq!(error.kind(), ErrorKind::Auth);
/// assert!(error.to_string().contains("OPENAI_API_KEY"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `open`"]
pub struct MosaicBuilder {
    models: Settings,
    runtime: Option<Arc<dyn Runtime>>,
    recorder: Option<RunRecorder>,
    memory: Option<MemorySetup>,
    agent_log: Option<AgentLogSetup>,
    session_archive: Option<SessionArchiveSetup>,
    compaction: Compacting,
    jobs: JobSettings,
}

impl MosaicBuilder {
    /// The key of a provider, in place of its environment variable.
    pub fn key(mut self, provider: impl Into<String>, key: impl Into<SecretString>) -> Self {
        self.models.keys.insert(provider.into(), key.into());
        self
    }

    /// What pays for a provider, in place of a key: a function of the host's, or an authority whose tokens are renewed in
    /// time. It goes before a key. See [`credentials`](mosaic_providers::credentials).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mosaic::Error> {
    /// use mosaic::Mosaic;
    /// use mosaic::providers::credentials::{Credential, OAuth};
    /// use std::time::Duration;
    ///
    /// # async fn read_from_vault(_: &str) -> Result<String, std::io::Error> { Ok(String::new()) }
    /// let service = OAuth::client_credentials("https://login.example/token", "our-app", "its secret");
    /// let mosaic = Mosaic::builder()
    ///     .credential("azure", Credential::new(service.scope("https://cognitiveservices.azure.com/.default")))
    ///     .credential("openai", Credential::from_fn(|| read_from_vault("openai")).keep_for(Duration::from_secs(300)))
    ///     .open("memory:")
    ///     .await?;
    /// # mosaic.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn credential(mut self, provider: impl Into<String>, credential: Credential) -> Self {
        self.models.credentials.insert(provider.into(), credential);
        self
    }

    /// Where keys and addresses of providers are looked up, in place of the process's environment: a vault, for one.
    pub fn variables(mut self, read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.models.variables = Some(Box::new(read));
        self
    }

    /// Another provider: any server of a known wire API. It goes before one of the same name.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.models.endpoints.push(endpoint);
        self
    }

    /// What the host knows of a model that agents name: its window, its tool mode, its price. What is left out here, the
    /// [catalogue](mosaic_providers::catalogue) fills in where it knows the model.
    pub fn model_info(mut self, info: ModelInfo) -> Self {
        self.models.infos.push(info);
        self
    }

    /// Another source of models. Sources are asked in the order in which they were added, and before the providers.
    pub fn models(mut self, source: Arc<dyn ModelSource>) -> Self {
        self.models.sources.push(source);
        self
    }

    /// What carries HTTP, in place of the library's own client.
    pub fn transport(mut self, transport: Arc<dyn HttpTransport>) -> Self {
        self.models.transport = Some(transport);
        self
    }

    /// Another clock and executor than tokio's.
    pub fn runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Records every run, to replay it offline: see [`recording::run`](mosaic_core::recording::run).
    pub fn record_runs(mut self, recorder: &RunRecorder) -> Self {
        self.recorder = Some(recorder.clone());
        self
    }

    /// Lets agents remember: see [`MemorySetup`].
    pub fn memory(mut self, setup: MemorySetup) -> Self {
        self.memory = Some(setup);
        self
    }

    /// Keeps what agents did as rows: see [`AgentLogSetup`].
    pub fn agent_log(mut self, setup: AgentLogSetup) -> Self {
        self.agent_log = Some(setup);
        self
    }

    /// Puts sessions that nobody has used for long into an archive, and brings back what is asked for: see [`SessionArchiveSetup`].
    pub fn archive_sessions(mut self, setup: SessionArchiveSetup) -> Self {
        self.session_archive = Some(setup);
        self
    }

    /// How long conversations are [compacted](Compaction), where an agent says nothing of it; `None`: not at all. If nothing is
    /// said here either, they are when they come near the model's window, with the sentences that stand for the others
    /// ([`ExtractiveSummarizer`](mosaic_memory::summary::ExtractiveSummarizer)) and with the facts.
    pub fn compaction(mut self, compaction: impl Into<Option<Compaction>>) -> Self {
        self.compaction = Compacting(compaction.into());
        self
    }

    /// Handles jobs of a kind: of the host's own, which [`Mosaic::jobs`] takes.
    pub fn handler(mut self, handler: impl Handler + 'static) -> Self {
        self.jobs.handlers.push(Arc::new(handler));
        self
    }

    /// Adds jobs at certain times. The schedule is kept in the store; one of its name is replaced.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.jobs.schedules.push(schedule);
        self
    }

    /// Who works on jobs; a worker in the background, if nothing else is said.
    pub fn work(mut self, work: Work) -> Self {
        self.jobs.work = work;
        self
    }

    /// Opens the store at an address: see [`Mosaic::open`].
    ///
    /// # Errors
    /// As [`Mosaic::open`]; `not_found` for the key or the credential of a provider that nobody knows, and what is wrong with
    /// the memory's embedder or with a schedule.
    pub async fn open(self, url: impl AsRef<str>) -> Result<Mosaic, Error> {
        let stores = mosaic_storage::open_stores(url.as_ref()).await?;
        self.open_stores(stores).await
    }

    /// Over stores of the host's: of sessions, memories and jobs.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_stores(mut self, mut stores: Stores) -> Result<Mosaic, Error> {
        let (memory, agent_log) = (self.memory.take(), self.agent_log.take());
        let mut settings = std::mem::take(&mut self.jobs);
        let session_archive = self.session_archive.take().map(|setup| {
            let (archive, handler) = setup.open(stores.sessions.clone());
            // From here on, whoever asks for a session finds it.
            stores.sessions = Arc::new(RestoringStore::new(archive.clone()));
            settings.handlers.push(Arc::new(handler));
            archive
        });
        let ready = self.ready()?;
        let runtime = &ready.runtime;
        let memory = match memory {
            Some(setup) => {
                let places = Places {
                    sessions: stores.sessions.clone(),
                    memories: stores.memories.clone(),
                    jobs: stores.jobs.clone(),
                };
                let memory = setup.open(places, &ready.models, runtime.clone())?;
                settings.handlers.extend(memory.handlers());
                Some(memory)
            }
            None => None,
        };
        let agent_log = agent_log.map(|setup| setup.open(stores.agent_log.clone(), runtime.clone()));
        if let Some(log) = &agent_log {
            settings.handlers.extend(logs::handlers(log, &stores.sessions));
        }
        let jobs = Jobs::open(stores.jobs.clone(), runtime.clone(), settings).await?;
        let engine = ready.engine(stores.sessions.clone())?;
        if agent_log.is_some() {
            let after = AfterRun::new(stores.jobs.clone(), engine.runtime().clone());
            engine.on_run_end(after.then_job(record_job));
        }
        let sessions = stores.sessions.clone();
        let parts = Parts { stores, jobs, memory, agent_log, session_archive };
        Ok(Mosaic::new(engine, sessions, Some(parts)))
    }

    /// Over a store of the host's that keeps sessions alone: there are no jobs and no memory.
    ///
    /// # Errors
    /// [`Error::NoRuntime`] outside of tokio; `not_found` for the key or the credential of a provider that nobody knows;
    /// [`Error::Setup`] when the builder was given a memory, agent logs, an archive, a handler or a schedule.
    pub fn open_store(self, store: Arc<dyn SessionStore>) -> Result<Mosaic, Error> {
        let jobs = !self.jobs.handlers.is_empty() || !self.jobs.schedules.is_empty();
        let kept = self.memory.is_some() || self.agent_log.is_some() || self.session_archive.is_some();
        if kept || jobs {
            let reason =
                "a store of sessions alone keeps no memories and no jobs; use `open_stores` of the builder";
            return Err(Error::Setup { reason: reason.into() });
        }
        let engine = self.ready()?.engine(store.clone())?;
        Ok(Mosaic::new(engine, store, None))
    }

    /// All that does not depend on stores.
    fn ready(self) -> Result<Ready, Error> {
        let mut models = self.models;
        models.check()?;
        models.transport = models.transport.map_or_else(own_transport, |given| Ok(Some(given)))?;
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Arc::new(TokioRuntime::current().map_err(|_| Error::NoRuntime)?),
        };
        let models = Arc::new(Models::new(models, runtime.clone()));
        Ok(Ready { models, runtime, recorder: self.recorder, compaction: self.compaction.0 })
    }
}

/// A Mosaic without stores.
struct Ready {
    models: Arc<Models>,
    runtime: Arc<dyn Runtime>,
    recorder: Option<RunRecorder>,
    compaction: Option<Compaction>,
}

impl Ready {
    fn engine(self, store: Arc<dyn SessionStore>) -> Result<Engine, Error> {
        let engine = Engine::new(store, self.runtime, Some(self.models));
        engine.record_runs(self.recorder);
        engine.compact_by_default(self.compaction)?;
        Ok(engine)
    }
}

/// How conversations are compacted by default.
#[derive(Debug)]
struct Compacting(Option<Compaction>);

impl Default for Compacting {
    fn default() -> Self {
        Self(Some(Compaction::new(ExtractiveSummarizer::default())))
    }
}

/// The library's own client, where this build has one.
#[cfg(feature = "reqwest")]
fn own_transport() -> Result<Option<Arc<dyn HttpTransport>>, Error> {
    Ok(Some(Arc::new(mosaic_providers::transport::ReqwestTransport::new()?)))
}

#[cfg(not(feature = "reqwest"))]
fn own_transport() -> Result<Option<Arc<dyn HttpTransport>>, Error> {
    Ok(None)
}
