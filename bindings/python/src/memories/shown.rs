//! What Python is shown of memories.

use std::borrow::Cow;

use mosaic::memory::recall::{Hit, Recalled};
use mosaic_core::ErrorReport;
use mosaic_core::memory::Memory;
use serde::Serialize;

/// A memory, and its text.
#[derive(Serialize)]
pub(super) struct Shown<'m> {
    #[serde(flatten)]
    memory: &'m Memory,
    text: Cow<'m, str>,
}

impl<'m> Shown<'m> {
    pub(super) fn of(memory: &'m Memory) -> Self {
        Self { memory, text: memory.text() }
    }
}

#[derive(Serialize)]
struct ShownHit<'m> {
    memory: Shown<'m>,
    score: f64,
    shares: Vec<ShownShare>,
    explanation: String,
}

#[derive(Serialize)]
struct ShownShare {
    signal: &'static str,
    value: f64,
    weight: f64,
    points: f64,
}

impl<'m> ShownHit<'m> {
    fn of(hit: &'m Hit) -> Self {
        let shares = hit.shares.iter().map(|share| ShownShare {
            signal: share.signal.name(),
            value: share.value,
            weight: share.weight,
            points: share.points,
        });
        Self {
            memory: Shown::of(&hit.memory),
            score: hit.score,
            shares: shares.collect(),
            explanation: hit.to_string(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ShownRecalled<'m> {
    hits: Vec<ShownHit<'m>>,
    text: String,
    tokens: u64,
    too_long: usize,
    admitted: u64,
    without_vectors: Option<&'m ErrorReport>,
}

impl<'m> ShownRecalled<'m> {
    pub(super) fn of(found: &'m Recalled) -> Self {
        Self {
            hits: found.hits.iter().map(ShownHit::of).collect(),
            text: found.text(),
            tokens: found.tokens,
            too_long: found.too_long,
            admitted: found.admitted,
            without_vectors: found.without_vectors.as_ref(),
        }
    }
}
