//! A model and a transport in this process, for what must not depend on a network.
//!
//! Not core's scripted ones: those remember every request, and a request that somebody holds makes the session copy its
//! list of messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use mosaic_core::{
    ChatModel, GroupBody, Headers, HttpRequest, HttpResponse, HttpTransport, ModelCall, ModelEnd, ModelError,
    ModelEvent, ModelInfo, ModelStream, Origin, Part, PartKind, StopReason, TransportError, Usage,
};

use crate::mock;
use crate::scenario::{SHORT_TEXT, TOOL};

/// A model that answers a user with a tool call, and the result of a call with a short text.
#[derive(Debug)]
pub struct PlayedModel {
    info: ModelInfo,
    origin: Origin,
    calls: bool,
    text: String,
}

impl PlayedModel {
    /// One that calls a tool.
    #[must_use]
    pub fn calling() -> Arc<Self> {
        Self::of(true, SHORT_TEXT)
    }

    /// One that only talks.
    #[must_use]
    pub fn saying(text: &str) -> Arc<Self> {
        Self::of(false, text)
    }

    fn of(calls: bool, text: &str) -> Arc<Self> {
        Arc::new(Self {
            info: ModelInfo::new("played", "model"),
            origin: Origin { api: "played".into(), provider: "played".into(), model: "model".into() },
            calls,
            text: text.to_owned(),
        })
    }

    fn events(&self, call: &ModelCall) -> [ModelEvent; 4] {
        let user_spoke =
            matches!(call.request.groups.last().map(|group| group.body()), Some(GroupBody::User { .. }));
        let end = |stop| {
            let usage = Usage { input: 100, output: 4, ..Usage::default() };
            ModelEvent::Done(ModelEnd {
                stop,
                usage,
                cost: None,
                origin: self.origin.clone(),
                response_id: None,
            })
        };
        if self.calls && user_spoke {
            let arguments = r#"{"city":"Oslo"}"#;
            [
                ModelEvent::Start { part: 0, kind: PartKind::ToolCall { name: TOOL.to_owned() } },
                ModelEvent::Arguments { part: 0, delta: arguments.to_owned() },
                ModelEvent::End { part: 0, content: Part::call("", TOOL, arguments) },
                end(StopReason::ToolCalls),
            ]
        } else {
            [
                ModelEvent::Start { part: 0, kind: PartKind::Text },
                ModelEvent::Text { part: 0, delta: self.text.clone() },
                ModelEvent::End { part: 0, content: Part::text(self.text.clone()) },
                end(StopReason::Stop),
            ]
        }
    }
}

#[async_trait]
impl ChatModel for PlayedModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    async fn stream(&self, call: ModelCall) -> Result<ModelStream, ModelError> {
        let events = self.events(&call);
        drop(call);
        Ok(Box::pin(stream::iter(events.map(Ok))))
    }
}

/// A transport that answers every request with the same pieces.
#[derive(Debug, Clone)]
pub struct PlayedTransport {
    pieces: Arc<Vec<(Bytes, usize)>>,
    sent: Arc<AtomicUsize>,
}

impl PlayedTransport {
    /// Each piece as often as the number beside it says.
    #[must_use]
    pub fn new(pieces: Vec<(Bytes, usize)>) -> Self {
        Self { pieces: Arc::new(pieces), sent: Arc::default() }
    }

    /// One that answers with so many chunks of text, as the mock does.
    #[must_use]
    pub fn streaming(chunks: usize) -> Self {
        let pieces = mock::pieces(chunks).into_iter();
        Self::new(pieces.map(|(event, count)| (Bytes::from(event), count)).collect())
    }

    /// How many bytes the body of the last request had.
    #[must_use]
    pub fn last_body(&self) -> usize {
        self.sent.load(Relaxed)
    }
}

#[async_trait]
impl HttpTransport for PlayedTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        // What a real one does: the pieces of the body become one.
        self.sent.store(request.body_bytes().len(), Relaxed);
        let pieces = self.pieces.clone();
        let body = stream::unfold((pieces, 0, 0), |(pieces, mut piece, mut played)| async move {
            loop {
                let (bytes, count) = pieces.get(piece)?;
                if played < *count {
                    return Some((Ok(bytes.clone()), (pieces, piece, played + 1)));
                }
                (piece, played) = (piece + 1, 0);
            }
        });
        Ok(HttpResponse { status: 200, headers: Headers::default(), body: Box::pin(body) })
    }
}
