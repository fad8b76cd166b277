//! Texts as pieces that fit the encoder, and pieces in batches of about one length.

use mosaic_core::{EmbedError, ErrorKind};
use tokenizers::Tokenizer;

/// Tokens of a piece, its two marks included: what the model was taught with.
const LONGEST: usize = 256;
/// Tokens of a batch, filled up ones included. More at once is not faster on a processor, and takes more memory.
const BATCH: usize = 2048;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Which text.
    pub(crate) text: usize,
    /// Its tokens, between `[CLS]` and `[SEP]`.
    pub(crate) tokens: Vec<u32>,
}

/// Rows of tokens of one length; shorter rows are filled up.
#[derive(Debug)]
pub(crate) struct Rows {
    /// All tokens, row after row.
    pub(crate) tokens: Vec<u32>,
    /// 1 for a token, 0 where a row was filled up.
    pub(crate) real: Vec<f32>,
    pub(crate) rows: usize,
    pub(crate) length: usize,
}

/// The tokenizer, without its own ideas of where to cut and how to fill up.
#[derive(Debug)]
pub(crate) struct Cutter {
    tokenizer: Tokenizer,
    begin: u32,
    end: u32,
    longest: usize,
}

impl Cutter {
    /// The tokenizer of a `tokenizer.json`, for an encoder that has so many positions.
    pub(crate) fn load(json: &[u8], positions: usize) -> Result<Self, EmbedError> {
        let unsupported = |message: String| EmbedError::new(ErrorKind::Unsupported, message);
        let mut tokenizer = Tokenizer::from_bytes(json)
            .map_err(|error| unsupported(format!("`tokenizer.json` cannot be read: {error}")))?;
        // The file cuts at 128 tokens and fills up to 128.
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| unsupported(format!("`tokenizer.json` cannot be used: {error}")))?;
        let mark = |mark: &str| {
            let missing =
                || unsupported(format!("`tokenizer.json` has no `{mark}`; is it that of the weights?"));
            tokenizer.token_to_id(mark).ok_or_else(missing)
        };
        let (begin, end) = (mark("[CLS]")?, mark("[SEP]")?);
        Ok(Self { tokenizer, begin, end, longest: LONGEST.min(positions) })
    }

    /// The pieces of a text, at least one. Also says how many tokens there are.
    pub(crate) fn pieces(&self, number: usize, text: &str) -> Result<(Vec<Piece>, usize), EmbedError> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(|error| {
            EmbedError::new(
                ErrorKind::InvalidRequest,
                format!("text {number} cannot be cut into tokens: {error}"),
            )
        })?;
        let ids = encoding.get_ids();
        let piece = |ids: &[u32]| {
            let tokens = std::iter::once(self.begin).chain(ids.iter().copied()).chain([self.end]).collect();
            Piece { text: number, tokens }
        };
        if ids.is_empty() {
            return Ok((vec![piece(&[])], 2));
        }
        let pieces: Vec<Piece> = ids.chunks(self.longest.saturating_sub(2).max(1)).map(piece).collect();
        let tokens = pieces.iter().map(|piece| piece.tokens.len()).sum();
        Ok((pieces, tokens))
    }
}

/// Pieces of about one length together, so that little is filled up.
pub(crate) fn batches(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by_key(|piece| piece.tokens.len());
    let (mut all, mut batch) = (Vec::new(), Vec::<Piece>::new());
    for piece in pieces {
        // Sorted, so this piece is the longest of its batch.
        if !batch.is_empty() && (batch.len() + 1) * piece.tokens.len() > BATCH {
            all.push(std::mem::take(&mut batch));
        }
        batch.push(piece);
    }
    if !batch.is_empty() {
        all.push(batch);
    }
    all
}

/// A batch as the encoder wants it.
pub(crate) fn rows(batch: &[Piece]) -> Rows {
    let length = batch.iter().map(|piece| piece.tokens.len()).max().unwrap_or(0);
    let (mut tokens, mut real) = (Vec::new(), Vec::new());
    for piece in batch {
        let more = length - piece.tokens.len();
        tokens.extend(piece.tokens.iter().copied().chain(std::iter::repeat_n(0, more)));
        real.extend(piece.tokens.iter().map(|_| 1.0).chain(std::iter::repeat_n(0.0, more)));
    }
    Rows { tokens, real, rows: batch.len(), length }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: usize, length: usize) -> Piece {
        Piece { text, tokens: vec![7; length] }
    }

    #[test]
    fn batches_hold_every_piece_once_and_no_more_tokens_than_allowed() {
        let pieces: Vec<Piece> = (0..100).map(|n| piece(n, 3 + (n * 37) % 254)).collect();
        let batches = batches(pieces);
        let mut seen: Vec<usize> = batches.iter().flatten().map(|piece| piece.text).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
        for batch in &batches {
            let rows = rows(batch);
            assert!(rows.rows * rows.length <= BATCH, "{} rows of {}", rows.rows, rows.length);
            assert_eq!(rows.tokens.len(), rows.rows * rows.length);
        }
    }

    #[test]
    fn shorter_rows_are_filled_up_and_marked() {
        let rows = rows(&[piece(0, 1), piece(1, 3)]);
        assert_eq!((rows.tokens, rows.real), (vec![7, 0, 0, 7, 7, 7], vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0]));
    }
}
