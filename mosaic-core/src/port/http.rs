//! HTTP that the host carries.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::{mpsc, oneshot};

use super::WINDOW;
use super::host::Port;
use super::message::{PortHeader, RequestId, RequestKind};
use super::table::{KeepWaiter, Piece, Waiter};
use crate::transport::{HttpRequest, HttpResponse, HttpTransport, TransportError};

/// The host's HTTP as a transport. Made by [`Port::transport`].
#[derive(Clone)]
pub struct PortTransport {
    port: Port,
}

impl PortTransport {
    pub(super) fn new(port: Port) -> Self {
        Self { port }
    }
}

impl fmt::Debug for PortTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortTransport")
    }
}

/// The core's half of an exchange. Dropping it before the end cancels the exchange.
struct Exchange {
    port: Port,
    id: RequestId,
    pieces: mpsc::UnboundedReceiver<Piece>,
    /// Bytes that were read and not yet granted again.
    unreported: usize,
    ended: bool,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.ended {
            self.port.cancel(self.id, KeepWaiter::No);
        }
        // What came and was not read is not under way any more.
        self.pieces.close();
        while let Ok(piece) = self.pieces.try_recv() {
            if let Piece::Bytes(bytes) = piece {
                self.port.table().discard(bytes.len());
            }
        }
    }
}

impl Stream for Exchange {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        Poll::Ready(match ready!(this.pieces.poll_recv(cx)) {
            Some(Piece::Bytes(bytes)) => {
                let before = this.unreported;
                this.unreported = this.port.table().read(this.id, bytes.len(), before);
                if this.unreported == 0 {
                    this.port.asked();
                }
                Some(Ok(bytes))
            }
            Some(Piece::Whole) => {
                this.ended = true;
                None
            }
            Some(Piece::Broken(error)) => {
                this.ended = true;
                Some(Err(error))
            }
            None => {
                this.ended = true;
                Some(Err(TransportError::Gone))
            }
        })
    }
}

#[async_trait]
impl HttpTransport for PortTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let kind = RequestKind::HttpOpen {
            method: request.method.as_str().to_owned(),
            headers: request.headers.iter().map(PortHeader::from).collect(),
            body: None,
            connect_timeout_ms: request
                .connect_timeout
                .map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
            window: u32::try_from(WINDOW).unwrap_or(u32::MAX),
            url: request.url,
        };
        let what = match &kind {
            RequestKind::HttpOpen { url, .. } => format!("the HTTP exchange with {}", host_of(url)),
            _ => String::new(),
        };
        let (head, answer) = oneshot::channel();
        let (sender, pieces) = mpsc::unbounded_channel();
        let waiter = Waiter::Http { head: Some(head), pieces: sender, credit: WINDOW };
        let id = self.port.table().open(what, kind, request.body, waiter).ok_or(TransportError::Gone)?;
        let mut exchange = Exchange { port: self.port.clone(), id, pieces, unreported: 0, ended: false };
        self.port.asked();

        match answer.await.unwrap_or(Err(TransportError::Gone)) {
            Ok((status, headers)) => {
                Ok(HttpResponse { status, headers: PortHeader::headers(headers), body: Box::pin(exchange) })
            }
            Err(error) => {
                exchange.ended = true;
                Err(error)
            }
        }
    }
}

/// The host of a URL: the one part that certainly holds no secret.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}
