//! What all handles of a session in this process share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};

use super::driver::{Command, Driver};
use super::entry::Entry;
use super::error::SessionError;
use super::feed::Feed;
use super::log::Log;
use super::machine::CompactionPolicy;
use crate::agent::Agent;
use crate::id::{RunId, Seq, SessionKey};
use crate::model::ChatModel;
use crate::runtime::Runtime;
use crate::store::SessionStore;
use crate::summary::Compaction;
use crate::tool::FatalToken;

/// What the engine gives to each of its sessions.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) activity: Arc<crate::engine::Activity>,
    pub(crate) recording: Arc<crate::recording::run::Recording>,
    /// Told of every run's end, whatever its agent.
    pub(crate) run_ends: Arc<std::sync::RwLock<Vec<Arc<dyn crate::agent::RunEndHook>>>>,
}

/// An agent whose model has been resolved.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) agent: Agent,
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) compaction: Option<Arc<Compaction>>,
    /// When the machine asks for it.
    pub(crate) policy: CompactionPolicy,
}

/// One session in this process: shared by its handles, its runs and its driver.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) key: SessionKey,
    pub(crate) around: Surroundings,
    pub(crate) feed: Feed,
    /// Held by the driver while it works.
    pub(crate) log: Arc<tokio::sync::Mutex<Log>>,
    bound: Mutex<Bound>,
    /// Whose session it is, where the log or the host says so.
    user: Mutex<Option<Arc<str>>>,
    /// To the driver, while there is one.
    mailbox: Mutex<Option<mpsc::UnboundedSender<Command>>>,
    /// What a tool of the host ended a run with.
    fatal: Mutex<Option<(RunId, FatalToken)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that can panic runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(key: SessionKey, around: Surroundings, bound: Bound, log: Log) -> Self {
        let feed = Feed::default();
        feed.begin(log.last());
        let user = log.user.clone();
        Self {
            key,
            around,
            feed,
            log: Arc::new(tokio::sync::Mutex::new(log)),
            bound: Mutex::new(bound),
            user: Mutex::new(user),
            mailbox: Mutex::new(None),
            fatal: Mutex::new(None),
        }
    }

    pub(crate) fn bound(&self) -> Bound {
        locked(&self.bound).clone()
    }

    pub(crate) fn bind(&self, bound: Bound) {
        *locked(&self.bound) = bound;
    }

    /// Whose session it is.
    pub(crate) fn user(&self) -> Option<Arc<str>> {
        locked(&self.user).clone()
    }

    /// Says whose session it is, where that was not known.
    ///
    /// # Errors
    /// When it is another's.
    pub(crate) fn own(&self, user: Option<&Arc<str>>) -> Result<(), SessionError> {
        let Some(user) = user else { return Ok(()) };
        let mut known = locked(&self.user);
        let of = known.get_or_insert_with(|| user.clone());
        if of == user {
            return Ok(());
        }
        let reason = format!(
            "session `{}` is user `{of}`'s and cannot be opened for user `{user}`; open another session",
            self.key
        );
        Err(SessionError::Invalid { reason })
    }

    pub(crate) fn set_fatal(&self, run: RunId, token: FatalToken) {
        *locked(&self.fatal) = Some((run, token));
    }

    pub(crate) fn fatal(&self, run: RunId) -> Option<FatalToken> {
        locked(&self.fatal).as_ref().filter(|(of, _)| *of == run).map(|(_, token)| token.clone())
    }

    /// Gives the driver a command, starting one if there is none, and waits for its answer.
    pub(crate) async fn ask<T>(
        self: &Arc<Self>,
        command: impl FnOnce(oneshot::Sender<Result<T, SessionError>>) -> Command,
    ) -> Result<T, SessionError> {
        let (answer, answered) = oneshot::channel();
        self.post(command(answer))?;
        // A driver answers every command, also when it fails; only a runtime that shuts down drops one.
        answered.await.unwrap_or(Err(SessionError::Closed))
    }

    fn post(self: &Arc<Self>, command: Command) -> Result<(), SessionError> {
        let mut mailbox = locked(&self.mailbox);
        let command = match mailbox.as_ref() {
            None => command,
            // A driver that has stopped listening is on its way out; the next one takes over from the log.
            Some(sender) => match sender.send(command) {
                Ok(()) => return Ok(()),
                Err(unsent) => unsent.0,
            },
        };
        let active = self.around.activity.enter()?;
        let (sender, receiver) = mpsc::unbounded_channel();
        // Cannot fail: we hold the receiver.
        let _ = sender.send(command);
        *mailbox = Some(sender);
        drop(mailbox);
        let driver = Driver::new(self.clone(), receiver, active);
        drop(self.around.runtime.spawn(Box::pin(driver.run())));
        Ok(())
    }

    /// Whether the driver may go: nobody has written to it. Afterwards nobody can.
    pub(super) fn retire(&self, receiver: &mut mpsc::UnboundedReceiver<Command>) -> Option<Command> {
        let mut mailbox = locked(&self.mailbox);
        match receiver.try_recv() {
            Ok(command) => Some(command),
            Err(_) => {
                *mailbox = None;
                None
            }
        }
    }

    /// All entries from a number on, from the store.
    pub(crate) async fn read(&self, from: Seq) -> Result<Vec<Entry>, SessionError> {
        read(self.around.store.as_ref(), &self.key, from).await
    }
}

/// All entries of a session from a number on.
///
/// # Errors
/// What the store says, and entries that cannot be read.
pub async fn read(store: &dyn SessionStore, key: &SessionKey, from: Seq) -> Result<Vec<Entry>, SessionError> {
    let mut rows = store.read(key, from).await?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().await {
        entries.push(Entry::from_row(&row?)?);
    }
    Ok(entries)
}
