//! The engine: opens sessions over a store, and knows what runs.
//!
//! The facade's `Mosaic` is this with names resolved; bindings and tests may use it directly.

mod activity;
mod fallback;

pub use activity::CloseReport;
pub(crate) use activity::{Active, Activity};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::agent::{Agent, CompactionChoice, RunEndHook};
use crate::id::{Seq, SessionKey};
use crate::model::ModelSource;
use crate::recording::run::RunRecorder;
use crate::runtime::Runtime;
use crate::session::{
    self, Body, Bound, CompactionPolicy, Entry, FORMAT, Log, Session, SessionError, SessionSpec, Shared,
    Surroundings,
};
use crate::store::{ListOptions, SessionInfo, SessionStore, StoreError};
use crate::summary::{Compaction, CompactionError};

/// Opens sessions over a store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    around: Surroundings,
    models: fallback::Models,
    /// Of agents that say nothing of it.
    compaction: Mutex<Option<Arc<Compaction>>>,
    open: Mutex<HashMap<SessionKey, Weak<Shared>>>,
}

impl Engine {
    /// Over a store and a runtime. Without a [`ModelSource`], agents must bring their models.
    #[must_use]
    pub fn new(
        store: Arc<dyn SessionStore>,
        runtime: Arc<dyn Runtime>,
        models: Option<Arc<dyn ModelSource>>,
    ) -> Self {
        let around = Surroundings {
            store,
            runtime,
            activity: Arc::default(),
            recording: Arc::default(),
            run_ends: Arc::default(),
        };
        let models = fallback::Models::new(models);
        Self(Arc::new(Inner { around, models, compaction: Mutex::default(), open: Mutex::default() }))
    }

    /// Opens a session, or creates it. Runs nothing.
    ///
    /// # Errors
    /// When the agent's model cannot be had, when the session is another user's, or what the store says.
    pub async fn session(
        &self,
        spec: impl Into<SessionSpec>,
        agent: &Agent,
    ) -> Result<Session, SessionError> {
        let spec = spec.into();
        let bound = self.bind(agent)?;
        loop {
            if let Some(session) = self.load(&spec, &bound).await? {
                return Ok(session);
            }
            match self.create(&spec, &bound).await {
                // Somebody else was faster: open theirs.
                Err(SessionError::Store(StoreError::Exists { .. })) => {}
                created => return created,
            }
        }
    }

    /// Opens a session that exists.
    ///
    /// # Errors
    /// As [`session`](Engine::session).
    pub async fn find_session(
        &self,
        spec: impl Into<SessionSpec>,
        agent: &Agent,
    ) -> Result<Option<Session>, SessionError> {
        self.load(&spec.into(), &self.bind(agent)?).await
    }

    /// The sessions of a tenant, by name.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sessions(
        &self,
        tenant: &str,
        options: ListOptions,
    ) -> Result<Vec<SessionInfo>, SessionError> {
        Ok(self.0.around.store.list(tenant, options).await?)
    }

    /// Copies a session's log up to an entry into a new session.
    ///
    /// # Errors
    /// `not_found`, or `conflict` when `to` exists.
    pub async fn fork(
        &self,
        from: impl Into<SessionKey>,
        upto: Seq,
        to: impl Into<SessionKey>,
    ) -> Result<SessionInfo, SessionError> {
        Ok(self.0.around.store.fork(&from.into(), upto, &to.into()).await?)
    }

    /// Removes a session and every trace of it.
    ///
    /// # Errors
    /// `conflict` while it is run.
    pub async fn erase(&self, key: impl Into<SessionKey>) -> Result<(), SessionError> {
        let key = key.into();
        self.0.around.store.erase(&key).await?;
        self.open().remove(&key);
        self.0.around.recording.forget(&key);
        Ok(())
    }

    /// Records what runs from now on, or stops recording: see [`recording::run`](crate::recording::run). A session that is
    /// at work is recorded from its next beginning on.
    pub fn record_runs(&self, recorder: impl Into<Option<RunRecorder>>) {
        self.0.around.recording.set(recorder.into());
    }

    /// How conversations of agents that say nothing of it are [compacted](Compaction), in sessions that are opened from now on;
    /// `None`, which it is at first: they are not.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn compact_by_default(
        &self,
        compaction: impl Into<Option<Compaction>>,
    ) -> Result<(), CompactionError> {
        let compaction = compaction.into();
        compaction.iter().try_for_each(Compaction::validate)?;
        *self.compaction() = compaction.map(Arc::new);
        Ok(())
    }

    fn compaction(&self) -> std::sync::MutexGuard<'_, Option<Arc<Compaction>>> {
        self.0.compaction.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes no more work and waits until nothing runs, as [`close`](Engine::close) does, and leaves the store open.
    pub async fn stop(&self) -> CloseReport {
        self.0.around.activity.close().await
    }

    /// Tells a hook of every run that is about to end, whatever its agent: before the agent's own hooks.
    pub fn on_run_end(&self, hook: impl RunEndHook + 'static) {
        self.0.around.run_ends.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(hook));
    }

    /// Takes no more work, waits until nothing runs, and closes the store. A run that waits for nothing but answers is not
    /// waited for: it goes on after the next start. Cancel the runs first if you do not want to
    /// wait for them. Tells which calls were abandoned because they did not stop when they were cancelled.
    ///
    /// # Errors
    /// What the store says.
    pub async fn close(&self) -> Result<CloseReport, SessionError> {
        let report = self.stop().await;
        self.0.around.store.close().await?;
        Ok(report)
    }

    /// Its runtime.
    #[must_use]
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.0.around.runtime
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<SessionKey, Weak<Shared>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bind(&self, agent: &Agent) -> Result<Bound, SessionError> {
        let failed = |source| SessionError::Model { agent: agent.name().to_owned(), source };
        let model = self.0.models.of(agent, self.runtime()).map_err(failed)?;
        let compaction = match agent.compaction() {
            CompactionChoice::Given(compaction) => Some(compaction.clone()),
            CompactionChoice::Never => None,
            CompactionChoice::Unset => self.compaction().clone(),
        };
        let policy =
            compaction.as_ref().map_or(CompactionPolicy::Never, |compaction| compaction.policy(model.info()));
        Ok(Bound { agent: agent.clone(), model, compaction, policy })
    }

    async fn load(&self, spec: &SessionSpec, bound: &Bound) -> Result<Option<Session>, SessionError> {
        let SessionSpec { key, user } = spec;
        self.0.around.activity.check()?;
        let known = self.open().get(key).and_then(Weak::upgrade);
        if let Some(shared) = known {
            shared.own(user.as_ref())?;
            shared.bind(bound.clone());
            return Ok(Some(Session::new(shared)));
        }
        let store = self.0.around.store.as_ref();
        if store.find(key).await?.is_none() {
            return Ok(None);
        }
        let log = Log::fold(&session::read(store, key, Seq(1)).await?);
        Ok(Some(self.remember(spec, bound, log)?))
    }

    async fn create(&self, spec: &SessionSpec, bound: &Bound) -> Result<Session, SessionError> {
        let SessionSpec { key, user } = spec;
        let info = bound.model.info();
        let model = format!("{}:{}", info.provider, info.model);
        let bodies = [
            Body::Created { key: key.clone(), forked_from: None },
            session::bound(&bound.agent, model, user.clone()),
        ];
        let at = self.0.around.runtime.now();
        let entry = |(seq, body)| Entry { seq: Seq(seq), v: FORMAT, at, run: None, body };
        let entries: Vec<Entry> = (1..).zip(bodies).map(entry).collect();
        let rows = entries.iter().map(Entry::to_row).collect::<Result<Vec<_>, _>>()?;
        self.0.around.store.create(key, rows).await?;
        self.remember(spec, bound, Log::fold(&entries))
    }

    fn remember(&self, spec: &SessionSpec, bound: &Bound, log: Log) -> Result<Session, SessionError> {
        let SessionSpec { key, user } = spec;
        let mut open = self.open();
        // Two tasks may have loaded it at once: they must share one.
        if let Some(shared) = open.get(key).and_then(Weak::upgrade) {
            shared.own(user.as_ref())?;
            return Ok(Session::new(shared));
        }
        open.retain(|_, session| session.strong_count() > 0);
        let shared = Arc::new(Shared::new(key.clone(), self.0.around.clone(), bound.clone(), log));
        shared.own(user.as_ref())?;
        open.insert(key.clone(), Arc::downgrade(&shared));
        Ok(Session::new(shared))
    }
}
