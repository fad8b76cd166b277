//! What the writer is asked to do within one of its transactions: with jobs, with agent logs.

use std::fmt;

use futures_util::future::BoxFuture;
use mosaic_core::StoreError;
use mosaic_core::agent_log::AgentLogError;
use mosaic_core::queue::QueueError;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::fault::Fault;
use super::owner::Owner;

/// How a change does not come about.
pub(super) enum Refused<E> {
    /// The database failed: the transaction is to be rolled back.
    Fault(Fault),
    /// It is refused, and has changed nothing.
    Said(E),
}

impl<E> From<Fault> for Refused<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<QueueError> for Refused<QueueError> {
    fn from(error: QueueError) -> Self {
        Self::Said(error)
    }
}

impl From<AgentLogError> for Refused<AgentLogError> {
    fn from(error: AgentLogError) -> Self {
        Self::Said(error)
    }
}

/// A change within the transaction of the writer.
pub(super) type Change<T, E = QueueError> = Box<
    dyn for<'a> FnOnce(&'a mut SqliteConnection, &'a Owner) -> BoxFuture<'a, Result<T, Refused<E>>> + Send,
>;

/// A change of some type, with who waits for it.
pub(super) struct Work {
    /// Whether its commit must reach the disk.
    pub(super) durable: bool,
    /// Whether it removes what must not stay in the WAL either.
    pub(super) scrubs: bool,
    steps: Box<dyn Steps>,
}

impl Work {
    pub(super) fn new<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        durable: bool,
        change: Change<T, E>,
        reply: oneshot::Sender<Result<T, E>>,
    ) -> Self {
        Self { durable, scrubs: false, steps: Box::new(Asked { change: Some(change), done: None, reply }) }
    }

    /// What it removes must not stay in the WAL either.
    pub(super) fn scrubbing(self) -> Self {
        Self { scrubs: true, ..self }
    }

    /// Makes the change. It is answered later: when it is committed.
    pub(super) async fn run(&mut self, db: &mut SqliteConnection, owner: &Owner) -> Result<(), Fault> {
        self.steps.run(db, owner).await
    }

    /// Answers: the transaction was committed, or has failed.
    pub(super) fn answer(self, committed: Result<(), StoreError>) {
        self.steps.answer(committed);
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("durable", &self.durable).finish_non_exhaustive()
    }
}

trait Steps: Send {
    fn run<'a>(
        &'a mut self,
        db: &'a mut SqliteConnection,
        owner: &'a Owner,
    ) -> BoxFuture<'a, Result<(), Fault>>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Asked<T, E> {
    change: Option<Change<T, E>>,
    done: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T: Send + 'static, E: From<StoreError> + Send + 'static> Steps for Asked<T, E> {
    fn run<'a>(
        &'a mut self,
        db: &'a mut SqliteConnection,
        owner: &'a Owner,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let Some(change) = self.change.take() else { return Ok(()) };
            self.done = match change(db, owner).await {
                Ok(done) => Some(Ok(done)),
                Err(Refused::Said(error)) => Some(Err(error)),
                Err(Refused::Fault(fault)) => return Err(fault),
            };
            Ok(())
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        match (committed, self.done) {
            // Where the caller is gone the answer is dropped here.
            (Ok(()), Some(done)) => drop(self.reply.send(done)),
            (Err(error), _) => drop(self.reply.send(Err(error.into()))),
            // Never asked: whoever waits learns that the store is closed.
            (Ok(()), None) => {}
        }
    }
}
