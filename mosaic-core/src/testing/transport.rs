//! A transport that follows a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream;

use super::Gate;
use crate::transport::{Headers, HttpRequest, HttpResponse, HttpTransport, TransportError};

/// One scripted answer of a server: a head, and a body in pieces.
///
/// ```
/// use mosaic_core::testing::Reply;
/// let cut = Reply::ok("data: {}\n\n").cut_every(1);
/// let limited = Reply::status(429).header("retry-after", "3").body("{\"error\":{}}");
/// let stalled = Reply::ok("data: ").then_never();
/// # let _ = (cut, limited, stalled);
/// ```
#[derive(Debug)]
pub struct Reply {
    head: Result<u16, TransportError>,
    headers: Headers,
    before: Vec<Beat>,
    beats: Vec<Beat>,
}

#[derive(Debug)]
enum Beat {
    Piece(Bytes),
    Fail(TransportError),
    Hold(Gate),
    Never,
}

impl Reply {
    /// Status 200 and a body in one piece.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// A status without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { head: Ok(status), headers: Headers::default(), before: Vec::new(), beats: Vec::new() }
    }

    /// No answer but an error.
    #[must_use]
    pub fn error(error: TransportError) -> Self {
        Self { head: Err(error), ..Self::status(0) }
    }

    /// Not even a head ever comes.
    #[must_use]
    pub fn never() -> Self {
        Self { before: vec![Beat::Never], ..Self::status(0) }
    }

    /// The head waits until the gate is open.
    #[must_use]
    pub fn hold_head(mut self, gate: &Gate) -> Self {
        self.before.push(Beat::Hold(gate.clone()));
        self
    }

    /// With a header line.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(name.into(), value.into());
        self
    }

    /// With another piece of body.
    #[must_use]
    pub fn body(mut self, piece: impl Into<Bytes>) -> Self {
        self.beats.push(Beat::Piece(piece.into()));
        self
    }

    /// Cuts the pieces so far into pieces of `bytes` bytes (at least 1).
    #[must_use]
    pub fn cut_every(mut self, bytes: usize) -> Self {
        let cut = |beat| match beat {
            Beat::Piece(mut piece) => {
                let mut pieces = Vec::new();
                while !piece.is_empty() {
                    pieces.push(Beat::Piece(piece.split_to(bytes.max(1).min(piece.len()))));
                }
                pieces
            }
            other => vec![other],
        };
        self.beats = self.beats.into_iter().flat_map(cut).collect();
        self
    }

    /// Waits here until the gate is open.
    #[must_use]
    pub fn hold(mut self, gate: &Gate) -> Self {
        self.beats.push(Beat::Hold(gate.clone()));
        self
    }

    /// The connection breaks here.
    #[must_use]
    pub fn then_error(mut self, error: TransportError) -> Self {
        self.beats.push(Beat::Fail(error));
        self
    }

    /// Nothing comes after this, not even the end of the body.
    #[must_use]
    pub fn then_never(mut self) -> Self {
        self.beats.push(Beat::Never);
        self
    }
}

/// A transport that follows a script and remembers what it was asked to send. Clones share both.
#[derive(Clone)]
pub struct ScriptedTransport(Arc<Shared>);

struct Shared {
    /// Apart from the record, which the script's own function may read.
    script: Mutex<Script>,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    requests: Vec<HttpRequest>,
    cancelled: usize,
}

enum Script {
    Queue(VecDeque<Reply>),
    Function(Box<dyn FnMut(&HttpRequest) -> Reply + Send>),
}

impl ScriptedTransport {
    /// Gives these answers, in order. A request beyond them is an error that says so.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::of(Script::Queue(replies.into_iter().collect()))
    }

    /// Answers each request by a function.
    pub fn from_fn(reply: impl FnMut(&HttpRequest) -> Reply + Send + 'static) -> Self {
        Self::of(Script::Function(Box::new(reply)))
    }

    fn of(script: Script) -> Self {
        Self(Arc::new(Shared { script: Mutex::new(script), record: Mutex::default() }))
    }

    /// What it was asked to send, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.record().requests.clone()
    }

    /// How many exchanges were dropped before their end.
    #[must_use]
    pub fn cancelled(&self) -> usize {
        self.record().cancelled
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Guard {
    transport: ScriptedTransport,
    over: bool,
}

impl Guard {
    fn finish(mut self) {
        self.over = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.over {
            self.transport.record().cancelled += 1;
        }
    }
}

#[async_trait::async_trait]
impl HttpTransport for ScriptedTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let reply = match &mut *self.script() {
            Script::Function(reply) => Some(reply(&request)),
            Script::Queue(queue) => queue.pop_front(),
        };
        let number = {
            let requests = &mut self.record().requests;
            requests.push(request);
            requests.len()
        };
        let missing =
            || TransportError::Request { reason: format!("the script has no reply to request {number}") };
        let reply = reply.ok_or_else(missing)?;
        let mut guard = Guard { transport: self.clone(), over: false };
        for beat in reply.before {
            wait(&beat).await;
        }
        let status = reply.head.inspect_err(|_| guard.over = true)?;
        let beats = reply.beats.into_iter();
        let body = stream::unfold((beats, guard), |(mut beats, mut guard)| async move {
            loop {
                let item = match beats.next() {
                    Some(Beat::Piece(piece)) => Ok(piece),
                    Some(Beat::Fail(error)) => Err(error),
                    Some(beat) => {
                        wait(&beat).await;
                        continue;
                    }
                    None => {
                        guard.finish();
                        return None;
                    }
                };
                guard.over = item.is_err();
                return Some((item, (beats, guard)));
            }
        });
        Ok(HttpResponse { status, headers: reply.headers, body: Box::pin(body) })
    }
}

async fn wait(beat: &Beat) {
    match beat {
        Beat::Hold(gate) => gate.pass().await,
        Beat::Never => std::future::pending().await,
        Beat::Piece(_) | Beat::Fail(_) => {}
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedTransport")
            .field("requests", &self.record().requests.len())
            .finish_non_exhaustive()
    }
}
