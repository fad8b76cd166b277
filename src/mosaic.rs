//! The facade's engine.

use std::sync::Arc;

use mosaic_core::queue::Queue;
use mosaic_core::{
    Agent, CloseReport, Engine, ListOptions, Seq, Session, SessionInfo, SessionKey, SessionSpec, SessionStore,
};
use mosaic_memory::agent::AgentMemory;
use mosaic_memory::agent_log::AgentLog;
use mosaic_memory::session_archive::SessionArchive;
use mosaic_storage::Stores;

use crate::jobs::Jobs;
use crate::{Error, MosaicBuilder};

/// Sessions over a store, with names of models resolved. Cheap to clone; a process needs one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mosaic::Error> {
/// # use mosaic::testing::{Answer, ScriptedModel};
/// use mosaic::prelude::*;
///
/// let mosaic = Mosaic::open("memory:").await?;
/// # let model = ScriptedModel::new([Answer::text("No rain in Oslo.")]);
/// let agent = Agent::builder("assistant").model(model).build()?;
/// let session = mosaic.session("user-42", &agent).await?;
/// let reply = session.send("Rain in Oslo?").await?.finish().await?;
/// assert_eq!(reply.text, "No rain in Oslo.");
/// mosaic.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Mosaic {
    engine: Engine,
    store: Arc<dyn SessionStore>,
    parts: Option<Arc<Parts>>,
}

/// What there is besides sessions.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) stores: Stores,
    pub(crate) jobs: Jobs,
    pub(crate) memory: Option<AgentMemory>,
    pub(crate) agent_log: Option<Arc<AgentLog>>,
    pub(crate) session_archive: Option<SessionArchive>,
}

impl Mosaic {
    /// Opens the store at an address: `sqlite://app.db`, or `memory:` for one that lasts as long as the process.
    ///
    /// Keys of model providers are taken from the environment; [`builder`](Mosaic::builder) takes them from elsewhere.
    ///
    /// # Errors
    /// What the store says (no such kind of store, a locked, damaged or newer database); [`Error::NoRuntime`] outside of
    /// tokio.
    pub async fn open(url: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder().open(url).await
    }

    /// Starts a Mosaic with settings of its own: a transport, keys, providers, a runtime.
    pub fn builder() -> MosaicBuilder {
        MosaicBuilder::default()
    }

    pub(crate) fn new(engine: Engine, store: Arc<dyn SessionStore>, parts: Option<Parts>) -> Self {
        Self { engine, store, parts: parts.map(Arc::new) }
    }

    /// Opens a session, or creates it. Runs nothing: [`Session::send`] does, and [`Session::resume`] goes on with what a
    /// crash or a restart interrupted. A session that is [archived](crate::SessionArchiveSetup) is opened as it was.
    ///
    /// # Errors
    /// `not_found` or `auth` when the agent's model cannot be had, saying what to set; `invalid_request` when the session is
    /// another user's; what the store says.
    pub async fn session(&self, spec: impl Into<SessionSpec>, agent: &Agent) -> Result<Session, Error> {
        Ok(self.engine.session(spec, agent).await?)
    }

    /// Opens a session that exists; `None` when there is none of that name.
    ///
    /// # Errors
    /// As [`session`](Mosaic::session).
    pub async fn find_session(
        &self,
        spec: impl Into<SessionSpec>,
        agent: &Agent,
    ) -> Result<Option<Session>, Error> {
        Ok(self.engine.find_session(spec, agent).await?)
    }

    /// The sessions of a tenant, in the order of their names, archived ones among them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sessions(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, Error> {
        Ok(self.engine.sessions(tenant, options).await?)
    }

    /// Copies a session up to an entry into a new one.
    ///
    /// # Errors
    /// `not_found`, or `conflict` when `to` exists.
    pub async fn fork(
        &self,
        from: impl Into<SessionKey>,
        upto: Seq,
        to: impl Into<SessionKey>,
    ) -> Result<SessionInfo, Error> {
        Ok(self.engine.fork(from, upto, to).await?)
    }

    /// Removes a session and every trace of it, wherever it is.
    ///
    /// # Errors
    /// `conflict` while a run of it goes on.
    pub async fn erase(&self, key: impl Into<SessionKey>) -> Result<(), Error> {
        Ok(self.engine.erase(key).await?)
    }

    /// What agents remember: give it to an agent with
    /// [`memory`](mosaic_memory::agent::MemoryAgentBuilder::memory), or ask it yourself.
    ///
    /// # Errors
    /// [`Error::Setup`] when the builder was given no memory.
    pub fn memory(&self) -> Result<&AgentMemory, Error> {
        let memory = self.parts.as_deref().and_then(|parts| parts.memory.as_ref());
        memory.ok_or_else(|| Error::Setup {
            reason:
                "this Mosaic remembers nothing; give its builder a memory: `.memory(MemorySetup::new(..))`"
                    .into(),
        })
    }

    /// The jobs: to add some, and to look after them.
    ///
    /// # Errors
    /// [`Error::Setup`] over a store that keeps sessions alone.
    pub fn jobs(&self) -> Result<&Queue, Error> {
        Ok(&self.parts()?.jobs.queue)
    }

    /// Waits until no job is due or runs: what follows the runs that have ended is done then, as far as it can be done now. A
    /// job that failed and waits for its next attempt is not waited for.
    ///
    /// # Errors
    /// What the store says; [`Error::Setup`] over a store that keeps sessions alone.
    pub async fn idle(&self) -> Result<(), Error> {
        self.parts()?.jobs.idle().await
    }

    /// The agent logs: what agents did, in all tiers.
    ///
    /// # Errors
    /// [`Error::Setup`] when the builder was given none.
    pub fn agent_log(&self) -> Result<&Arc<AgentLog>, Error> {
        let log = self.parts.as_deref().and_then(|parts| parts.agent_log.as_ref());
        log.ok_or_else(|| Error::Setup {
            reason:
                "this Mosaic keeps no agent logs; give its builder some: `.agent_log(AgentLogSetup::new(..))`"
                    .into(),
        })
    }

    /// The archive of sessions: what is in it, and to archive one by hand.
    ///
    /// # Errors
    /// [`Error::Setup`] when the builder was given none.
    pub fn session_archive(&self) -> Result<&SessionArchive, Error> {
        let archive = self.parts.as_deref().and_then(|parts| parts.session_archive.as_ref());
        archive.ok_or_else(|| Error::Setup {
            reason: "this Mosaic archives no sessions; give its builder an archive: `.archive_sessions(SessionArchiveSetup::new(..))`"
                .into(),
        })
    }

    /// All that is kept, store by store.
    ///
    /// # Errors
    /// [`Error::Setup`] over a store that keeps sessions alone.
    pub fn stores(&self) -> Result<&Stores, Error> {
        Ok(&self.parts()?.stores)
    }

    fn parts(&self) -> Result<&Parts, Error> {
        self.parts.as_deref().ok_or_else(|| Error::Setup {
            reason:
                "this Mosaic was opened over a store of sessions alone and has no jobs; use `open_stores`"
                    .into(),
        })
    }

    /// Takes no more work, waits until nothing runs, and closes the store. Jobs that run may end within ten seconds; those that
    /// do not are due again at the next start. The report names the calls that did not stop when they were cancelled.
    ///
    /// # Errors
    /// What the store says.
    pub async fn close(&self) -> Result<CloseReport, Error> {
        let report = self.engine.stop().await;
        if let Some(parts) = &self.parts {
            parts.jobs.stop().await;
        }
        self.store.close().await?;
        Ok(report)
    }

    /// The engine underneath, for bindings.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The store underneath.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        &self.store
    }
}
