//! What is asked of an embedder.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EmbedError, EmbedderInfo, Scope};
use crate::error::ErrorKind;
use crate::runtime::Timestamp;

/// Which side of a search a text is on. Models that were not taught the difference do not see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// It is looked for.
    Query,
    /// It is to be found.
    #[default]
    Document,
}

/// What is asked of an embedder. Cloning it copies no text.
///
/// ```
/// use mosaic_core::memory::{EmbedRequest, Purpose};
/// let documents = EmbedRequest::documents(["It rained.", "It snowed."]);
/// let query = EmbedRequest::new(["weather?"], Purpose::Query).dimensions(256);
/// assert_eq!((documents.inputs.len(), query.dimensions), (2, Some(256)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedRequest {
    /// The texts. None of them may be empty.
    pub inputs: Arc<[Arc<str>]>,
    /// Which side of a search they are on.
    pub purpose: Purpose,
    /// How long the vectors are to be; `None` leaves it to the model.
    pub dimensions: Option<usize>,
    /// The call must have ended by then.
    pub deadline: Option<Timestamp>,
    /// Whose texts they are. A cache files their vectors under it, so that they can be forgotten with the rest of what is
    /// theirs; nothing of it is sent.
    pub owner: Option<Scope>,
}

impl EmbedRequest {
    /// Texts for one purpose.
    pub fn new<T: Into<Arc<str>>>(inputs: impl IntoIterator<Item = T>, purpose: Purpose) -> Self {
        let inputs = inputs.into_iter().map(Into::into).collect();
        Self { inputs, purpose, dimensions: None, deadline: None, owner: None }
    }

    /// Texts that are to be found.
    pub fn documents<T: Into<Arc<str>>>(inputs: impl IntoIterator<Item = T>) -> Self {
        Self::new(inputs, Purpose::Document)
    }

    /// With vectors of that length.
    #[must_use]
    pub fn dimensions(mut self, dimensions: usize) -> Self {
        self.dimensions = Some(dimensions);
        self
    }

    /// With an end.
    #[must_use]
    pub fn deadline(mut self, deadline: Timestamp) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Of somebody's texts.
    #[must_use]
    pub fn owner(mut self, owner: Scope) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Whether an embedder may be asked this; for those who implement one.
    ///
    /// # Errors
    /// `invalid_request` for no text, an empty text, more texts than a request may hold, or vectors of no length: what
    /// providers refuse with messages of their own, or answer with nonsense.
    pub fn check(&self, info: &EmbedderInfo) -> Result<(), EmbedError> {
        let refused = |message: String| {
            let error = EmbedError::new(ErrorKind::InvalidRequest, message);
            Err(error.with_provider(info.provider.to_string()))
        };
        if self.inputs.is_empty() {
            return refused("there is no text to embed".to_owned());
        }
        if let Some(at) = self.inputs.iter().position(|input| input.is_empty()) {
            return refused(format!(
                "text {at} of {} is empty, which has no meaning to embed; leave it out",
                self.inputs.len()
            ));
        }
        if self.dimensions == Some(0) {
            return refused(
                "vectors of 0 dimensions hold nothing; ask for at least 1, or for none in particular"
                    .to_owned(),
            );
        }
        match info.max_inputs {
            Some(max) if self.inputs.len() > max => refused(format!(
                "{} texts are more than the {max} that one request to `{}` may hold; `embed_all` splits them",
                self.inputs.len(),
                info.model
            )),
            _ => Ok(()),
        }
    }
}
