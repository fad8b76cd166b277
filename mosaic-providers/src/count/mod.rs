//! Tokens of a request, by those who know: the provider's own counting call, and its tokenizer where it is free.
//!
//! ```text
//! ProviderCounter   HttpModel::ask_about ── request(what the codec wrote) ──> POST .../count_tokens ──> answer(body)
//!                   exact, and a request each time; free with the three providers that have it
//! Tiktoken          OpenAI's vocabularies in the build (feature `tiktoken`); exact but for the framing of messages
//! ```
//!
//! | API | question | what it is made of | figure |
//! | --- | --- | --- | --- |
//! | `anthropic-messages` | `/messages/count_tokens` | the request without what is about the answer | `input_tokens` |
//! | `gemini` | `:countTokens` | the whole request as `generateContentRequest` | `totalTokens` |
//! | `openai-responses` | `/responses/input_tokens` | the request without what is about the answer | `input_tokens` |
//!
//! Everything else is estimated: [`RequestCounter`](mosaic_core::RequestCounter).
//!
//! Sources: <https://docs.anthropic.com/en/api/messages-count-tokens>, <https://ai.google.dev/api/tokens>,
//! <https://platform.openai.com/docs/api-reference/responses/input-tokens>

mod question;
#[cfg(test)]
mod tests;
#[cfg(feature = "tiktoken")]
mod tiktoken;

pub use question::{answer, request};
#[cfg(feature = "tiktoken")]
pub use tiktoken::Tiktoken;

use std::sync::Arc;

use mosaic_core::{
    BoxError, Count, CountBasis, ErrorKind, HttpModel, ModelError, ModelRequest, TokenCounter,
};

/// Asks the provider of a model how many tokens a request is.
#[derive(Debug)]
pub struct ProviderCounter {
    model: Arc<HttpModel>,
    api: Arc<str>,
}

impl ProviderCounter {
    /// Of a model that speaks an API with a counting call.
    ///
    /// # Errors
    /// `unsupported` for an API that has none.
    pub fn new(model: Arc<HttpModel>, api: impl Into<Arc<str>>) -> Result<Self, ModelError> {
        let api = api.into();
        question::of(&api)?;
        Ok(Self { model, api })
    }
}

#[async_trait::async_trait]
impl TokenCounter for ProviderCounter {
    async fn count(&self, asked: &ModelRequest) -> Result<Count, ModelError> {
        let body = self.model.ask_about(asked, |http| request(&self.api, http)).await?;
        Ok(Count { tokens: answer(&self.api, &body)?, basis: CountBasis::Provider })
    }
}

fn undecoded(message: String, source: impl Into<BoxError>) -> ModelError {
    ModelError::new(ErrorKind::Decode, message).with_source(source)
}
