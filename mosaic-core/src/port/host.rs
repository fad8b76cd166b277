//! The port as an object: what both sides hold.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::CANCEL_GRACE;
use super::embed::PortEmbedder;
use super::http::PortTransport;
use super::message::{Batch, RequestId, RequestKind, Response};
use super::table::{Abandoned, KeepWaiter, PortStats, Receipt, Table};
use super::tool::PortTool;
use crate::memory::EmbedderInfo;
use crate::runtime::{Runtime, RuntimeExt};
use crate::tool::ToolSpec;

/// The driver measures the same grace and has the better verdict, that the outcome is unknown; so it comes first.
const MARGIN: Duration = Duration::from_millis(500);

/// The port between the core and one host. Cloned freely; all clones are the same port.
#[derive(Clone)]
pub struct Port {
    shared: Arc<Shared>,
}

struct Shared {
    table: Mutex<Table>,
    /// Something was asked, or the port closed.
    asked: Notify,
    /// A call ended.
    ended: Notify,
    runtime: Arc<dyn Runtime>,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Port {
    /// A port. The runtime's clock measures how long a host takes to let go.
    #[must_use]
    pub fn new(runtime: Arc<dyn Runtime>) -> Self {
        let shared = Shared { table: Mutex::default(), asked: Notify::new(), ended: Notify::new(), runtime };
        Self { shared: Arc::new(shared) }
    }

    /// A tool that the host runs. `handle` is the host's number for it; it comes back in every `tool.call`, and in
    /// `tool.release` when no call can come any more.
    #[must_use]
    pub fn tool(&self, spec: ToolSpec, handle: u64) -> PortTool {
        PortTool::new(self.clone(), spec, handle)
    }

    /// An embedder of the host's. `handle` is the host's number for it, as with [`tool`](Self::tool); `embed.release` says when no
    /// request can come any more.
    #[must_use]
    pub fn embedder(&self, info: EmbedderInfo, handle: u64) -> PortEmbedder {
        PortEmbedder::new(self.clone(), info, handle)
    }

    /// The host's HTTP.
    #[must_use]
    pub fn transport(&self) -> PortTransport {
        PortTransport::new(self.clone())
    }

    /// Waits for requests and gives up to `max` of them, oldest first. Empty once the port is closed and the host has
    /// answered all that was open. Dropping the future loses nothing.
    pub async fn poll(&self, max: usize) -> Batch {
        loop {
            let asked = self.shared.asked.notified();
            {
                let mut table = self.table();
                if table.has_requests() || table.is_closed() {
                    return table.take(max);
                }
            }
            asked.await;
        }
    }

    /// Answers a request.
    pub fn respond(&self, id: RequestId, response: Response) -> Receipt {
        let last = response.is_last();
        let receipt = self.table().respond(id, response);
        if receipt == Receipt::Refused {
            self.shared.asked.notify_one();
            self.begin_grace(id);
        } else if last {
            self.call_ended();
        }
        receipt
    }

    /// Cancels every open call, waits until the host has let go of it, at most [`CANCEL_GRACE`], and tells what it never
    /// let go of since the port began. Those who wait for a call learn at once. Afterwards [`poll`](Self::poll) gives
    /// empty batches and calls fail.
    pub async fn close(&self) -> Vec<Abandoned> {
        let open = self.table().begin_close();
        for id in open {
            self.cancel(id, KeepWaiter::No);
        }
        loop {
            let ended = self.shared.ended.notified();
            if self.table().is_idle() {
                break;
            }
            ended.await;
        }
        self.shared.asked.notify_waiters();
        self.shared.asked.notify_one();
        self.table().take_abandoned()
    }

    /// The host is gone without a word (its event loop was closed, say): nothing is awaited.
    pub fn abandon(&self) {
        let open = self.table().begin_close();
        for id in open {
            self.table().abandon(id);
        }
        self.call_ended();
        self.shared.asked.notify_waiters();
        self.shared.asked.notify_one();
    }

    /// What is and was under way.
    #[must_use]
    pub fn stats(&self) -> PortStats {
        self.table().stats()
    }

    pub(super) fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.shared.runtime
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing in the table is left half done by a panic: every method changes it in one go.
        self.shared.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There are new requests.
    pub(super) fn asked(&self) {
        self.shared.asked.notify_one();
    }

    pub(super) fn tell(&self, id: RequestId, kind: RequestKind) {
        self.table().tell(id, kind);
        self.asked();
    }

    /// Asks the host to stop, and begins the grace.
    pub(super) fn cancel(&self, id: RequestId, keep_waiter: KeepWaiter) {
        let begin = self.table().cancel(id, keep_waiter);
        if begin {
            self.asked();
            self.begin_grace(id);
        } else {
            self.call_ended();
        }
    }

    fn begin_grace(&self, id: RequestId) {
        let over = self.shared.runtime.sleep(CANCEL_GRACE + MARGIN);
        let port = self.clone();
        let timer = self.shared.runtime.spawn(Box::pin(async move {
            over.await;
            port.table().abandon(id);
            port.call_ended();
        }));
        let kept = self.table().keep_timer(id, timer);
        if let Err(timer) = kept {
            timer.abort();
        }
    }

    fn call_ended(&self) {
        self.shared.ended.notify_waiters();
    }
}
