//! What the code that `#[tool]` writes needs. Not for anybody else.
//!
//! `Result` is `Serialize` itself where both sides are, so a trait alone cannot tell a result from a value. Method
//! lookup can: a method on `T` is found before the same method on `&T`, so the code that the attribute writes asks
//! `(&value).__kind()` and gets the more special answer.

use std::convert::Infallible;
use std::fmt::Display;

pub use async_trait::async_trait;
pub use schemars;
pub use serde;
pub use serde_json::Value;

pub use super::output::IntoToolOutput;
pub use super::{Approval, Effect, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};

/// The schema of the input of a tool.
#[must_use]
pub fn input_schema<T: schemars::JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        // Small models, and some providers, do not follow references.
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // The name of our own struct, and its absence of a description, are of no interest to a model.
    schema.remove("title");
    schema.insert("type".into(), "object".into());
    schema.to_value()
}

/// Reads the input of a tool.
///
/// # Errors
/// When it does not fit: a type may be narrower than its schema.
pub fn read_input<T: serde::de::DeserializeOwned>(input: Value) -> Result<T, ToolError> {
    serde_json::from_value(input).map_err(|error| ToolError::new(format!("the input does not fit: {error}")))
}

/// A function returned a `Result`.
#[derive(Debug)]
pub struct ResultKind;
/// A function returned anything else.
#[derive(Debug)]
pub struct PlainKind;

#[doc(hidden)]
pub trait Split {
    fn __kind(&self) -> ResultKind {
        ResultKind
    }
}
impl<T, E> Split for Result<T, E> {}

#[doc(hidden)]
pub trait Plain {
    fn __kind(&self) -> PlainKind {
        PlainKind
    }
}
impl<T> Plain for &T {}

impl ResultKind {
    #[doc(hidden)]
    pub fn split<T, E>(self, value: Result<T, E>) -> Result<T, E> {
        value
    }
}

impl PlainKind {
    #[doc(hidden)]
    pub fn split<T>(self, value: T) -> Result<T, Infallible> {
        Ok(value)
    }
}

/// An error that becomes a [`ToolError`] by itself.
#[derive(Debug)]
pub struct IntoKind;
/// An error that can be displayed.
#[derive(Debug)]
pub struct DisplayKind;

#[doc(hidden)]
pub trait ErrorByInto {
    fn __error_kind(&self) -> IntoKind {
        IntoKind
    }
}
impl<E: Into<ToolError>> ErrorByInto for E {}

#[doc(hidden)]
pub trait ErrorByDisplay {
    fn __error_kind(&self) -> DisplayKind {
        DisplayKind
    }
}
impl<E: Display> ErrorByDisplay for &E {}

impl IntoKind {
    #[doc(hidden)]
    pub fn convert(self, error: impl Into<ToolError>) -> ToolError {
        error.into()
    }
}

impl DisplayKind {
    #[doc(hidden)]
    pub fn convert(self, error: impl Display) -> ToolError {
        // The alternate form of the error types that are used most shows their causes as well.
        ToolError::new(format!("{error:#}"))
    }
}
