//! What every embedder can do besides.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, Purpose};
use crate::error::ErrorKind;
use crate::message::{Cost, Usage};

/// What every [`Embedder`] can do besides; nobody implements this.
#[async_trait::async_trait]
pub trait EmbedderExt: Embedder {
    /// The vector of one text.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    async fn embed_one(&self, text: &str, purpose: Purpose) -> Result<Vec<f32>, EmbedError> {
        let answer = self.embed(EmbedRequest::new([text], purpose)).await?;
        let missing = || EmbedError::new(ErrorKind::Decode, "the embedder answered without a vector");
        answer.vectors.into_iter().next().ok_or_else(missing)
    }

    /// The vectors of any number of texts, in requests of the size that the embedder allows, at most `at_once` of them at
    /// a time (0 counts as 1). The order is kept. No text at all is no request.
    ///
    /// A request is also kept below [`EmbedderInfo::max_request_tokens`], by counting a token a byte: there are never more.
    ///
    /// # Errors
    /// The first failure, in the order of the texts; requests that still run are cancelled. `decode` when two requests were
    /// answered by different models, or with vectors of different lengths.
    async fn embed_all(&self, request: EmbedRequest, at_once: usize) -> Result<Embeddings, EmbedError> {
        let info = self.info();
        if request.inputs.is_empty() {
            let model = Arc::clone(&info.model);
            return Ok(Embeddings { vectors: Vec::new(), usage: Usage::default(), cost: None, model });
        }
        let everything = EmbedderInfo { max_inputs: None, ..info.clone() };
        request.check(&everything)?;
        let batches = batches(&request, info);
        let answers = batches.into_iter().map(|batch| self.embed(batch));
        let answers: Vec<Embeddings> = stream::iter(answers).buffered(at_once.max(1)).try_collect().await?;
        joined(answers, info)?.check(&request, info)
    }
}

impl<E: Embedder + ?Sized> EmbedderExt for E {}

/// The request in pieces that the embedder allows. Every piece holds at least one text.
fn batches(request: &EmbedRequest, info: &EmbedderInfo) -> Vec<EmbedRequest> {
    let max_inputs = info.max_inputs.unwrap_or(usize::MAX).max(1);
    let max_bytes =
        info.max_request_tokens.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
    let (mut all, mut batch, mut bytes) = (Vec::new(), Vec::<Arc<str>>::new(), 0_usize);
    let piece = |inputs: Vec<Arc<str>>| EmbedRequest { inputs: inputs.into(), ..request.clone() };
    for input in request.inputs.iter() {
        let full = batch.len() >= max_inputs || bytes.saturating_add(input.len()) > max_bytes;
        if full && !batch.is_empty() {
            all.push(piece(std::mem::take(&mut batch)));
            bytes = 0;
        }
        bytes = bytes.saturating_add(input.len());
        batch.push(Arc::clone(input));
    }
    all.push(piece(batch));
    all
}

fn joined(answers: Vec<Embeddings>, info: &EmbedderInfo) -> Result<Embeddings, EmbedError> {
    let model = answers.first().map_or_else(|| Arc::clone(&info.model), |first| Arc::clone(&first.model));
    let (mut vectors, mut usage, mut cost) = (Vec::new(), Usage::default(), Some(Cost::default()));
    for answer in answers {
        if answer.model != model {
            let message = format!(
                "one half was embedded by `{model}`, the other by `{}`; such vectors cannot be compared",
                answer.model
            );
            let error = EmbedError::new(ErrorKind::Decode, message);
            return Err(error.with_provider(info.provider.to_string()));
        }
        vectors.extend(answer.vectors);
        usage += answer.usage;
        // What is not known of a part is not known of the whole.
        cost = match (cost, answer.cost) {
            (Some(mut sum), Some(more)) => {
                sum += more;
                Some(sum)
            }
            _ => None,
        };
    }
    Ok(Embeddings { vectors, usage, cost, model })
}
