//! Names of models, and who resolves them.

use std::fmt;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ChatModel, ModelError};

/// The name of a model: `provider:model`. The model part may hold further colons.
///
/// ```
/// use mosaic_core::ModelRef;
/// let name: ModelRef = "ollama:qwen3:8b".parse()?;
/// assert_eq!((name.provider(), name.model()), ("ollama", "qwen3:8b"));
/// assert!("just-a-model".parse::<ModelRef>().is_err());
/// # Ok::<(), mosaic_core::ModelRefError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelRef {
    provider: Arc<str>,
    model: Arc<str>,
}

/// A text that names no model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not the name of a model; write `provider:model`, `openai:gpt-4o-mini` for one")]
pub struct ModelRefError {
    /// The text.
    pub text: String,
}

impl ModelRef {
    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The model, as the provider names it.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }
}

impl FromStr for ModelRef {
    type Err = ModelRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((provider, model)) if !provider.trim().is_empty() && !model.trim().is_empty() => {
                Ok(Self { provider: provider.trim().into(), model: model.trim().into() })
            }
            _ => Err(ModelRefError { text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for ModelRef {
    type Error = ModelRefError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ModelRef> for String {
    fn from(name: ModelRef) -> Self {
        name.to_string()
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider, self.model)
    }
}

/// Turns names into models, when a session opens.
pub trait ModelSource: Debug + Send + Sync {
    /// The model of that name.
    ///
    /// # Errors
    /// `not_found` for an unknown provider, `auth` for a missing key; the message says what to set.
    fn resolve(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError>;
}
