//! What must not stand in a recording.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

use super::exchange::{
    Exchange, FORMAT, RecordedAnswer, RecordedBody, RecordedEnd, RecordedError, RecordedPiece,
    RecordedRequest,
};
use super::find::{MASK, Secrets, members, replace};
use crate::transport::{Headers, HttpRequest};

/// Headers whose values are secret, besides those that are marked so. A name that holds one of these is meant as well.
const HEADERS: &[&str] = &["authorization", "api-key", "apikey", "cookie", "password", "secret", "signature"];
/// The same for ends of names; `x-ratelimit-remaining-tokens` is no secret.
const HEADER_ENDS: &[&str] = &["-token", "-key"];
/// Keys and signatures in a query: Google's `key`, Azure's `api-key` and `sig`, AWS's `X-Amz-...`.
const QUERY: &[&str] = &[
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "key",
    "sig",
    "signature",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
];
/// What OAuth 2 (RFC 6749, RFC 7523) and the token services of clouds call their secrets.
const MEMBERS: &[&str] = &[
    "SecretAccessKey",
    "SessionToken",
    "access_token",
    "api_key",
    "apiKey",
    "assertion",
    "client_assertion",
    "client_secret",
    "id_token",
    "password",
    "private_key",
    "refresh_token",
];

type Hook = dyn Fn(&mut Exchange) + Send + Sync;

/// What must not stand in a recording.
///
/// By default: headers that are marked secret or are known to be, keys in queries, users and passwords in addresses, and
/// the members of bodies that OAuth and clouds keep secrets in. What was secret in one place is also taken out wherever
/// else it is repeated: in an error that a provider writes about a wrong key, or in a later exchange. A value of less than
/// 8 characters is only taken out where it stands.
///
/// In the body of an answer a secret becomes as many `*`, so that the pieces stay as long as they were; elsewhere it
/// becomes `[secret]`.
///
/// ```
/// use mosaic_core::transport::record::Scrub;
/// let scrub = Scrub::default()
///     .header("x-customer")
///     .member("ssn")
///     .hook(|exchange| exchange.request.url = exchange.request.url.replace("acme", "customer"));
/// # let _ = scrub;
/// ```
#[derive(Clone, Default)]
pub struct Scrub {
    headers: Vec<String>,
    query: Vec<String>,
    members: Vec<String>,
    values: Vec<SecretString>,
    hooks: Vec<Arc<Hook>>,
}

impl Scrub {
    /// Also the values of this header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.headers.push(name.into());
        self
    }

    /// Also the values of this key in a query.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>) -> Self {
        self.query.push(name.into());
        self
    }

    /// Also the texts of members of this name, anywhere in a JSON body or a form.
    #[must_use]
    pub fn member(mut self, name: impl Into<String>) -> Self {
        self.members.push(name.into());
        self
    }

    /// Also this value, wherever it stands.
    #[must_use]
    pub fn value(mut self, secret: impl Into<SecretString>) -> Self {
        self.values.push(secret.into());
        self
    }

    /// Also what this function takes out: names of customers, say. It sees exchanges after all else is taken out of them,
    /// and before they are written. A replay calls it too, for what it is asked, with an exchange that was not answered.
    #[must_use]
    pub fn hook(mut self, hook: impl Fn(&mut Exchange) + Send + Sync + 'static) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// The secrets that are known before anything is seen.
    pub(super) fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        self.values.iter().for_each(|value| secrets.learn(value.expose_secret()));
        secrets
    }

    /// An exchange as it may be written.
    pub(super) fn exchange(
        &self,
        number: u64,
        request: &HttpRequest,
        answer: RawAnswer<'_>,
        secrets: &mut Secrets,
    ) -> Exchange {
        let url = self.learn_url(&request.url, secrets);
        self.learn_headers(&request.headers, secrets);
        let body = request.body_bytes();
        self.learn_members(&body, secrets);
        if let RawAnswer::Answered { headers, pieces, .. } = &answer {
            self.learn_headers(headers, secrets);
            self.learn_members(&pieces.concat(), secrets);
        }
        let places = self.places(&body, secrets);
        let body = if places.is_empty() { body } else { replace(&body, places, |_| MASK.into()).into() };
        let mut url = url;
        secrets.clean(&mut url);
        let request = RecordedRequest {
            method: request.method.as_str().to_owned(),
            url,
            headers: self.headers(&request.headers, secrets),
            body: RecordedBody::of(&body),
        };
        let answer = self.answer(answer, secrets);
        let mut exchange = Exchange { v: FORMAT, number, request, answer };
        self.hooks.iter().for_each(|hook| hook(&mut exchange));
        exchange
    }

    fn answer(&self, answer: RawAnswer<'_>, secrets: &Secrets) -> RecordedAnswer {
        let clean = |mut error: RecordedError| {
            error.texts().into_iter().for_each(|text| secrets.clean(text));
            error
        };
        match answer {
            RawAnswer::Cancelled => RecordedAnswer::Cancelled,
            RawAnswer::Failed(error) => RecordedAnswer::Failed { error: clean(error) },
            RawAnswer::Answered { status, headers, pieces, end } => {
                let end = match end {
                    RecordedEnd::Broken { error } => RecordedEnd::Broken { error: clean(error) },
                    other => other,
                };
                let headers = self.headers(headers, secrets);
                RecordedAnswer::Answered { status, headers, pieces: self.pieces(pieces, secrets), end }
            }
        }
    }

    /// A secret may begin in one piece and end in another.
    fn pieces(&self, pieces: &[Bytes], secrets: &Secrets) -> Vec<RecordedPiece> {
        let whole = pieces.concat();
        let places = self.places(&whole, secrets);
        if places.is_empty() {
            return pieces.iter().cloned().map(RecordedPiece).collect();
        }
        let mut whole = Bytes::from(replace(&whole, places, |len| vec![b'*'; len]));
        let cut = |piece: &Bytes| RecordedPiece(whole.split_to(piece.len().min(whole.len())));
        pieces.iter().map(cut).collect()
    }

    fn places(&self, bytes: &[u8], secrets: &Secrets) -> Vec<std::ops::Range<usize>> {
        let mut places = secrets.find(bytes);
        places.extend(members(bytes, MEMBERS));
        places.extend(members(bytes, &self.members));
        places
    }

    fn learn_members(&self, bytes: &[u8], secrets: &mut Secrets) {
        for place in members(bytes, MEMBERS).into_iter().chain(members(bytes, &self.members)) {
            if let Some(text) = bytes.get(place).and_then(|bytes| std::str::from_utf8(bytes).ok()) {
                secrets.learn(text);
            }
        }
    }

    fn is_secret(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        HEADERS.iter().any(|known| name.contains(known))
            || HEADER_ENDS.iter().any(|end| name.ends_with(end))
            || self.headers.iter().any(|own| own.eq_ignore_ascii_case(&name))
    }

    fn learn_headers(&self, headers: &Headers, secrets: &mut Secrets) {
        let secret = headers.iter().filter(|header| header.is_secret() || self.is_secret(&header.name));
        secret.for_each(|header| secrets.learn(header.expose()));
    }

    fn headers(&self, headers: &Headers, secrets: &Secrets) -> Vec<(String, String)> {
        let recorded = headers.iter().map(|header| {
            let mut value = header.expose().to_owned();
            if header.is_secret() || self.is_secret(&header.name) {
                value = MASK.to_owned();
            } else {
                secrets.clean(&mut value);
            }
            (header.name.to_ascii_lowercase(), value)
        });
        recorded.collect()
    }

    /// The address without the secrets in it.
    pub(crate) fn learn_url(&self, url: &str, secrets: &mut Secrets) -> String {
        let (url, fragment) = url.split_once('#').map_or((url, None), |(url, rest)| (url, Some(rest)));
        let (address, query) = url.split_once('?').map_or((url, None), |(url, rest)| (url, Some(rest)));
        let mut out = match address.split_once("://") {
            Some((scheme, rest)) => {
                let end = rest.find('/').unwrap_or(rest.len());
                match rest.get(..end).and_then(|authority| authority.rsplit_once('@')) {
                    Some((user, _)) => {
                        user.split(':').for_each(|secret| secrets.learn(secret));
                        format!("{scheme}://{MASK}@{}", rest.get(user.len() + 1..).unwrap_or_default())
                    }
                    None => address.to_owned(),
                }
            }
            None => address.to_owned(),
        };
        let is_secret = |name: &str| {
            QUERY.iter().any(|known| known.eq_ignore_ascii_case(name))
                || self.query.iter().any(|own| own == name)
        };
        for (index, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
            out.push(if index == 0 { '?' } else { '&' });
            match pair.split_once('=') {
                Some((name, value)) if is_secret(name) => {
                    secrets.learn(value);
                    out.push_str(name);
                    out.push('=');
                    out.push_str(MASK);
                }
                _ => out.push_str(pair),
            }
        }
        if let Some(fragment) = fragment {
            out.push('#');
            out.push_str(fragment);
        }
        out
    }
}

impl fmt::Debug for Scrub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrub")
            .field("headers", &self.headers)
            .field("query", &self.query)
            .field("members", &self.members)
            .field("values", &self.values.len())
            .field("hooks", &self.hooks.len())
            .finish()
    }
}

/// An answer as it came, with all its secrets.
pub(super) enum RawAnswer<'a> {
    Answered { status: u16, headers: &'a Headers, pieces: &'a [Bytes], end: RecordedEnd },
    Failed(RecordedError),
    Cancelled,
}
