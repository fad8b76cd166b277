//! What crosses as JSON.

use mosaic_core::{ErrorKind, ErrorReport};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bridge::{Failure, Outcome};

/// What Python says to a method.
pub(crate) fn read<T: DeserializeOwned>(method: &str, json: &str) -> Outcome<T> {
    // By way of a value: the place in a text that the program never saw tells it nothing.
    let value: Result<Value, _> = serde_json::from_str(json);
    value
        .and_then(serde_json::from_value)
        .map_err(|error| invalid(format!("`{method}` cannot take this: {error}")))
}

/// What Python is told.
pub(crate) fn write<T: Serialize>(value: &T) -> Outcome<String> {
    serde_json::to_string(value)
        .map_err(|error| Failure::report(ErrorReport::new(ErrorKind::Internal, error.to_string())))
}

/// What the program cannot mean.
pub(crate) fn invalid(why: impl Into<String>) -> Failure {
    Failure::report(ErrorReport::new(ErrorKind::InvalidRequest, why.into()))
}
