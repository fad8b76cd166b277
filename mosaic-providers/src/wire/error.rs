//! From status, headers and body to a [`ModelError`].
//!
//! Bodies come in many shapes, and all of them are read here:
//!
//! | shape | of |
//! | --- | --- |
//! | `{"error": {"message", "type", "code", ...}}` | OpenAI and most others; `code` may be a number (llama.cpp, OpenRouter) |
//! | `{"type": "error", "error": {"type", "message"}, "request_id"}` | Anthropic |
//! | `{"error": "text", "code"}` | xAI, Ollama |
//! | `{"message", "type", "code"}`, `{"object": "error", ...}` | vLLM, Mistral |
//! | `{"detail": "text"}`, `{"detail": [{"msg", "loc"}]}`, the same in `message` | FastAPI servers, Mistral |
//! | `{"error": {"code", "message", "status", "details"}}`, `[{"error": {...}}]` | Google: `details` hold reasons and waits |
//! | HTML, plain text, nothing | proxies |
//!
//! The kind is found from the codes first, then from the status, and from words only where neither tells: a context
//! overflow and a wrong key come as a plain 400 from several providers.
//!
//! Sources: <https://platform.openai.com/docs/guides/error-codes>, <https://docs.anthropic.com/en/api/errors>,
//! <https://openrouter.ai/docs/api-reference/errors>, <https://console.groq.com/docs/errors>

use std::fmt::Write;

use mosaic_core::{ErrorKind, Headers, ModelError};
use serde_json::Value;

use super::limits::limits;
pub(crate) use super::retry::retry_after;
pub(crate) use super::scrub::scrub;

/// The error of an answer with a status that is not 2xx.
pub(crate) fn from_response(status: u16, headers: &Headers, body: &[u8]) -> ModelError {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let found = Found::of(&json);
    let mut error = build(Some(status), &found, || spoken_body(body));
    error.retry_after = retry_after(headers, &json, &found.message);
    let ids = ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "cf-ray"];
    // OpenAI's and Anthropic's own clients follow it.
    match headers.get("x-should-retry") {
        Some("true") => error.retryable = true,
        Some("false") => error.retryable = false,
        _ => {}
    }
    error.request_id =
        ids.iter().find_map(|name| headers.get(name)).map(str::to_owned).or_else(|| found.request_id.clone());
    error
}

/// The error of an API whose errors have names of its own, which tell the kind: those of AWS for one. With `None` it is
/// found as everywhere else. `json` has its `message` and, as `type`, its name.
pub(crate) fn named(
    status: Option<u16>,
    headers: &Headers,
    json: &Value,
    kind: Option<ErrorKind>,
    otherwise: impl FnOnce() -> String,
) -> ModelError {
    let found = Found { kind, ..Found::of(json) };
    let mut error = build(status, &found, otherwise);
    error.retry_after = retry_after(headers, json, &found.message);
    error
}

/// The error object that came inside an answer with status 200.
pub(crate) fn from_object(json: &Value) -> ModelError {
    let found = Found::of(json);
    let status = found.status;
    let mut error = build(status, &found, || "the provider sent an error without a message".to_owned());
    error.retry_after = retry_after(&Headers::default(), json, &found.message);
    error.request_id.clone_from(&found.request_id);
    error
}

/// The error that a stream tells in an event of that name, JSON or not.
pub(crate) fn from_event(data: &str) -> ModelError {
    let json = serde_json::from_str(data).unwrap_or_else(|_| serde_json::json!({ "message": data }));
    from_object(&json)
}

/// A body with status 200 that is not what the API promises.
pub(crate) fn unreadable(what: &str, body: &str, source: Option<serde_json::Error>) -> ModelError {
    let looks = match body.trim_start().as_bytes() {
        [] => "it is empty",
        [b'<', ..] => "it is a page of HTML; is the base URL right?",
        _ => "it is not the JSON that the API promises",
    };
    let mut message = format!("the provider's {what} cannot be read: {looks}");
    if let Some(source) = &source {
        // The place, never the text: an answer does not belong into an error.
        let _ = write!(message, " (line {}, column {})", source.line(), source.column());
    }
    let error = ModelError::new(ErrorKind::Decode, message);
    match source {
        Some(source) => error.with_source(source),
        None => error,
    }
}

/// An answer that is not all there: a stream without its terminal event, a body that was cut.
pub(crate) fn incomplete(missing: &str) -> ModelError {
    ModelError::new(
        ErrorKind::Incomplete,
        format!("the provider's answer ended without {missing}; what came may be cut off, so ask again"),
    )
}

#[derive(Debug, Default)]
struct Found {
    message: String,
    /// `type` and `code`, in lower case.
    codes: Vec<String>,
    status: Option<u16>,
    request_id: Option<String>,
    error: Value,
    /// What kind it is, where the API's own name for it tells.
    kind: Option<ErrorKind>,
}

impl Found {
    fn of(json: &Value) -> Self {
        let body = match json {
            Value::Array(values) => values.first().unwrap_or(json),
            other => other,
        };
        // OpenRouter puts it into the choice, Groq beside its own figures.
        let places = [body.get("error"), body.pointer("/choices/0/error"), body.pointer("/x_groq/error")];
        let error = places.into_iter().flatten().find(|place| place.is_object()).unwrap_or(body);
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let message = text(error.get("message"))
            .or_else(|| text(body.get("error")))
            .or_else(|| text(body.get("message")))
            .or_else(|| text(body.get("detail")))
            .or_else(|| refused(body.get("detail").or_else(|| body.pointer("/message/detail"))))
            .or_else(|| text(body.pointer("/errors/0/message")))
            .or_else(|| text(error.pointer("/metadata/raw")))
            .unwrap_or_default();
        let codes: Vec<String> =
            [error.get("code"), error.get("type"), body.get("code"), error.get("status")]
                .into_iter()
                .filter_map(text)
                .chain(text(error.pointer("/innererror/code")))
                .chain(reasons(error))
                .map(|code| code.to_ascii_lowercase())
                .collect();
        let number = |value: Option<&Value>| match value {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        let status =
            [error.get("status_code"), error.get("code"), error.get("http_code"), body.get("status_code")]
                .into_iter()
                .find_map(number)
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (400..600).contains(status));
        let request_id = text(body.get("request_id")).or_else(|| text(error.get("request_id")));
        Self { message, codes, status, request_id, error: error.clone(), kind: None }
    }

    fn has(&self, codes: &[&str]) -> bool {
        self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }
}

/// The reasons in Google's `details`: they tell a wrong key from any other 400.
fn reasons(error: &Value) -> impl Iterator<Item = String> {
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
    details.filter_map(|detail| detail.get("reason").and_then(Value::as_str)).map(str::to_owned)
}

/// The first of FastAPI's findings: what is wrong, and where.
fn refused(findings: Option<&Value>) -> Option<String> {
    let first = findings?.get(0)?;
    let what = first.get("msg")?.as_str()?;
    let place: Vec<String> = first
        .get("loc")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
        .collect();
    Some(if place.is_empty() { what.to_owned() } else { format!("{what} (at {})", place.join(".")) })
}

fn build(status: Option<u16>, found: &Found, otherwise: impl FnOnce() -> String) -> ModelError {
    let kind = found.kind.unwrap_or_else(|| kind(status, found));
    let message = if found.message.trim().is_empty() { otherwise() } else { found.message.clone() };
    let mut text = match status {
        Some(status) => format!("the provider answered {status}: {}", scrub(&message)),
        None => format!("the provider answered with an error: {}", scrub(&message)),
    };
    if let Some(hint) = hint(kind) {
        let _ = write!(text, " ({hint})");
    }
    let mut error = ModelError::new(kind, text);
    error.status = status;
    if kind == ErrorKind::ContextOverflow {
        error.limits = limits(&found.error, &found.message);
    }
    // Groq: what the model wrote was no call. Asked again, it may write one. <https://console.groq.com/docs/tool-use>
    if found.has(&["tool_use_failed"]) {
        error.retryable = true;
    }
    // An account without credit stays without it however often one asks.
    if found.has(&["insufficient_quota", "billing_error", "billing_not_active", "billing_hard_limit_reached"])
        || status == Some(402)
    {
        error.retryable = false;
    }
    error
}

/// What to do about a prompt that is too long.
pub(crate) const COMPACT: &str = "shorten or compact the conversation";

fn hint(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Auth => Some("check the API key and what it is allowed to do"),
        ErrorKind::NotFound => Some("check the model's name and the base URL"),
        ErrorKind::ContextOverflow => Some(COMPACT),
        _ => None,
    }
}

/// The kind. Codes first, because one status stands for several things; then the status; words last.
fn kind(status: Option<u16>, found: &Found) -> ErrorKind {
    const OVERFLOW: &[&str] = &[
        "context_length_exceeded",
        "exceed_context_size_error",
        "too_many_prompt_tokens",
        "model_max_prompt_tokens_exceeded",
        "request_too_large",
        "string_above_max_length",
        "3051",
    ];
    const AUTH: &[&str] = &[
        "invalid_api_key",
        "api_key_invalid",
        "incorrect_api_key",
        "authentication_error",
        "permission_error",
        "permission_denied",
        "unauthenticated",
        "billing_error",
    ];
    const FILTERED: &[&str] = &[
        "content_filter",
        "content_policy_violation",
        "invalid_prompt",
        "moderation_blocked",
        "responsibleaipolicyviolation",
    ];
    let text = found.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let limited = status == Some(429)
        || found.has(&[
            "rate_limit_error",
            "rate_limit_exceeded",
            "insufficient_quota",
            "resource_exhausted",
        ]);
    if found.has(OVERFLOW) || status == Some(413) || (!limited && overflows(&text)) {
        return ErrorKind::ContextOverflow;
    }
    if found.has(FILTERED) || (status == Some(403) && says(&["moderation", "flagged", "content policy"])) {
        return ErrorKind::ContentFiltered;
    }
    if found.has(AUTH)
        || (status == Some(400) && says(&["api key provided", "invalid api key", "api key not valid"]))
    {
        return ErrorKind::Auth;
    }
    if limited {
        return ErrorKind::RateLimited;
    }
    if found.has(&["overloaded_error", "overloaded", "unavailable", "engine_overloaded"]) {
        return ErrorKind::Overloaded;
    }
    if found.has(&["timeout_error", "deadline_exceeded"]) {
        return ErrorKind::Timeout;
    }
    match status {
        Some(401 | 402 | 403 | 407) => ErrorKind::Auth,
        Some(404 | 410) => ErrorKind::NotFound,
        Some(408 | 504 | 524) => ErrorKind::Timeout,
        Some(409 | 425) => ErrorKind::Server,
        Some(451) => ErrorKind::ContentFiltered,
        Some(405 | 501) => ErrorKind::Unsupported,
        Some(498 | 503 | 529) => ErrorKind::Overloaded,
        // A redirect is not followed: the base URL is not where the provider is.
        Some(300..=499) => ErrorKind::InvalidRequest,
        Some(_) => ErrorKind::Server,
        None if found.has(&["not_found_error", "model_not_found"]) => ErrorKind::NotFound,
        None if found.has(&[
            "invalid_request_error",
            "invalid_argument",
            "tool_use_failed",
            "bad_request",
        ]) =>
        {
            ErrorKind::InvalidRequest
        }
        // An error in the middle of a stream, without a code: the provider had accepted the request.
        None => ErrorKind::Server,
    }
}

/// Words of a context overflow. Throttling that says "too many tokens per minute" is none.
pub(crate) fn overflows(text: &str) -> bool {
    if text.contains("per minute") || text.contains("per day") || text.contains("rate limit") {
        return false;
    }
    [
        "context length",
        "context window",
        "context size",
        "context limit",
        "prompt is too long",
        "input is too long",
        "input is longer than",
        "too many tokens",
        "too many prompt tokens",
        "messages is too long",
        "maximum prompt length",
        "reduce the length of the messages",
        "exceeds the maximum number of tokens",
        "model only supports up to",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// What a body that is no JSON says.
pub(crate) fn spoken_body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return "the body is empty".to_owned();
    }
    if text.starts_with('<') {
        let lower = text.to_ascii_lowercase();
        let title = lower.find("<title>").zip(lower.find("</title>"));
        let title = title.and_then(|(from, to)| text.get(from + "<title>".len()..to)).map(str::trim);
        return match title.filter(|title| !title.is_empty()) {
            Some(title) => {
                format!("a page of HTML, titled \"{title}\"; a proxy or a wrong base URL sends those")
            }
            None => "a page of HTML; a proxy or a wrong base URL sends those".to_owned(),
        };
    }
    if text.starts_with(['{', '[']) {
        return "no message that could be read".to_owned();
    }
    text.chars().take(500).collect()
}

#[cfg(test)]
#[path = "error/tests.rs"]
mod tests;
