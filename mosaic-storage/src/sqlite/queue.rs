//! What goes to the writer and back.

use mosaic_core::{Lease, Seq, SessionInfo, SessionKey, StoreError};
use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::sync::oneshot;

use super::memory;
use super::owner::Abandoned;
use super::plan::{Change, Done};
use super::work::Work;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Request {
    Change(Change, oneshot::Sender<Result<Answer, StoreError>>),
    Fork {
        from: SessionKey,
        upto: Seq,
        to: SessionKey,
        reply: oneshot::Sender<Result<SessionInfo, StoreError>>,
    },
    Erase(Erasure),
    Memory(memory::Request),
    Work(Work),
    Close {
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
}

/// A session that is to go.
#[derive(Debug)]
pub(super) struct Erasure {
    pub(super) key: SessionKey,
    /// As the holder of a lease, of a session that ends there.
    pub(super) held: Option<(Lease, Seq)>,
    pub(super) reply: oneshot::Sender<Result<(), StoreError>>,
}

/// How a change ended. An answer that nobody takes, because the caller is gone, gives the lease in it back.
#[derive(Debug)]
pub(super) struct Answer {
    done: Option<Done>,
    abandoned: Abandoned,
    queue: WeakUnboundedSender<Request>,
}

impl Answer {
    pub(super) fn new(done: Done, abandoned: Abandoned, queue: WeakUnboundedSender<Request>) -> Self {
        Self { done: Some(done), abandoned, queue }
    }

    /// Takes the answer.
    pub(super) fn take(mut self) -> Option<Done> {
        self.done.take()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let (Some(Done::Leased(lease)), Some(queue)) = (self.done.take(), self.queue.upgrade()) {
            // At once for this store: the caller's next request may stand in the queue already.
            self.abandoned.add(lease.epoch);
            // For the others. Fails only when the writer is gone, and its leases with it.
            let _ = queue.send(Request::Change(Change::Release { lease }, oneshot::channel().0));
        }
    }
}
