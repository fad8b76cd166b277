//! How a tool fails.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::error::{ErrorKind, ErrorReport};

/// Something of the host that is carried through a run untouched, so that the host can raise its own exception again.
#[derive(Clone)]
pub struct FatalToken(pub Arc<dyn Any + Send + Sync>);

impl fmt::Debug for FatalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FatalToken")
    }
}

/// How a tool fails. The model sees class and message as the call's result; a fatal error ends the run instead.
///
/// ```
/// use mosaic_core::ToolError;
/// let error = ToolError::new("no such city").class("LookupError");
/// assert_eq!(error.to_string(), "LookupError: no such city");
/// ```
#[derive(Debug, Clone, Error)]
#[error("{}{message}", class.as_ref().map(|class| format!("{class}: ")).unwrap_or_default())]
pub struct ToolError {
    /// What happened, for the model.
    pub message: String,
    /// The class of the host's exception.
    pub class: Option<String>,
    /// The run cannot go on.
    pub fatal: Option<FatalToken>,
    /// What kind of thing went wrong, `tool` as a rule.
    pub kind: ErrorKind,
}

impl ToolError {
    /// A failure that the model sees and can react to.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), class: None, fatal: None, kind: ErrorKind::Tool }
    }

    /// A failure that ends the run.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self { fatal: Some(FatalToken(Arc::new(()))), ..Self::new(message) }
    }

    /// What a panic left behind.
    pub(super) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(format!("the tool panicked: {}", text.unwrap_or("no message")))
    }

    /// With the class of the host's exception.
    #[must_use]
    pub fn class(mut self, class: impl Into<String>) -> Self {
        self.class = Some(class.into());
        self
    }

    /// The error as data.
    #[must_use]
    pub fn report(&self) -> ErrorReport {
        ErrorReport::new(self.kind, self.to_string())
    }
}

impl From<String> for ToolError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<std::convert::Infallible> for ToolError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<&str> for ToolError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
