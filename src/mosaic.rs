//! The facade's engine.

use std::sync::Arc;

use mosaic_core::{
    Agent, CloseReport, Engine, ListOptions, Runtime, Seq, Session, SessionInfo, SessionKey, SessionStore,
};

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

    pub(crate) fn new(
        store: Arc<dyn SessionStore>,
        runtime: Arc<dyn Runtime>,
        models: Arc<dyn mosaic_core::ModelSource>,
    ) -> Self {
        Self { engine: Engine::new(store.clone(), runtime, Some(models)), store }
    }

    /// Opens a session, or creates it. Runs nothing: [`Session::send`] does, and [`Session::resume`] goes on with what a
    /// crash or a restart interrupted.
    ///
    /// # Errors
    /// `not_found` or `auth` when the agent's model cannot be had, saying what to set; what the store says.
    pub async fn session(&self, key: impl Into<SessionKey>, agent: &Agent) -> Result<Session, Error> {
        Ok(self.engine.session(key, agent).await?)
    }

    /// Opens a session that exists; `None` when there is none of that name.
    ///
    /// # Errors
    /// As [`session`](Mosaic::session).
    pub async fn find_session(
        &self,
        key: impl Into<SessionKey>,
        agent: &Agent,
    ) -> Result<Option<Session>, Error> {
        Ok(self.engine.find_session(key, agent).await?)
    }

    /// The sessions of a tenant, in the order of their names.
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

    /// Removes a session and every trace of it.
    ///
    /// # Errors
    /// `conflict` while a run of it goes on.
    pub async fn erase(&self, key: impl Into<SessionKey>) -> Result<(), Error> {
        Ok(self.engine.erase(key).await?)
    }

    /// Takes no more work, waits until nothing runs, and closes the store. The report names the calls that did not stop
    /// when they were cancelled.
    ///
    /// # Errors
    /// What the store says.
    pub async fn close(&self) -> Result<CloseReport, Error> {
        Ok(self.engine.close().await?)
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
