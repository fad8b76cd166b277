//! The contract: texts in, vectors out.

use std::fmt::Debug;
use std::sync::Arc;

use super::{EmbedError, EmbedRequest};
use crate::error::ErrorKind;
use crate::message::{Cost, Usage};
use crate::model::{ModelRef, Price};

/// Facts about an embedder. What is not known is left out, and nothing is assumed in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedderInfo {
    /// The provider, as the host's configuration names it.
    pub provider: Arc<str>,
    /// The model, as the provider names it.
    pub model: Arc<str>,
    /// How long its vectors are when nobody asks for a length.
    pub dimensions: Option<usize>,
    /// Texts that a request may hold.
    pub max_inputs: Option<usize>,
    /// Tokens that one text may have. What happens to the rest is the provider's choice; none of ours cuts silently.
    pub max_input_tokens: Option<u64>,
    /// Tokens that all texts of a request may have together.
    pub max_request_tokens: Option<u64>,
    /// What it costs; only the input counts.
    pub price: Option<Price>,
}

impl EmbedderInfo {
    /// An embedder of which only the name is known.
    pub fn new(provider: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            dimensions: None,
            max_inputs: None,
            max_input_tokens: None,
            max_request_tokens: None,
            price: None,
        }
    }
}

/// What an embedder answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// One vector a text, in the order of the texts, all of one length.
    pub vectors: Vec<Vec<f32>>,
    /// What it took. A provider that does not say so leaves 0.
    pub usage: Usage,
    /// What it cost: the provider's own figure where it tells one, else the price times the usage. `None` where neither
    /// is known.
    pub cost: Option<Cost>,
    /// The model that answered, as the provider says it, else the one that was asked. Vectors of different models
    /// cannot be compared.
    pub model: Arc<str>,
}

impl Embeddings {
    /// How long the vectors are; 0 when there are none.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.vectors.first().map_or(0, Vec::len)
    }

    /// Whether this answers a request as the contract wants it; for those who implement an embedder.
    ///
    /// # Errors
    /// `decode` when it does not: a vector that is missing, one too many, of another length or of numbers that are none.
    /// `unsupported` when the length that was asked for was not honoured.
    pub fn check(self, request: &EmbedRequest, info: &EmbedderInfo) -> Result<Self, EmbedError> {
        let fail = |kind, message: String| {
            Err(EmbedError::new(kind, message).with_provider(info.provider.to_string()))
        };
        let (texts, found, model) = (request.inputs.len(), self.vectors.len(), &info.model);
        if found != texts {
            return fail(
                ErrorKind::Decode,
                format!("`{model}` was given {texts} texts and answered with {found} vectors"),
            );
        }
        let width = self.dimensions();
        if width == 0 {
            return fail(
                ErrorKind::Decode,
                format!("`{model}` answered with an empty vector; does it embed at all?"),
            );
        }
        if let Some((at, other)) = self.vectors.iter().enumerate().find(|(_, vector)| vector.len() != width) {
            let other = other.len();
            return fail(
                ErrorKind::Decode,
                format!("`{model}` answered with vectors of {width} and of {other} dimensions (text {at})"),
            );
        }
        if let Some(at) = self.vectors.iter().position(|vector| !vector.iter().all(|x| x.is_finite())) {
            return fail(
                ErrorKind::Decode,
                format!("`{model}` answered with numbers that are not finite (text {at})"),
            );
        }
        match request.dimensions {
            Some(asked) if asked != width => fail(
                ErrorKind::Unsupported,
                format!(
                    "`{model}` was asked for {asked} dimensions and answered with {width}; \
                     it does not honour the wish: ask for {width}, or for none in particular"
                ),
            ),
            _ => Ok(self),
        }
    }
}

/// Turns texts into vectors.
///
/// # Contract
/// * One vector a text, in the order of the texts.
/// * All vectors of an answer have one length, the length that was asked for where one was; all numbers are finite.
/// * No text, and a text that is empty, are refused as `invalid_request` before anything is sent; so are more texts than
///   [`EmbedderInfo::max_inputs`].
/// * An answer that breaks this is an error, never an answer. [`EmbedRequest::check`] and [`Embeddings::check`] see to it.
/// * Dropping the future cancels the request.
///
/// ```
/// use mosaic_core::memory::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings};
/// use mosaic_core::Usage;
///
/// /// Counts letters: no meaning, but the same text gives the same vector.
/// #[derive(Debug)]
/// struct Letters(EmbedderInfo);
///
/// #[async_trait::async_trait]
/// impl Embedder for Letters {
///     fn info(&self) -> &EmbedderInfo {
///         &self.0
///     }
///
///     async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
///         request.check(&self.0)?;
///         let count = |text: &str, letter| text.chars().filter(|c| *c == letter).count() as f32;
///         let vector = |text: &str| ('a'..='z').map(|letter| count(text, letter)).collect();
///         let vectors = request.inputs.iter().map(|text| vector(text)).collect();
///         let (usage, model) = (Usage::default(), self.0.model.clone());
///         Embeddings { vectors, usage, cost: None, model }.check(&request, &self.0)
///     }
/// }
/// ```
#[async_trait::async_trait]
pub trait Embedder: Debug + Send + Sync {
    /// Facts about it.
    fn info(&self) -> &EmbedderInfo;

    /// The vectors of some texts, in one request.
    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError>;
}

/// How much alike the directions of two vectors are: 1 for the same, 0 for unrelated ones, -1 for opposite ones. 0 where one of
/// them has no direction, or where their lengths differ.
#[must_use]
pub fn cosine(one: &[f32], other: &[f32]) -> f32 {
    if one.len() != other.len() {
        return 0.0;
    }
    let product =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let lengths = (product(one, one) * product(other, other)).sqrt();
    #[allow(clippy::cast_possible_truncation)]
    if lengths > 0.0 { (product(one, other) / lengths) as f32 } else { 0.0 }
}

/// Turns names into embedders.
pub trait EmbedderSource: Debug + Send + Sync {
    /// The embedder of that name.
    ///
    /// # Errors
    /// `not_found` for an unknown provider, `auth` for a missing key, `unsupported` for a provider without embeddings; the
    /// message says what to set.
    fn embedder(&self, name: &ModelRef) -> Result<Arc<dyn Embedder>, EmbedError>;
}
