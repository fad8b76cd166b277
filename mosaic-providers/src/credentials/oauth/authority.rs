//! One request to a token endpoint, and what its answer means.
//!
//! The request is a form over POST (RFC 6749 section 3.2), the answer JSON: `access_token`, `token_type` and, mostly,
//! `expires_in` (section 5.1), or `error` and `error_description` with status 400 or 401 (section 5.2). Authorities differ:
//! some write `expires_in` as a text, and some tell an error with status 200.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use mosaic_core::transport::record::Secrets;
use mosaic_core::{BodyStream, ErrorKind, HttpRequest, Method, ModelError, TransportError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;

use super::super::token::{Means, Token};
use crate::endpoint::address_problem;
use crate::sigv4::encode;
use crate::wire::error::{retry_after, scrub};

/// An answer is a few kilobytes, with an id token of many claims in it.
const MAX_ANSWER: usize = 1024 * 1024;
/// To connect; the whole has the deadline of the credential.
const CONNECT: Duration = Duration::from_secs(10);

/// A form to be sent, and the secrets in it.
#[derive(Default)]
pub(in super::super) struct Form {
    body: String,
    authorization: Option<SecretString>,
    secrets: Secrets,
}

impl Form {
    pub(in super::super) fn add(&mut self, name: &str, value: &str) {
        if !self.body.is_empty() {
            self.body.push('&');
        }
        encode(name, &mut self.body);
        self.body.push('=');
        encode(value, &mut self.body);
    }

    pub(in super::super) fn secret(&mut self, name: &str, value: &SecretString) {
        self.secrets.learn(value.expose_secret());
        self.add(name, value.expose_secret());
    }

    /// Both are written as in a form before they are joined: section 2.3.1.
    pub(in super::super) fn basic(&mut self, id: &str, secret: &SecretString) {
        self.secrets.learn(secret.expose_secret());
        let mut pair = String::new();
        encode(id, &mut pair);
        pair.push(':');
        encode(secret.expose_secret(), &mut pair);
        let line = format!("Basic {}", STANDARD.encode(pair));
        self.secrets.learn(&line);
        self.authorization = Some(line.into());
    }
}

/// What was granted.
pub(in super::super) struct Granted {
    pub(in super::super) token: Token,
    pub(in super::super) refresh_token: Option<SecretString>,
}

/// A token endpoint.
pub(in super::super) struct Authority<'a> {
    url: &'a str,
    host: &'a str,
}

impl<'a> Authority<'a> {
    /// # Errors
    /// `invalid_request` for an address that cannot be asked, or that would carry secrets in the open (section 3.2); a
    /// server on this machine may.
    pub(in super::super) fn at(url: &'a str) -> Result<Self, ModelError> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let bare =
            host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
        let local = matches!(bare, "localhost" | "127.0.0.1" | "[::1]");
        let problem = match address_problem(url) {
            None if scheme.eq_ignore_ascii_case("http") && !local => {
                Some("secrets go to it, so it must begin with `https://`".to_owned())
            }
            problem => problem,
        };
        match problem {
            None => Ok(Self { url, host }),
            Some(problem) => Err(ModelError::new(
                ErrorKind::InvalidRequest,
                format!("the address of the token endpoint cannot be asked: {problem}"),
            )),
        }
    }

    /// Asks for a token. No error repeats what is secret in the form.
    pub(in super::super) async fn ask(&self, form: Form, with: &Means) -> Result<Granted, ModelError> {
        let Form { body, authorization, secrets } = form;
        let mut request = HttpRequest {
            method: Method::Post,
            url: self.url.to_owned(),
            body: vec![body.into()],
            connect_timeout: Some(CONNECT),
            ..HttpRequest::default()
        };
        request.headers.push("content-type", "application/x-www-form-urlencoded");
        request.headers.push("accept", "application/json");
        if let Some(line) = authorization {
            request.headers.push_secret("authorization", line);
        }
        self.exchange(request, with).await.map_err(|mut error| {
            secrets.clean(&mut error.message);
            // A cause cannot be cleaned, and the message says what it said.
            error.source = None;
            error
        })
    }

    async fn exchange(&self, request: HttpRequest, with: &Means) -> Result<Granted, ModelError> {
        let lost = |error: TransportError| {
            let mut error = ModelError::from(error);
            error.message = format!("the token endpoint at {} was not reached: {}", self.host, error.message);
            error
        };
        let response = with.transport.send(request).await.map_err(lost)?;
        let body = read(response.body).await.map_err(lost)?;
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let refused = json.get("error").is_some_and(|error| !error.is_null());
        if refused || !(200..300).contains(&response.status) {
            let mut error = self.refused(response.status, &json);
            error.retry_after = retry_after(&response.headers, &json, "");
            return Err(error);
        }
        self.granted(&json)
    }

    fn granted(&self, json: &Value) -> Result<Granted, ModelError> {
        let unfit = |what: &str| {
            let message =
                format!("the token endpoint at {} answered {what}; is its address right?", self.host);
            ModelError::new(ErrorKind::Decode, message)
        };
        let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let secret = text("access_token").ok_or_else(|| unfit("without an `access_token`"))?;
        // Section 7.1: a token of a type that one does not know must not be used.
        if text("token_type").is_some_and(|of| !of.eq_ignore_ascii_case("bearer")) {
            return Err(unfit("with a token that is no bearer token"));
        }
        let seconds = json.get("expires_in").and_then(|value| match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        });
        let mut token = Token::new(secret);
        token.lifetime = seconds.and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok());
        Ok(Granted { token, refresh_token: text("refresh_token").map(SecretString::from) })
    }

    fn refused(&self, status: u16, json: &Value) -> ModelError {
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let code = text("error").unwrap_or_default();
        let kind = match (status, code) {
            (429, _) | (_, "slow_down") => ErrorKind::RateLimited,
            (408 | 504, _) => ErrorKind::Timeout,
            (503, _) | (_, "temporarily_unavailable") => ErrorKind::Overloaded,
            (500.., _) | (_, "server_error") => ErrorKind::Server,
            _ => ErrorKind::Auth,
        };
        let hint = match (kind, code) {
            (ErrorKind::Auth, "invalid_grant") => {
                "what was granted is over or taken back, or this machine's clock is wrong; sign in again, or make a new key"
            }
            (ErrorKind::Auth, "invalid_client") => "check the client's id and secret",
            (ErrorKind::Auth, "invalid_scope") => "check the scope",
            (ErrorKind::Auth, "unauthorized_client" | "unsupported_grant_type") => {
                "this client may not use this grant"
            }
            (ErrorKind::Auth, _) => "check the address of the token endpoint and what the client may do",
            _ => "it may answer later",
        };
        let said = match (code, text("error_description")) {
            ("", None) => "no reason that could be read".to_owned(),
            (code, None) => code.to_owned(),
            (code, Some(words)) => format!("{code}: {words}"),
        };
        let message =
            format!("the token endpoint at {} answered {status}: {} ({hint})", self.host, scrub(&said));
        let mut error = ModelError::new(kind, message);
        error.status = Some(status);
        error
    }
}

/// A body to its end. One that is too long is cut, and then no JSON.
async fn read(mut body: BodyStream) -> Result<Vec<u8>, TransportError> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > MAX_ANSWER {
            break;
        }
    }
    Ok(bytes)
}
