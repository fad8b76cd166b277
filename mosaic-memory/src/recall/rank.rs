//! From candidates to a ranked list that explains itself. Pure: the same for every store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::Timestamp;
use mosaic_core::memory::{Candidate, Memory};

use super::measure::{Knowing, alike, measure};
use super::question::Question;
use super::signal::{Signal, Signals};
use super::strategy::{ReciprocalRank, Strategy};
use crate::text::Words;
use crate::upkeep::Decay;

/// How to rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// How signals become a score.
    pub strategy: Strategy,
    /// After how long a memory counts as half as new ([`Signal::Recency`]).
    pub half_life: Duration,
    /// The time that "new" is measured from; without one nothing is new.
    pub now: Option<Timestamp>,
    /// How importance fades ([`Signal::Importance`]), if it does and the time is known. Off.
    pub decay: Option<Decay>,
}

impl Default for Ranking {
    fn default() -> Self {
        // Thirty days; it only matters where recency has a weight.
        let half_life = Duration::from_secs(30 * 24 * 3600);
        Self { strategy: Strategy::default(), half_life, now: None, decay: None }
    }
}

/// What one signal did for a hit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Which.
    pub signal: Signal,
    /// What was measured, from 0 to 1.
    pub value: f64,
    /// What it weighs.
    pub weight: f64,
    /// What it adds to the score.
    pub points: f64,
}

/// A memory that may answer, and why it stands where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The memory.
    pub memory: Arc<Memory>,
    /// The sum of its shares.
    pub score: f64,
    /// What each signal did, the greatest first; those that did nothing are left out.
    pub shares: Vec<Share>,
}

impl fmt::Display for Hit {
    /// `2.31 = coverage_around 1.20 (0.80 x 1.5) + ...`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.score)?;
        for (number, Share { signal, value, weight, points }) in self.shares.iter().enumerate() {
            let sign = if number == 0 { "=" } else { "+" };
            write!(f, " {sign} {signal} {points:.2} ({value:.2} x {weight})")?;
        }
        Ok(())
    }
}

/// Ranks candidates, the best first; of alike ones the lowest id. The same input gives the same list, in whatever order the
/// candidates come; no score is NaN, whatever the raw scores are.
///
/// ```
/// use std::sync::Arc;
/// use mosaic_core::Timestamp;
/// use mosaic_core::memory::{Candidate, Memory, MemoryBody, MemoryId, Scope};
/// use mosaic_memory::recall::{Question, Ranking, rank};
/// use mosaic_memory::text::Words;
///
/// let candidate = |text: &str, lexical| {
///     let body = MemoryBody::Insight { text: text.into() };
///     let memory = Memory::new(MemoryId(uuid::Uuid::from_u128(text.len() as u128)), Scope::default(), body, Timestamp(0));
///     Candidate { memory: Arc::new(memory), lexical, window: lexical, dense: None, model: None, hit: true }
/// };
/// let candidates = [candidate("Ann drinks tea", Some(1.2)), candidate("Bob has a dog called Tea", Some(0.7))];
///
/// let words = Words::english();
/// let hits = rank(&words, &Question::read(&words, "What does Ann drink?"), &candidates, &Ranking::default());
/// assert_eq!(hits[0].memory.text(), "Ann drinks tea");
/// assert!(hits[0].to_string().contains("coverage"), "{}", hits[0]);
/// ```
#[must_use]
pub fn rank(words: &Words, question: &Question, candidates: &[Candidate], ranking: &Ranking) -> Vec<Hit> {
    let mut hits: Vec<Hit> = match ranking.strategy {
        Strategy::Weighted(weights) => {
            let knowing =
                Knowing { words, now: ranking.now, half_life: ranking.half_life, decay: ranking.decay };
            let measured = measure(question, candidates, &knowing);
            candidates
                .iter()
                .zip(measured)
                .map(|(candidate, values)| hit(candidate, &values, &weights))
                .collect()
        }
        Strategy::ReciprocalRank(fusion) => by_ranks(candidates, &fusion),
    };
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.memory.id.cmp(&b.memory.id)));
    hits
}

fn hit(candidate: &Candidate, values: &Signals, weights: &Signals) -> Hit {
    let both = values.iter().zip(weights.iter());
    let shares = both.map(|((signal, value), (_, weight))| share(signal, value, weight));
    Hit::new(candidate, shares)
}

/// Weights are the host's: however large they are, no share is too large to be added up.
fn share(signal: Signal, value: f64, weight: f64) -> Share {
    let points = (value * weight).clamp(-1e100, 1e100);
    Share { signal, value, weight, points: if points.is_nan() { 0.0 } else { points } }
}

impl Hit {
    fn new(candidate: &Candidate, shares: impl Iterator<Item = Share>) -> Self {
        let mut shares: Vec<Share> = shares.filter(|share| share.points != 0.0).collect();
        // Added in the order of the signals, so that alike memories have one and the same score, to the last bit.
        let score = shares.iter().map(|share| share.points).sum();
        shares.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()).then(a.signal.cmp(&b.signal)));
        Self { memory: Arc::clone(&candidate.memory), score, shares }
    }
}

fn by_ranks(candidates: &[Candidate], fusion: &ReciprocalRank) -> Vec<Hit> {
    let of = |arm: fn(&Candidate) -> Option<f64>| candidates.iter().map(arm).collect();
    let arms: [(Signal, f64, Vec<Option<f64>>); 3] = [
        (Signal::WordsRank, fusion.words, of(|candidate| candidate.lexical)),
        (Signal::Window, fusion.window, of(|candidate| candidate.window)),
        (Signal::MeaningRank, fusion.meaning, alike(candidates)),
    ];
    let k = if fusion.k.is_finite() { fusion.k.max(0.0) } else { ReciprocalRank::default().k };
    let mut shares: Vec<Vec<Share>> = vec![Vec::new(); candidates.len()];
    for (signal, weight, arm) in arms {
        let mut sorted: Vec<f64> = arm.iter().copied().flatten().filter(|x| x.is_finite()).collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        for (score, shares) in arm.into_iter().zip(&mut shares) {
            let Some(score) = score.filter(|x| x.is_finite()) else { continue };
            let before = sorted.partition_point(|other| *other > score);
            #[allow(clippy::cast_precision_loss)]
            let place = before as f64 + 1.0;
            shares.push(share(signal, (k + 1.0) / (k + place), weight));
        }
    }
    candidates.iter().zip(shares).map(|(candidate, shares)| Hit::new(candidate, shares.into_iter())).collect()
}
