//! AWS's exceptions, before an answer and inside a stream.
//!
//! An exception's name stands in the header `x-amzn-errortype` (`Name:http://...`), or in the body's `__type`
//! (`com.amazon...#Name`), or in a stream's `:exception-type` (`name`). One status stands for several of them, and their
//! words mislead: "Too many tokens, please wait" is throttling, not a prompt that is too long.
//!
//! Source: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html#API_runtime_ConverseStream_Errors>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>

use mosaic_core::{ErrorKind, Headers, ModelError};
use serde_json::{Value, json};

use crate::wire::error;

/// The kind of each exception, by its name in lower case, without `exception` at its end.
const KINDS: &[(&str, ErrorKind)] = &[
    ("accessdenied", ErrorKind::Auth),
    ("expiredtoken", ErrorKind::Auth),
    ("incompletesignature", ErrorKind::Auth),
    ("internalfailure", ErrorKind::Server),
    ("internalserver", ErrorKind::Server),
    ("invalidclienttokenid", ErrorKind::Auth),
    ("invalidsignature", ErrorKind::Auth),
    ("missingauthenticationtoken", ErrorKind::Auth),
    ("modelerror", ErrorKind::Server),
    ("modelnotready", ErrorKind::Overloaded),
    ("modelstreamerror", ErrorKind::Server),
    ("modeltimeout", ErrorKind::Timeout),
    ("notauthorized", ErrorKind::Auth),
    ("optinrequired", ErrorKind::Auth),
    ("requestexpired", ErrorKind::Auth),
    ("resourcenotfound", ErrorKind::NotFound),
    ("servicequotaexceeded", ErrorKind::RateLimited),
    ("serviceunavailable", ErrorKind::Overloaded),
    ("throttling", ErrorKind::RateLimited),
    ("toomanyrequests", ErrorKind::RateLimited),
    ("unrecognizedclient", ErrorKind::Auth),
];

/// How models say, in a `ValidationException`, that a prompt is too long; beside the words that all APIs share.
const OVERFLOW: &[&str] = &["too many input tokens", "input tokens exceeded", "exceeds maximum length"];

/// The error of an answer with a status that is not 2xx.
pub(super) fn from_response(status: u16, headers: &Headers, body: &[u8]) -> ModelError {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let name = headers.get("x-amzn-errortype").map(bare).or_else(|| name_in(&json)).unwrap_or_default();
    let mut found = named(Some(status), headers, name, &json, || error::spoken_body(body));
    let ids = ["x-amzn-requestid", "x-amzn-request-id"];
    found.request_id = ids.iter().find_map(|name| headers.get(name)).map(str::to_owned);
    found
}

/// The error object that came where an answer should be. `None` when it is none.
pub(super) fn from_body(json: &Value) -> Option<ModelError> {
    let inner = json.get("Output").filter(|output| name_in(output).is_some()).unwrap_or(json);
    let is_error = name_in(inner).is_some() || message_in(inner).is_some() || inner.get("error").is_some();
    is_error.then(|| named(None, &Headers::default(), name_in(inner).unwrap_or_default(), inner, wordless))
}

/// An exception inside a stream: its name, and its payload.
pub(super) fn from_exception(name: &str, payload: &[u8]) -> ModelError {
    let json: Value = serde_json::from_slice(payload).unwrap_or(Value::Null);
    let mut found = named(None, &Headers::default(), bare(name), &json, wordless);
    // The model's own status, where the model failed.
    found.status =
        json.get("originalStatusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    found
}

/// An unmodelled error inside a stream: a code and a message, in headers.
pub(super) fn from_error(code: &str, message: &str) -> ModelError {
    named(None, &Headers::default(), bare(code), &json!({ "message": message }), wordless)
}

fn wordless() -> String {
    "it says nothing more".to_owned()
}

fn named(
    status: Option<u16>,
    headers: &Headers,
    name: &str,
    json: &Value,
    otherwise: impl FnOnce() -> String,
) -> ModelError {
    let said = message_in(json).map(str::to_owned).unwrap_or_else(otherwise);
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix("exception").unwrap_or(&lower);
    let text = said.to_ascii_lowercase();
    let kind = KINDS.iter().find(|(known, _)| *known == stem).map(|(_, kind)| *kind).or_else(|| {
        let overflow = OVERFLOW.iter().any(|words| text.contains(words));
        overflow.then_some(ErrorKind::ContextOverflow)
    });
    let kind = kind.or_else(|| {
        // Without a status, a refusal of the request would pass for a failure of the server.
        (stem == "validation" && status.is_none() && !error::overflows(&text))
            .then_some(ErrorKind::InvalidRequest)
    });
    let message = if name.is_empty() { said } else { format!("{name}: {said}") };
    error::named(status, headers, &json!({ "message": message, "type": lower }), kind, String::new)
}

/// `com.amazon.coral.service#Name`, `Name:http://...` and `name` as `Name`.
fn bare(name: &str) -> &str {
    let name = name.split(':').next().unwrap_or_default().trim();
    name.rsplit('#').next().unwrap_or_default()
}

fn name_in(json: &Value) -> Option<&str> {
    ["__type", "code"]
        .iter()
        .find_map(|name| json.get(name).and_then(Value::as_str))
        .map(bare)
        .filter(|name| !name.is_empty())
}

fn message_in(json: &Value) -> Option<&str> {
    let places = ["/message", "/Message", "/errorMessage", "/error/message", "/originalMessage"];
    places
        .iter()
        .find_map(|place| json.pointer(place).and_then(Value::as_str))
        .filter(|text| !text.trim().is_empty())
}
