//! Answering from a recording.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt as _, stream};
use thiserror::Error;

use super::compare::{RequestMismatch, compare, path};
use super::exchange::{Exchange, FORMAT, RecordedAnswer, RecordedEnd, RecordedRequest};
use super::scrub::{RawAnswer, Scrub};
use crate::recording::{RecordingError, read_lines};
use crate::transport::{Headers, HttpRequest, HttpResponse, HttpTransport, TransportError};

/// In which order requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Order {
    /// In that of the recording: the next request must be the next one that was recorded.
    #[default]
    Strict,
    /// Any: by the first exchange that is not used and was recorded for such a request. For agents that ask several models
    /// at once.
    ByMatch,
}

/// A transport that answers from a recording, offline, and checks what it is asked. Clones share what is used.
///
/// Method, path, query and body must be those that were recorded, scrubbed alike; host and headers may differ. Another
/// request is a [`TransportError::Unrecorded`], which no agent tries again, and which says where it differs first.
#[derive(Clone)]
pub struct Replayer {
    order: Order,
    ignored: Vec<String>,
    scrub: Scrub,
    state: Arc<Mutex<State>>,
}

struct State {
    exchanges: Vec<(Exchange, bool)>,
    mismatches: Vec<(String, RequestMismatch)>,
}

/// A replay that did not go as recorded.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// There was a request that was not recorded, and an agent may have swallowed its error.
    #[error("{request} is not in the recording: {mismatch}")]
    Unrecorded {
        /// Method and path.
        request: String,
        /// Why it was refused.
        mismatch: RequestMismatch,
    },
    /// Exchanges were not used.
    #[error("{} recorded exchanges were not asked for: {}", .exchanges.len(), .exchanges.join(", "))]
    Unused {
        /// Number, method and path of each.
        exchanges: Vec<String>,
    },
}

impl Replayer {
    /// From a file.
    ///
    /// # Errors
    /// When the file cannot be read, or is no recording.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let file = File::open(path).map_err(|source| RecordingError::Read { source })?;
        Self::read(BufReader::new(file))
    }

    /// From any reader: `&bytes[..]`, for one.
    ///
    /// # Errors
    /// When it is no recording.
    pub fn read(reader: impl BufRead) -> Result<Self, RecordingError> {
        Self::of(read_lines(reader)?)
    }

    /// Of exchanges.
    ///
    /// # Errors
    /// When a newer version of Mosaic wrote them.
    pub fn of(mut exchanges: Vec<Exchange>) -> Result<Self, RecordingError> {
        if let Some(newer) = exchanges.iter().find(|exchange| exchange.v > FORMAT) {
            return Err(RecordingError::Newer { found: newer.v, known: FORMAT });
        }
        exchanges.sort_by_key(|exchange| exchange.number);
        let exchanges = exchanges.into_iter().map(|exchange| (exchange, false)).collect();
        let state = Arc::new(Mutex::new(State { exchanges, mismatches: Vec::new() }));
        Ok(Self { order: Order::default(), ignored: Vec::new(), scrub: Scrub::default(), state })
    }

    /// In another order.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Does not compare this place of bodies: a JSON pointer, in which `*` stands for any member or element.
    #[must_use]
    pub fn ignore(mut self, pointer: impl Into<String>) -> Self {
        self.ignored.push(pointer.into());
        self
    }

    /// Scrubbed as the recorder did.
    #[must_use]
    pub fn scrub(mut self, scrub: Scrub) -> Self {
        self.scrub = scrub;
        self
    }

    /// Whether all went as recorded: every request was answered, and every exchange was asked for.
    ///
    /// # Errors
    /// The first request that was not recorded; else the exchanges that were not used.
    pub fn done(&self) -> Result<(), ReplayError> {
        let state = self.lock();
        if let Some((request, mismatch)) = state.mismatches.first() {
            return Err(ReplayError::Unrecorded { request: request.clone(), mismatch: mismatch.clone() });
        }
        let unused = state.exchanges.iter().filter(|(_, used)| !used);
        let exchanges: Vec<String> = unused
            .map(|(exchange, _)| format!("{} ({})", exchange.number, named(&exchange.request)))
            .collect();
        if exchanges.is_empty() { Ok(()) } else { Err(ReplayError::Unused { exchanges }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, asked: &RecordedRequest) -> Result<RecordedAnswer, RequestMismatch> {
        let state = &mut *self.lock();
        let count = state.exchanges.len();
        let mut mismatch: Option<RequestMismatch> = None;
        for (exchange, used) in state.exchanges.iter_mut().filter(|(_, used)| !used) {
            match compare(exchange.number, &exchange.request, asked, &self.ignored) {
                Ok(()) => {
                    *used = true;
                    return Ok(exchange.answer.clone());
                }
                // The nearest says most: another body is nearer than another address.
                Err(error) => {
                    let nearer = matches!(
                        (&mismatch, &error),
                        (None, _)
                            | (
                                Some(RequestMismatch::Method { .. } | RequestMismatch::Url { .. }),
                                RequestMismatch::Body { .. }
                            )
                    );
                    if nearer {
                        mismatch = Some(error);
                    }
                }
            }
            if self.order == Order::Strict {
                break;
            }
        }
        let mismatch = mismatch.unwrap_or(RequestMismatch::UsedUp { exchanges: count });
        state.mismatches.push((named(asked), mismatch.clone()));
        Err(mismatch)
    }
}

fn named(request: &RecordedRequest) -> String {
    format!("{} {}", request.method, path(&request.url))
}

#[async_trait::async_trait]
impl HttpTransport for Replayer {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let asked = self.scrub.exchange(0, &request, RawAnswer::Cancelled, &mut self.scrub.secrets()).request;
        let answer = self.take(&asked).map_err(|mismatch| TransportError::Unrecorded {
            request: named(&asked),
            mismatch: Box::new(mismatch),
        })?;
        match answer {
            RecordedAnswer::Cancelled => std::future::pending().await,
            RecordedAnswer::Failed { error } => Err(error.into()),
            RecordedAnswer::Answered { status, headers: lines, pieces, end } => {
                let mut headers = Headers::default();
                lines.into_iter().for_each(|(name, value)| headers.push(name, value));
                let pieces = stream::iter(pieces.into_iter().map(|piece| Ok(piece.0)));
                let body: crate::transport::BodyStream = match end {
                    RecordedEnd::Whole => Box::pin(pieces),
                    RecordedEnd::Broken { error } => {
                        Box::pin(pieces.chain(stream::iter([Err(TransportError::from(error))])))
                    }
                    RecordedEnd::Cancelled => Box::pin(pieces.chain(stream::pending())),
                };
                Ok(HttpResponse { status, headers, body })
            }
        }
    }
}

impl fmt::Debug for Replayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.lock().exchanges.iter().filter(|(_, used)| *used).count();
        f.debug_struct("Replayer").field("order", &self.order).field("used", &used).finish_non_exhaustive()
    }
}
