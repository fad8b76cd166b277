//! HTTP as plain data and one trait, so that a host can bring its own client.
//!
//! A transport carries bytes. It knows no provider, retries nothing, and takes a non-2xx status for an answer like any
//! other: what an answer means is the codec's business.

mod error;
mod headers;
pub mod record;

pub use error::TransportError;
pub use headers::{Header, Headers};

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

/// An HTTP method, of those that model providers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    #[default]
    Post,
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// An HTTP request. Of its body `Debug` shows the length only: it holds what users said, and may hold secrets.
#[derive(Clone, Default)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// The headers; secret values do not show in `Debug`.
    pub headers: Headers,
    /// The body, in pieces that belong together.
    pub body: Vec<Bytes>,
    /// How long making a connection may take.
    pub connect_timeout: Option<Duration>,
}

impl HttpRequest {
    /// The length of the body in bytes.
    #[must_use]
    pub fn body_len(&self) -> usize {
        self.body.iter().map(Bytes::len).sum()
    }

    /// The body in one piece.
    #[must_use]
    pub fn body_bytes(&self) -> Bytes {
        match self.body.as_slice() {
            [] => Bytes::new(),
            [one] => one.clone(),
            many => {
                let mut whole = Vec::with_capacity(self.body_len());
                many.iter().for_each(|piece| whole.extend_from_slice(piece));
                whole.into()
            }
        }
    }
}

impl Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &shown(&self.url))
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body_len()))
            .field("connect_timeout", &self.connect_timeout)
            .finish()
    }
}

/// An address without the secrets in it: user, password and keys in the query.
pub(crate) fn shown(url: &str) -> String {
    record::Scrub::default().learn_url(url, &mut record::Secrets::default())
}

/// The body of an answer. Dropping it cancels the exchange; not polling it slows the sender down.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send + 'static>>;

/// The head of an answer, and its body as it comes.
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, names in any case.
    pub headers: Headers,
    /// The body.
    pub body: BodyStream,
}

impl Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// Carries HTTP.
///
/// # Contract
/// * A non-2xx status is not an error here.
/// * Dropping the future or the body cancels the exchange.
/// * The body is pulled: bytes that nobody polled for are bounded in number.
/// * No secret reaches an error or a log line.
#[async_trait::async_trait]
pub trait HttpTransport: Debug + Send + Sync {
    /// Sends a request and returns when the head of the answer is there.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;
}
