//! What is under way over a port: the queue of requests, the open calls, the credits. No task, no clock, no lock held
//! across an await; [`Port`](super::Port) adds those.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::embed::Vectors;
use super::message::{Batch, PortHeader, Request, RequestId, RequestKind, Response};
use super::{CANCEL_GRACE, WINDOW};
use crate::error::ErrorKind;
use crate::runtime::TaskHandle;
use crate::tool::{ToolContext, ToolError, ToolOutput};
use crate::transport::{HttpRequest, TransportError};

/// What became of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt {
    /// It was passed on.
    Taken,
    /// Nobody waits for it: the call has ended, was cancelled or never was. Dropped.
    Unknown,
    /// It does not fit the request, or exceeds the credit. The call has failed.
    Refused,
}

/// A call that its host did not let go of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Abandoned {
    /// The request.
    pub id: RequestId,
    /// What it was, in words.
    pub what: String,
}

/// What is and was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PortStats {
    /// Calls without a last response.
    pub open: usize,
    /// Bytes of response bodies that the host has sent and the core has not read.
    pub buffered: usize,
    /// The most that `buffered` ever was.
    pub buffered_peak: usize,
    /// Calls that were abandoned.
    pub abandoned: usize,
}

/// How a tool call ended.
pub(super) type ToolEnd = Result<ToolOutput, ToolError>;
/// The head of an answer.
pub(super) type Head = Result<(u16, Vec<PortHeader>), TransportError>;
/// A piece of a body, or how it broke. The end is the end of the channel, after `Whole`.
pub(super) enum Piece {
    Bytes(Bytes),
    Broken(TransportError),
    Whole,
}

/// Who waits for what.
pub(super) enum Waiter {
    Tool {
        end: oneshot::Sender<ToolEnd>,
        ctx: Box<ToolContext>,
    },
    Http {
        head: Option<oneshot::Sender<Head>>,
        pieces: mpsc::UnboundedSender<Piece>,
        credit: usize,
    },
    Embed {
        end: oneshot::Sender<Vectors>,
    },
    /// Nobody any more; the host has been told.
    Gone,
}

struct Call {
    what: String,
    waiter: Waiter,
    cancelled: bool,
    timer: Option<Box<dyn TaskHandle>>,
}

/// How many abandoned calls are remembered by name.
const ABANDONED_KEPT: usize = 1000;

#[derive(Default)]
pub(super) struct Table {
    next: u64,
    closing: bool,
    queue: VecDeque<(Request, Vec<Bytes>)>,
    calls: HashMap<RequestId, Call>,
    abandoned: Vec<Abandoned>,
    stats: PortStats,
}

impl Table {
    /// Writes down a request. `None`: the port is closing.
    pub(super) fn open(
        &mut self,
        what: String,
        kind: RequestKind,
        body: Vec<Bytes>,
        waiter: Waiter,
    ) -> Option<RequestId> {
        if self.closing {
            return None;
        }
        self.next += 1;
        let id = RequestId(self.next);
        self.calls.insert(id, Call { what, waiter, cancelled: false, timer: None });
        self.queue.push_back((Request { id, kind }, body));
        Some(id)
    }

    /// Writes down something that is not answered.
    pub(super) fn tell(&mut self, id: RequestId, kind: RequestKind) {
        self.queue.push_back((Request { id, kind }, Vec::new()));
    }

    /// The oldest requests.
    pub(super) fn take(&mut self, max: usize) -> Batch {
        let mut batch = Batch::default();
        let count = self.queue.len().min(max.max(1));
        for (mut request, pieces) in self.queue.drain(..count) {
            if let RequestKind::HttpOpen { body, .. } = &mut request.kind
                && !pieces.is_empty()
            {
                *body = u32::try_from(batch.buffers.len()).ok();
                batch.buffers.push(HttpRequest { body: pieces, ..HttpRequest::default() }.body_bytes());
            }
            batch.requests.push(request);
        }
        batch
    }

    /// Passes a response on.
    pub(super) fn respond(&mut self, id: RequestId, response: Response) -> Receipt {
        let Some(call) = self.calls.get_mut(&id) else { return Receipt::Unknown };
        if response.is_last() {
            let Some(call) = self.remove(id) else { return Receipt::Unknown };
            return finish(id, call.waiter, response);
        }
        match (&mut call.waiter, response) {
            (Waiter::Gone, _) => Receipt::Unknown,
            (Waiter::Tool { ctx, .. }, Response::Progress { update }) => {
                ctx.progress(update);
                Receipt::Taken
            }
            (Waiter::Http { head, .. }, Response::HttpHead { status, headers }) => match head.take() {
                // The receiver is gone only when the call is being dropped just now.
                Some(waiter) => {
                    waiter.send(Ok((status, headers))).map_or(Receipt::Unknown, |()| Receipt::Taken)
                }
                None => self.refuse(id, "it sent a second `http.head`"),
            },
            (Waiter::Http { head: None, pieces, credit }, Response::HttpChunk { bytes }) => {
                let Some(left) = credit.checked_sub(bytes.len()) else {
                    return self.refuse(id, "it sent more bytes than it was granted");
                };
                *credit = left;
                let length = bytes.len();
                if pieces.send(Piece::Bytes(bytes)).is_err() {
                    return Receipt::Unknown;
                }
                self.stats.buffered += length;
                self.stats.buffered_peak = self.stats.buffered_peak.max(self.stats.buffered);
                Receipt::Taken
            }
            _ => self.refuse(id, "the response does not fit the request"),
        }
    }

    /// The host broke the rules: the call fails, and the host is told to stop.
    fn refuse(&mut self, id: RequestId, why: &str) -> Receipt {
        if let Some(call) = self.calls.get_mut(&id) {
            let waiter = std::mem::replace(&mut call.waiter, Waiter::Gone);
            call.cancelled = true;
            self.tell(id, RequestKind::Cancel {});
            finish(
                id,
                waiter,
                Response::error("PortError", format!("the host broke the rules of the port: {why}")),
            );
        }
        Receipt::Refused
    }

    /// Bytes were read: they may be sent again.
    pub(super) fn read(&mut self, id: RequestId, length: usize, unreported: usize) -> usize {
        self.stats.buffered = self.stats.buffered.saturating_sub(length);
        let unreported = unreported + length;
        // At half the window: early enough that the host need not pause, rarely enough to cost nothing.
        if unreported < WINDOW / 2 {
            return unreported;
        }
        if let Some(Call { waiter: Waiter::Http { credit, .. }, cancelled: false, .. }) =
            self.calls.get_mut(&id)
        {
            *credit += unreported;
            let bytes = u32::try_from(unreported).unwrap_or(u32::MAX);
            self.tell(id, RequestKind::HttpCredit { bytes });
        }
        0
    }

    /// Bytes will never be read.
    pub(super) fn discard(&mut self, length: usize) {
        self.stats.buffered = self.stats.buffered.saturating_sub(length);
    }

    /// Asks the host to stop. Whether the call is still open, so that the grace begins.
    pub(super) fn cancel(&mut self, id: RequestId, keep_waiter: KeepWaiter) -> bool {
        // A request that the host never saw needs no cancel.
        if let Some(place) = self.queue.iter().position(|(request, _)| opens(request, id)) {
            self.queue.remove(place);
            if let Some(Call { waiter: Waiter::Tool { end, .. }, what, .. }) = self.remove(id) {
                drop(end.send(Err(cancelled(format!("{what} was cancelled before it began")))));
            }
            return false;
        }
        let Some(call) = self.calls.get_mut(&id) else { return false };
        if keep_waiter == KeepWaiter::No {
            call.waiter = Waiter::Gone;
        }
        if std::mem::replace(&mut call.cancelled, true) {
            return false;
        }
        self.tell(id, RequestKind::Cancel {});
        true
    }

    /// The timer of a cancelled call; `Err` gives it back when the call has ended meanwhile.
    pub(super) fn keep_timer(
        &mut self,
        id: RequestId,
        timer: Box<dyn TaskHandle>,
    ) -> Result<(), Box<dyn TaskHandle>> {
        match self.calls.get_mut(&id) {
            Some(call) => {
                call.timer = Some(timer);
                Ok(())
            }
            None => Err(timer),
        }
    }

    /// The grace is over.
    pub(super) fn abandon(&mut self, id: RequestId) {
        let Some(call) = self.calls.remove(&id) else { return };
        self.stats.abandoned += 1;
        if self.abandoned.len() < ABANDONED_KEPT {
            self.abandoned.push(Abandoned { id, what: call.what.clone() });
        }
        let message = format!(
            "{} did not stop within {} s of being cancelled; nobody knows how it ended",
            call.what,
            CANCEL_GRACE.as_secs()
        );
        match call.waiter {
            Waiter::Tool { end, .. } => drop(end.send(Err(cancelled(message)))),
            other => drop(finish(id, other, Response::error("Abandoned", message))),
        }
    }

    /// No new calls from now on. All waiters are let go; the ids are those that the host must still answer.
    pub(super) fn begin_close(&mut self) -> Vec<RequestId> {
        self.closing = true;
        let open: Vec<_> = self.calls.keys().copied().collect();
        for id in &open {
            if let Some(call) = self.calls.get_mut(id) {
                match std::mem::replace(&mut call.waiter, Waiter::Gone) {
                    Waiter::Tool { end, .. } => {
                        drop(end.send(Err(cancelled(format!("{}: the host port was closed", call.what)))));
                    }
                    Waiter::Http { head, pieces, .. } => {
                        head.map(|head| head.send(Err(TransportError::Gone)));
                        drop(pieces.send(Piece::Broken(TransportError::Gone)));
                    }
                    Waiter::Embed { end } => {
                        drop(end.send(Err(("Closed".into(), "the host port was closed".into()))))
                    }
                    Waiter::Gone => {}
                }
            }
        }
        open
    }

    /// Whether the host has nothing more to do, ever.
    pub(super) fn is_closed(&self) -> bool {
        self.closing && self.calls.is_empty() && self.queue.is_empty()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn has_requests(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(super) fn take_abandoned(&mut self) -> Vec<Abandoned> {
        std::mem::take(&mut self.abandoned)
    }

    pub(super) fn stats(&self) -> PortStats {
        PortStats { open: self.calls.len(), ..self.stats }
    }

    fn remove(&mut self, id: RequestId) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        if let Some(timer) = &call.timer {
            timer.abort();
        }
        Some(call)
    }
}

/// Whether somebody still waits for how a cancelled call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeepWaiter {
    Yes,
    No,
}

fn opens(request: &Request, id: RequestId) -> bool {
    let is_call = matches!(
        request.kind,
        RequestKind::ToolCall { .. } | RequestKind::HttpOpen { .. } | RequestKind::Embed { .. }
    );
    is_call && request.id == id
}

fn cancelled(message: String) -> ToolError {
    ToolError { kind: ErrorKind::Cancelled, ..ToolError::new(message) }
}

/// The last response of a call.
fn finish(id: RequestId, waiter: Waiter, response: Response) -> Receipt {
    let response = match (&waiter, response) {
        (Waiter::Tool { .. } | Waiter::Http { .. }, Response::Vectors { .. }) => {
            Response::error("PortError", "the host broke the rules of the port: nobody asked for `vectors`")
        }
        (_, response) => response,
    };
    let sent = match (waiter, response) {
        (Waiter::Tool { end, .. }, Response::End { content }) => end.send(Ok(ToolOutput { content })).is_ok(),
        (Waiter::Tool { end, .. }, Response::Error { class, message, fatal, token }) => {
            end.send(Err(super::tool::error(id, class, message, fatal, token))).is_ok()
        }
        (Waiter::Embed { end }, Response::Vectors { vectors }) => end.send(Ok(vectors)).is_ok(),
        (Waiter::Embed { end }, Response::Error { class, message, .. }) => {
            end.send(Err((class, message))).is_ok()
        }
        (Waiter::Embed { end }, _) => {
            let why = "the host broke the rules of the port: it answered an `embed` without `vectors`".into();
            end.send(Err(("PortError".into(), why))).is_ok()
        }
        (Waiter::Http { head: None, pieces, .. }, Response::End { .. }) => pieces.send(Piece::Whole).is_ok(),
        (Waiter::Http { head: Some(head), .. }, Response::End { .. }) => {
            let message = "it ended the exchange without a head".to_owned();
            head.send(Err(TransportError::Host { class: "PortError".into(), message })).is_ok()
        }
        (Waiter::Http { head, pieces, .. }, Response::Error { class, message, .. }) => {
            let error = TransportError::Host { class, message };
            match head {
                Some(head) => head.send(Err(error)).is_ok(),
                None => pieces.send(Piece::Broken(error)).is_ok(),
            }
        }
        _ => false,
    };
    if sent { Receipt::Taken } else { Receipt::Unknown }
}
