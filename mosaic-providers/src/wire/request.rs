//! What the bodies of all JSON APIs share: settings first, which are small; then the long members, joined from what was
//! encoded before; and the headers.
//!
//! A member of the host's own (`ModelParams::extra`) replaces the codec's of the same name. So a codec asks
//! [`Body::lacks`] before it writes a long one.

use bytes::Bytes;
use mosaic_core::{Delivery, Encodable, EncodeError, Headers, HttpRequest, Method};
use serde_json::{Map, Value};

use super::write::Writer;

/// The small members.
#[derive(Debug, Default)]
pub(crate) struct Settings(Map<String, Value>);

impl Settings {
    /// Sets a member, if there is a value for it.
    pub(crate) fn set(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// The members as an object; `None` where there are none.
    pub(crate) fn object(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(self.0.into())
    }

    /// The members.
    pub(crate) fn into_members(self) -> Map<String, Value> {
        self.0
    }
}

/// A body that is being written. It is open until [`Body::post`].
#[derive(Debug)]
pub(crate) struct Body {
    settings: Map<String, Value>,
    pub(crate) out: Writer,
}

impl Body {
    /// With its settings and the host's, written.
    pub(crate) fn begin(request: &Encodable<'_>, settings: Settings) -> Result<Self, EncodeError> {
        let mut settings = settings.into_members();
        settings.extend(request.params.extra.clone());
        Self::of(request, settings)
    }

    /// With those settings and no others.
    pub(crate) fn of(request: &Encodable<'_>, settings: Map<String, Value>) -> Result<Self, EncodeError> {
        let mut out = writer(request);
        out.raw("{");
        for (name, value) in &settings {
            out.key(name).value(name, value)?;
        }
        Ok(Self { settings, out })
    }

    /// Whether that member was not written.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        !self.settings.contains_key(name)
    }

    /// The member that holds the tools, unless it is there.
    pub(crate) fn tools(&mut self, tools: Option<&Bytes>) {
        if let Some(tools) = tools.filter(|_| self.lacks("tools")) {
            self.out.key("tools").bytes(tools);
        }
    }

    /// Fragments as elements of the open list. Empty ones are of groups with nothing to say.
    pub(crate) fn elements(&mut self, fragments: &[Bytes]) {
        for fragment in fragments.iter().filter(|fragment| !fragment.is_empty()) {
            self.out.comma().bytes(fragment);
        }
    }

    /// The request: the body closed, with its headers.
    pub(crate) fn post(mut self, url: String, accept: Option<&'static str>) -> HttpRequest {
        self.out.raw("}");
        post(url, accept, self.out)
    }
}

/// A writer with room for the whole request.
pub(crate) fn writer(request: &Encodable<'_>) -> Writer {
    let fragments: usize = request.fragments.iter().map(|fragment| fragment.len() + 1).sum();
    Writer::with_capacity(fragments + request.tools.map_or(0, Bytes::len) + request.instructions.len() + 512)
}

/// A body as a request.
pub(crate) fn post(url: String, accept: Option<&'static str>, body: Writer) -> HttpRequest {
    let mut headers = Headers::default();
    headers.push("content-type", "application/json");
    if let Some(accept) = accept {
        headers.push("accept", accept);
    }
    HttpRequest { method: Method::Post, url, headers, body: vec![body.into_bytes()], connect_timeout: None }
}

/// What is accepted as an answer: JSON, or what the API streams.
pub(crate) fn accept(delivery: Delivery, streamed: &'static str) -> Option<&'static str> {
    Some(match delivery {
        Delivery::Streamed => streamed,
        Delivery::Whole => "application/json",
    })
}

/// The streams of most.
pub(crate) const EVENTS: &str = "text/event-stream";
