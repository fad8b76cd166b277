//! A model of sentences: whatever its encoder is, texts of any length become vectors of length 1.

use std::sync::Arc;

use mosaic_core::{EmbedError, EmbedRequest, EmbedderInfo, Embeddings, ErrorKind, Runtime, Usage};

use super::pieces::{self, Cutter, Piece, Rows};
use super::work::blocking;

/// Rows of tokens in, a vector a row out.
pub(crate) trait Encode: Send + Sync {
    /// One vector of length 1 a row: the mean over those of its tokens that are real.
    fn vectors(&self, rows: Rows) -> Result<Vec<Vec<f32>>, EmbedError>;
}

/// A tokenizer and an encoder that belong together.
pub(crate) struct SentenceModel {
    pub(crate) cutter: Cutter,
    pub(crate) encoder: Box<dyn Encode>,
    /// Numbers a vector.
    pub(crate) width: usize,
}

impl SentenceModel {
    /// What [`Embedder::embed`](mosaic_core::Embedder::embed) gives.
    pub(crate) async fn embed(
        self: &Arc<Self>,
        request: EmbedRequest,
        info: &EmbedderInfo,
        runtime: &dyn Runtime,
    ) -> Result<Embeddings, EmbedError> {
        request.check(info)?;
        if let Some(asked) = request.dimensions.filter(|asked| *asked != self.width) {
            let width = self.width;
            let message = format!("`{}` has {width} dimensions, not {asked}; ask for none", info.model);
            return Err(EmbedError::new(ErrorKind::Unsupported, message));
        }
        let (model, texts) = (Arc::clone(self), Arc::clone(&request.inputs));
        let (vectors, tokens) = blocking(runtime, move |wanted| model.vectors(&texts, wanted)).await?;
        let usage = Usage { input: u64::try_from(tokens).unwrap_or(u64::MAX), ..Usage::default() };
        let model = Arc::clone(&info.model);
        Embeddings { vectors, usage, cost: None, model }.check(&request, info)
    }

    /// One vector a text, and how many tokens that took. Ends early when nobody wants them any more.
    fn vectors(
        &self,
        texts: &[Arc<str>],
        wanted: &dyn Fn() -> bool,
    ) -> Result<(Vec<Vec<f32>>, usize), EmbedError> {
        let (mut all, mut tokens) = (Vec::with_capacity(texts.len()), 0);
        for (number, text) in texts.iter().enumerate() {
            let (pieces, more) = self.cutter.pieces(number, text)?;
            all.extend(pieces);
            tokens += more;
        }
        let mut sums = vec![vec![0.0_f32; self.width]; texts.len()];
        for batch in pieces::batches(all) {
            if !wanted() {
                return Err(EmbedError::new(ErrorKind::Cancelled, "nobody waits for the vectors any more"));
            }
            let vectors = self.encoder.vectors(pieces::rows(&batch))?;
            for (piece, vector) in batch.iter().zip(vectors) {
                add(&mut sums, piece, vector);
            }
        }
        for sum in &mut sums {
            let length = sum.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            #[allow(clippy::cast_possible_truncation)]
            sum.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
        }
        Ok((sums, tokens))
    }
}

/// Adds a piece to its text, weighed by its tokens.
fn add(sums: &mut [Vec<f32>], piece: &Piece, vector: Vec<f32>) {
    #[allow(clippy::cast_precision_loss)] // at most 256
    let weight = piece.tokens.len() as f32;
    if let Some(sum) = sums.get_mut(piece.text) {
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += weight * x);
    }
}
