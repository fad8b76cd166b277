//! Whether a request is the recorded one.

use serde_json::Value;
use thiserror::Error;

use super::exchange::{RecordedBody, RecordedRequest};
use crate::recording::Difference;

/// Why a request has no answer in a recording.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RequestMismatch {
    /// Another method.
    #[error("exchange {number} is a {recorded}, not a {found}")]
    Method {
        /// The exchange that it was compared with.
        number: u64,
        /// As recorded.
        recorded: String,
        /// As asked.
        found: String,
    },
    /// Another path or query. Scheme and host may differ.
    #[error("exchange {number} was recorded for `{recorded}`, not for `{found}`")]
    Url {
        /// The exchange that it was compared with.
        number: u64,
        /// Path and query as recorded.
        recorded: String,
        /// Path and query as asked.
        found: String,
    },
    /// Another body.
    #[error("exchange {number} has another body: {difference}")]
    Body {
        /// The exchange that it was compared with.
        number: u64,
        /// Where.
        difference: Difference,
    },
    /// Every exchange was used.
    #[error("all {exchanges} recorded exchanges are used up")]
    UsedUp {
        /// How many there were.
        exchanges: usize,
    },
}

/// Compares what was asked with an exchange.
pub(super) fn compare<S: AsRef<str>>(
    number: u64,
    recorded: &RecordedRequest,
    found: &RecordedRequest,
    ignored: &[S],
) -> Result<(), RequestMismatch> {
    if recorded.method != found.method {
        let (recorded, found) = (recorded.method.clone(), found.method.clone());
        return Err(RequestMismatch::Method { number, recorded, found });
    }
    let (one, other) = (path(&recorded.url), path(&found.url));
    if one != other {
        let (recorded, found) = (one.to_owned(), other.to_owned());
        return Err(RequestMismatch::Url { number, recorded, found });
    }
    match Difference::first(&value(&recorded.body), &value(&found.body), ignored) {
        Some(difference) => Err(RequestMismatch::Body { number, difference }),
        None => Ok(()),
    }
}

/// Path and query.
pub(super) fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

fn value(body: &RecordedBody) -> Value {
    match body {
        RecordedBody::Json(value) => value.clone(),
        // A text that is no JSON can only be the same or not.
        RecordedBody::Other(piece) => serde_json::to_value(piece).unwrap_or_default(),
    }
}
