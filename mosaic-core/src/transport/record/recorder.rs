//! Writing exchanges down.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use super::exchange::{RecordedEnd, RecordedError};
use super::find::Secrets;
use super::scrub::{RawAnswer, Scrub};
use crate::recording::Lines;
use crate::transport::{BodyStream, Headers, HttpRequest, HttpResponse, HttpTransport, TransportError};

/// A transport that writes down what another one carries. Clones write to the same place.
///
/// An exchange is written when it ends, in one line and with one call of the writer, on the task that reads its body. The
/// body is kept in memory until then. Errors of the writer harm no exchange: recording ends, and
/// [`close`](Recorder::close) says why.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<dyn HttpTransport>,
    desk: Arc<Desk>,
}

/// Where exchanges are written.
struct Desk {
    lines: Lines,
    scrub: Scrub,
    secrets: Mutex<Secrets>,
    last: AtomicU64,
}

impl Recorder {
    /// Writes to any writer, a file or a buffer.
    pub fn new(
        transport: impl HttpTransport + 'static,
        to: impl Write + Send + 'static,
        scrub: Scrub,
    ) -> Self {
        Self::over(Arc::new(transport), to, scrub)
    }

    /// Writes to a new file; one that is there is overwritten.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(
        transport: impl HttpTransport + 'static,
        path: impl AsRef<Path>,
        scrub: Scrub,
    ) -> io::Result<Self> {
        Ok(Self::new(transport, File::create(path)?, scrub))
    }

    /// Over a transport that is shared.
    pub fn over(transport: Arc<dyn HttpTransport>, to: impl Write + Send + 'static, scrub: Scrub) -> Self {
        let secrets = Mutex::new(scrub.secrets());
        let desk = Desk { lines: Lines::new(to), scrub, secrets, last: AtomicU64::new(0) };
        Self { inner: transport, desk: Arc::new(desk) }
    }

    /// Writes nothing more.
    ///
    /// # Errors
    /// What went wrong with the writer since the beginning: the recording ends there.
    pub fn close(&self) -> io::Result<()> {
        self.desk.lines.close()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let desk = &self.desk;
        f.debug_struct("Recorder")
            .field("inner", &self.inner)
            .field("scrub", &desk.scrub)
            .finish_non_exhaustive()
    }
}

/// An exchange that goes on. One that is dropped was cancelled.
struct Draft {
    desk: Arc<Desk>,
    number: u64,
    request: HttpRequest,
    head: Option<(u16, Headers)>,
    pieces: Vec<Bytes>,
    written: bool,
}

impl Draft {
    fn end(&mut self, end: RecordedEnd) {
        let answer = match (&self.head, end) {
            (Some((status, headers)), end) => {
                RawAnswer::Answered { status: *status, headers, pieces: &self.pieces, end }
            }
            (None, RecordedEnd::Broken { error }) => RawAnswer::Failed(error),
            (None, _) => RawAnswer::Cancelled,
        };
        self.written = true;
        let desk = &self.desk;
        // Held while it is written: a later line must not be without a secret that an earlier one taught.
        let mut secrets = desk.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        desk.lines.write(&desk.scrub.exchange(self.number, &self.request, answer, &mut secrets));
    }

    fn broken(&mut self, error: &TransportError) {
        self.end(RecordedEnd::Broken { error: RecordedError::from(error) });
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.written {
            self.end(RecordedEnd::Cancelled);
        }
    }
}

#[async_trait::async_trait]
impl HttpTransport for Recorder {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut draft = Draft {
            desk: Arc::clone(&self.desk),
            number: self.desk.last.fetch_add(1, Ordering::Relaxed) + 1,
            request: request.clone(),
            head: None,
            pieces: Vec::new(),
            written: false,
        };
        let response = self.inner.send(request).await.inspect_err(|error| draft.broken(error))?;
        draft.head = Some((response.status, response.headers.clone()));
        let HttpResponse { status, headers, body } = response;
        Ok(HttpResponse { status, headers, body: Box::pin(Recorded { body, draft }) })
    }
}

/// A body that is written down.
struct Recorded {
    body: BodyStream,
    draft: Draft,
}

impl Stream for Recorded {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let piece = ready!(this.body.as_mut().poll_next(cx));
        match &piece {
            _ if this.draft.written => {}
            Some(Ok(bytes)) => this.draft.pieces.push(bytes.clone()),
            Some(Err(error)) => this.draft.broken(error),
            None => this.draft.end(RecordedEnd::Whole),
        }
        Poll::Ready(piece)
    }
}
