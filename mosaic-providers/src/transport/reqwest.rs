//! HTTP over reqwest.
//!
//! * **TLS** is rustls with ring and Mozilla's roots, given to the client ready-made. No process-wide provider is installed:
//!   that choice is the application's, and a library that makes it breaks others in the same process.
//! * **Connections** are kept and used again, one pool for all that share a transport.
//! * **Redirects** are answers like any other. Following them would send keys in headers such as `x-api-key` to another
//!   host.
//! * **Proxies** are those of the environment, except for loopback addresses: a local model is never asked for through one.
//! * Dropping the future or the body closes the exchange. The body is pulled, so a slow reader slows the sender down.
//!
//! Source: <https://docs.rs/reqwest/0.13>, <https://docs.rs/rustls/0.23>

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use mosaic_core::{BoxError, Headers, HttpRequest, HttpResponse, HttpTransport, Method, TransportError};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url, redirect};

/// How long making a connection may take where a request does not say.
const CONNECT: Duration = Duration::from_secs(10);

/// Clients with different settings that are kept. A client is a connection pool; the limit to connect is set on it, so
/// each limit in use needs one. Hosts use one or two.
const MOST_CLIENTS: usize = 8;

/// Carries HTTP with reqwest. Cheap to clone; clones share the connections.
///
/// ```
/// use mosaic_providers::transport::ReqwestTransport;
/// let transport = ReqwestTransport::new()?;
/// # let _ = transport;
/// # Ok::<(), mosaic_core::TransportError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    clients: Arc<Mutex<Vec<(Settings, Client)>>>,
    tls: rustls::ClientConfig,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Settings {
    connect: Duration,
    /// Whether it goes to this machine, without a proxy.
    loopback: bool,
}

impl ReqwestTransport {
    /// A transport with a pool of its own.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, TransportError> {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TransportError::Request { reason: format!("TLS cannot be set up: {error}") })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { clients: Arc::default(), tls })
    }

    fn client(&self, settings: Settings) -> Result<Client, TransportError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(of, _)| *of == settings) {
            return Ok(client.clone());
        }
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .connect_timeout(settings.connect)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("mosaic/", env!("CARGO_PKG_VERSION")))
            .tcp_keepalive(Duration::from_secs(60));
        if settings.loopback {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| TransportError::Request {
            reason: format!("no HTTP client could be made: {}", chain(&error.without_url())),
        })?;
        if clients.len() >= MOST_CLIENTS {
            clients.remove(0);
        }
        clients.push((settings, client.clone()));
        Ok(client)
    }
}

#[async_trait::async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let url = Url::parse(&request.url)
            .map_err(|error| TransportError::Request { reason: format!("the URL is none: {error}") })?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let settings =
            Settings { connect: request.connect_timeout.unwrap_or(CONNECT), loopback: is_loopback(&url) };
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            // The only other one that providers use.
            _ => reqwest::Method::POST,
        };
        let sending = self
            .client(settings)?
            .request(method, url)
            .headers(headers(&request.headers)?)
            .body(request.body_bytes())
            .send();
        // The request's own copy of the body is not held while the answer comes.
        drop(request);
        let response = sending.await.map_err(|error| failed(error, &host, settings.connect))?;
        let mut out = Headers::default();
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                out.push(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = response.status().as_u16();
        let body = response
            .bytes_stream()
            .map(move |piece| piece.map_err(|error| failed(error, &host, settings.connect)));
        Ok(HttpResponse { status, headers: out, body: Box::pin(body) })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

fn headers(from: &Headers) -> Result<HeaderMap, TransportError> {
    let mut map = HeaderMap::new();
    for header in from.iter() {
        // Neither error may show the value.
        let name = HeaderName::try_from(header.name.as_ref()).map_err(|_| TransportError::Request {
            reason: format!("`{}` is no header name", header.name),
        })?;
        let mut value = HeaderValue::try_from(header.expose()).map_err(|_| TransportError::Request {
            reason: format!("the value of header `{}` holds characters that no header may hold", header.name),
        })?;
        value.set_sensitive(header.is_secret());
        map.append(name, value);
    }
    Ok(map)
}

fn failed(error: reqwest::Error, host: &str, connect: Duration) -> TransportError {
    // A URL may hold a key in its query.
    let error = error.without_url();
    let host = host.to_owned();
    if error.is_timeout() && error.is_connect() {
        let millis = u64::try_from(connect.as_millis()).unwrap_or(u64::MAX);
        TransportError::Timeout { what: "making a connection", millis }
    } else if error.is_builder() {
        TransportError::Request { reason: chain(&error) }
    } else if error.is_connect() {
        TransportError::Connect { host, source: BoxError::from(chain(&error)) }
    } else {
        TransportError::Broken { host, source: BoxError::from(chain(&error)) }
    }
}

/// The messages of an error and its causes: reqwest's own says little ("error sending request").
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}
