//! A model behind HTTP: a codec, an address, a key and a transport put together.
//!
//! ```text
//! ModelRequest ─ fragments (kept beside each group) ─ Codec::encode ─ HttpTransport::send
//!                                                                         │ not 2xx: Codec::error
//!                    ModelEvent <─ Decoder::push <─ one network chunk <───┘
//! ```

mod answer;
mod auth;
mod beside;
pub(crate) mod exchange;
mod filters;
mod fits;
pub(crate) mod keys;
pub(crate) mod limits;
mod prepared;
pub(crate) mod watch;

pub use auth::{Auth, Authenticator};
pub use limits::Timeouts;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use self::filters::Filters;
use self::prepared::Cache;
use super::output_mode::{self, OutputMode, Shaped};
use super::tool_mode::{self, Prepared, break_repetition};
use super::{
    ChatModel, Codec, Delivery, Encodable, EncodeError, ModelCall, ModelError, ModelInfo, ModelRequest,
    ModelStream, Profile, ToolMode,
};
use crate::message::GroupBody;
use crate::runtime::Runtime;
use crate::transport::{Headers, HttpRequest, HttpTransport, shown};

/// A model behind HTTP.
///
/// All that differs between models of one wire API is in here: where it is, how it is paid for, what it can do and how
/// it is brought to call tools. Requests are built from kept pieces, so a turn over a long history costs the joining of
/// bytes; every wait has a deadline.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use mosaic_core::*;
/// # fn example(codec: Arc<dyn Codec>, transport: Arc<dyn HttpTransport>, runtime: Arc<dyn Runtime>, key: String) {
/// let profile = Profile {
///     origin: Origin { api: codec.api().into(), provider: "local".into(), model: "small".into() },
///     info: ModelInfo::new("local", "small"),
/// };
/// let model = HttpModel::new(codec, profile, "http://127.0.0.1:8080/v1", transport, runtime)
///     .auth(Auth::bearer(key))
///     .header("x-team", "search");
/// # let _: Arc<dyn ChatModel> = Arc::new(model);
/// # }
/// ```
pub struct HttpModel {
    codec: Arc<dyn Codec>,
    profile: Profile,
    base_url: String,
    auth: Auth,
    headers: Headers,
    transport: Arc<dyn HttpTransport>,
    runtime: Arc<dyn Runtime>,
    delivery: Delivery,
    timeouts: Timeouts,
    max_answer: usize,
    /// Whose fragments are whose. A number an instance rather than a hash of the settings: a codec may have settings
    /// that nobody sees from outside, and a wrong fragment is a wrong request.
    key: u64,
    shaped: Cache<Option<Shaped>>,
    prepared: Cache<Prepared>,
}

/// More than any answer of any model today; a server that sends without end must not fill the memory.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

impl HttpModel {
    /// A model without a key, with streamed answers and the default time limits.
    pub fn new(
        codec: Arc<dyn Codec>,
        profile: Profile,
        base_url: impl Into<String>,
        transport: Arc<dyn HttpTransport>,
        runtime: Arc<dyn Runtime>,
    ) -> Self {
        let mut base_url = base_url.into();
        base_url.truncate(base_url.trim_end_matches('/').len());
        Self {
            codec,
            profile,
            base_url,
            auth: Auth::None,
            headers: Headers::default(),
            transport,
            runtime,
            delivery: Delivery::default(),
            timeouts: Timeouts::default(),
            max_answer: MAX_ANSWER,
            key: NEXT_KEY.fetch_add(1, Ordering::Relaxed),
            shaped: Cache::default(),
            prepared: Cache::default(),
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

    /// With one more header line whose value must not show anywhere.
    #[must_use]
    pub fn secret_header(mut self, name: impl Into<String>, value: impl Into<secrecy::SecretString>) -> Self {
        self.headers.push_secret(name.into(), value);
        self
    }

    /// With answers in pieces or whole.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// With other time limits.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// With another limit for the bytes of an answer; 64 MiB unless set. A longer answer is a `decode` error.
    #[must_use]
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    fn encode(&self, request: &ModelRequest) -> Result<HttpRequest, EncodeError> {
        let prepare = || tool_mode::prepare(self.mode(), request);
        let prepared =
            if self.mode() == ToolMode::Native { prepare() } else { self.prepared.get(request, prepare) };
        let fragments = self.fragments(request)?;
        let tools = if prepared.native_tools { self.tools(request)? } else { None };
        let mut http = self.codec.encode(&Encodable {
            base_url: &self.base_url,
            profile: &self.profile,
            instructions: &prepared.instructions,
            fragments: &fragments,
            tools: tools.as_ref(),
            tool_choice: &prepared.tool_choice,
            output: prepared.output.as_deref(),
            params: &request.params,
            delivery: self.delivery,
        })?;
        self.auth.apply(&mut http.headers);
        for header in self.headers.iter() {
            http.headers.set(header.clone());
        }
        http.connect_timeout = Some(self.timeouts.connect);
        Ok(http)
    }

    /// Makes a request with an output into one that the model can be asked, and says how to read the answer.
    fn shape(&self, request: &mut ModelRequest) -> Option<output_mode::Reading> {
        let mode = self.profile.info.output_mode;
        if mode == OutputMode::Native || request.output.is_none() {
            return None;
        }
        let shaped = self.shaped.get(request, || output_mode::shape(mode, self.mode(), request))?;
        request.instructions = shaped.instructions;
        request.tools = shaped.tools;
        request.tool_choice = shaped.tool_choice;
        request.output = None;
        Some(shaped.reading)
    }

    /// Each group is encoded at its first request; after that its bytes are shared.
    fn fragments(&self, request: &ModelRequest) -> Result<Vec<Bytes>, EncodeError> {
        // Collecting results does not know the length, and would grow the list a dozen times.
        let mut fragments = Vec::with_capacity(request.groups.len());
        for group in request.groups.iter() {
            fragments.push(group.fragments().get(self.key, || self.fragment(group.body()))?);
        }
        Ok(fragments)
    }

    fn fragment(&self, group: &GroupBody) -> Result<Bytes, EncodeError> {
        match &*tool_mode::render(self.mode(), group) {
            [one] => self.codec.fragment(one, &self.profile),
            several => {
                let mut joined = Vec::new();
                for group in several {
                    let bytes = self.codec.fragment(group, &self.profile)?;
                    if !joined.is_empty() && !bytes.is_empty() {
                        joined.push(b',');
                    }
                    joined.extend_from_slice(&bytes);
                }
                Ok(joined.into())
            }
        }
    }

    fn mode(&self) -> ToolMode {
        self.profile.info.tool_mode
    }

    fn tools(&self, request: &ModelRequest) -> Result<Option<Bytes>, EncodeError> {
        if request.tools.is_empty() {
            return Ok(None);
        }
        let encode = || self.codec.tools(&request.tools.iter().collect::<Vec<_>>(), &self.profile);
        request.tools.fragments().get(self.key, encode).map(Some)
    }

    fn named(&self, mut error: ModelError) -> ModelError {
        error.provider.get_or_insert_with(|| self.profile.origin.provider.to_string());
        error
    }
}

impl fmt::Debug for HttpModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpModel")
            .field("origin", &self.profile.origin)
            .field("base_url", &shown(&self.base_url))
            .field("auth", &self.auth)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl ChatModel for HttpModel {
    fn info(&self) -> &ModelInfo {
        &self.profile.info
    }

    async fn stream(&self, mut call: ModelCall) -> Result<ModelStream, ModelError> {
        call.request = break_repetition(self.mode(), call.request);
        let reading = self.shape(&mut call.request);
        // After the shaping: a shape that goes through a tool needs a model with tools, not one with shapes.
        fits::check(&self.profile.info, &call.request).map_err(|error| self.named(error))?;
        let request = self.encode(&call.request).map_err(|error| self.named(error.into()))?;
        let limits = self.timeouts.of_call(&call, self.delivery);
        let filter = Filters::new(self.mode(), &call.request, reading);
        // The groups are shared with the session, which can grow its list in place once nobody holds it.
        drop(call);
        exchange::start(self, request, limits, filter).await.map_err(|error| self.named(error))
    }
}
