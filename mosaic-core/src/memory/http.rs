//! An embedder behind HTTP: a codec, an address, a key and a transport put together.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, Purpose};
use crate::model::http::exchange::{self, To};
use crate::model::http::limits::Limits;
use crate::model::http::watch::Watch;
use crate::model::{Auth, EncodeError, Timeouts};
use crate::runtime::Runtime;
use crate::transport::{Headers, HttpRequest, HttpResponse, HttpTransport, shown};

/// A wire API of embeddings: how a request is written and an answer read. Pure: no socket, no clock, no randomness.
///
/// # Contract
/// * `encode` writes every text of the request, in order, without authentication.
/// * `decode` reads any bytes without a panic and gives the vectors in the order of the texts. It need not check their
///   number and length; [`HttpEmbedder`] does.
pub trait EmbedCodec: fmt::Debug + Send + Sync {
    /// The name of the wire API, `openai-embeddings` for one.
    fn api(&self) -> &'static str;

    /// The whole request, without authentication.
    ///
    /// # Errors
    /// When the API cannot carry it.
    fn encode(
        &self,
        base_url: &str,
        info: &EmbedderInfo,
        request: &EmbedRequest,
    ) -> Result<HttpRequest, EncodeError>;

    /// What an answer with a 2xx status says.
    ///
    /// # Errors
    /// An error object in the answer, or bytes that are not what the API promises.
    fn decode(&self, info: &EmbedderInfo, body: &[u8]) -> Result<Embeddings, EmbedError>;

    /// The error that an answer with any other status means.
    fn error(&self, status: u16, headers: &Headers, body: &[u8]) -> EmbedError;
}

/// An embedder behind HTTP. Every wait has a deadline, and every answer is checked.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use mosaic_core::*;
/// # fn example(codec: Arc<dyn EmbedCodec>, transport: Arc<dyn HttpTransport>, runtime: Arc<dyn Runtime>, key: String) {
/// let info = EmbedderInfo::new("local", "nomic-embed-text");
/// let embedder = HttpEmbedder::new(codec, info, "http://127.0.0.1:8080/v1", transport, runtime)
///     .auth(Auth::bearer(key))
///     // What this model was taught to see before a question and before a document.
///     .prefixes("search_query: ", "search_document: ");
/// # let _: Arc<dyn Embedder> = Arc::new(embedder);
/// # }
/// ```
pub struct HttpEmbedder {
    codec: Arc<dyn EmbedCodec>,
    info: EmbedderInfo,
    base_url: String,
    auth: Auth,
    headers: Headers,
    transport: Arc<dyn HttpTransport>,
    runtime: Arc<dyn Runtime>,
    timeouts: Timeouts,
    max_answer: usize,
    prefixes: Option<(Arc<str>, Arc<str>)>,
}

/// 2,048 vectors of 3,072 numbers, as text of twenty characters each, are 126 MB.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

impl HttpEmbedder {
    /// An embedder without a key, with the default time limits.
    pub fn new(
        codec: Arc<dyn EmbedCodec>,
        info: EmbedderInfo,
        base_url: impl Into<String>,
        transport: Arc<dyn HttpTransport>,
        runtime: Arc<dyn Runtime>,
    ) -> Self {
        let mut base_url = base_url.into();
        base_url.truncate(base_url.trim_end_matches('/').len());
        Self {
            codec,
            info,
            base_url,
            auth: Auth::None,
            headers: Headers::default(),
            transport,
            runtime,
            timeouts: Timeouts::default(),
            max_answer: MAX_ANSWER,
            prefixes: None,
        }
    }

    /// With a key.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// With one more header line. It replaces a line of the same name that the codec writes.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(name.into(), value.into());
        self
    }

    /// With other time limits. [`Timeouts::first_byte`] holds as it is: an answer is one body.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// With another limit for the bytes of an answer; 256 MiB unless set. A longer answer is a `decode` error.
    #[must_use]
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// With words that go before every query and every document: what models such as `nomic-embed-text` and `e5` were taught
    /// in place of a [`Purpose`].
    #[must_use]
    pub fn prefixes(mut self, query: impl Into<Arc<str>>, document: impl Into<Arc<str>>) -> Self {
        self.prefixes = Some((query.into(), document.into()));
        self
    }

    fn encode(&self, request: &EmbedRequest) -> Result<HttpRequest, EmbedError> {
        let request = self.prefixed(request);
        let mut http = self.codec.encode(&self.base_url, &self.info, &request)?;
        self.auth.apply(&mut http.headers);
        for header in self.headers.iter() {
            http.headers.set(header.clone());
        }
        http.connect_timeout = Some(self.timeouts.connect);
        Ok(http)
    }

    fn prefixed<'a>(&self, request: &'a EmbedRequest) -> Cow<'a, EmbedRequest> {
        let prefix = match (&self.prefixes, request.purpose) {
            (None, _) => return Cow::Borrowed(request),
            (Some((query, _)), Purpose::Query) => query,
            (Some((_, document)), Purpose::Document) => document,
        };
        let inputs = request.inputs.iter().map(|input| format!("{prefix}{input}").into()).collect();
        Cow::Owned(EmbedRequest { inputs, ..request.clone() })
    }

    async fn exchange(&self, http: HttpRequest, request: &EmbedRequest) -> Result<Embeddings, EmbedError> {
        let limits = self.timeouts.of_whole(request.deadline);
        let mut watch = Watch::new(Arc::clone(&self.runtime), &limits);
        let to = To { transport: &*self.transport, auth: &self.auth, runtime: &*self.runtime };
        let (response, keys) = exchange::head(to, http, &limits, &mut watch).await?;
        self.read(response, request, &limits, watch).await.map_err(|mut error| {
            keys.hide_in(&mut error.message, &mut error.request_id, &mut error.source);
            error
        })
    }

    async fn read(
        &self,
        response: HttpResponse,
        request: &EmbedRequest,
        limits: &Limits,
        watch: Watch,
    ) -> Result<Embeddings, EmbedError> {
        if !(200..300).contains(&response.status) {
            let body = exchange::error_body(response.body, watch, limits.between).await;
            let mut error = self.codec.error(response.status, &response.headers, &body);
            error.status.get_or_insert(response.status);
            return Err(error);
        }
        let body = exchange::whole_body(response.body, limits, watch, self.max_answer).await?;
        let mut answer = self.codec.decode(&self.info, &body)?;
        let price = self.info.price.as_ref();
        answer.cost = answer.cost.or_else(|| price?.cost_if_told(&answer.usage));
        answer.check(request, &self.info)
    }

    fn named(&self, mut error: EmbedError) -> EmbedError {
        error.provider.get_or_insert_with(|| self.info.provider.to_string());
        error
    }
}

#[async_trait::async_trait]
impl Embedder for HttpEmbedder {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        request.check(&self.info)?;
        let http = self.encode(&request).map_err(|error| self.named(error))?;
        self.exchange(http, &request).await.map_err(|error| self.named(error))
    }
}

impl fmt::Debug for HttpEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpEmbedder")
            .field("api", &self.codec.api())
            .field("info", &self.info)
            .field("base_url", &shown(&self.base_url))
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}
