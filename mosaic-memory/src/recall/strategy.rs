//! How signals become one score.

use super::signal::{Signal, Signals};

/// How candidates are ranked.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// The sum of the signals, each times its weight. The default, with [`Strategy::WEIGHTS`].
    Weighted(Signals),
    /// Reciprocal rank fusion: the sum of `weight / (k + rank)` over words, window and meaning. It sees who was first and not by
    /// how much, and on conversations is worse than words alone when all weigh the same; for stores whose scores mean
    /// nothing.
    ReciprocalRank(ReciprocalRank),
}

/// The parameters of reciprocal rank fusion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReciprocalRank {
    /// The larger, the less the first places count. 60 is usual, 10 better on small stores.
    pub k: f64,
    /// What the words' rank weighs.
    pub words: f64,
    /// What the rank of a memory and its neighbours as one text weighs.
    pub window: f64,
    /// What the vector's rank weighs.
    pub meaning: f64,
}

impl Default for ReciprocalRank {
    /// The better arms weigh more.
    fn default() -> Self {
        Self { k: 10.0, words: 1.0, window: 1.0, meaning: 0.5 }
    }
}

impl Strategy {
    /// The default weights.
    ///
    /// They are a logistic regression (listwise, ridge) over the questions of three conversations of LoCoMo, rounded.
    /// Fitted on two and asked on the third they did as well (`docs/recall.md`). Nothing in them knows the data:
    /// the signals are of words, vectors, neighbours and speakers.
    pub const WEIGHTS: Signals = weights();

    /// The default weights, as [`Strategy::Weighted`].
    #[must_use]
    pub fn weighted() -> Self {
        Self::Weighted(Self::WEIGHTS)
    }

    /// Words alone: what a search without an embedder does.
    #[must_use]
    pub fn words() -> Self {
        Self::Weighted(Signals::NONE.with(Signal::Words, 1.0))
    }

    /// Vectors alone.
    #[must_use]
    pub fn meaning() -> Self {
        Self::Weighted(Signals::NONE.with(Signal::Meaning, 1.0))
    }

    /// Words and vectors by their normalised scores, half and half.
    #[must_use]
    pub fn half_and_half() -> Self {
        Self::Weighted(Signals::NONE.with(Signal::Words, 1.0).with(Signal::Meaning, 1.0))
    }

    /// With another weight of a signal; reciprocal rank fusion has none and stays as it is.
    ///
    /// ```
    /// use mosaic_memory::recall::{Signal, Strategy};
    /// // What is new, or was called important, comes first among what is about as good.
    /// let strategy = Strategy::default().weigh(Signal::Recency, 0.2).weigh(Signal::Importance, 0.2);
    /// ```
    #[must_use]
    pub fn weigh(self, signal: Signal, weight: f64) -> Self {
        match self {
            Self::Weighted(weights) => Self::Weighted(weights.with(signal, weight)),
            other @ Self::ReciprocalRank(_) => other,
        }
    }
}

impl Default for Strategy {
    fn default() -> Self {
        Self::weighted()
    }
}

const fn weights() -> Signals {
    let mut weights = [0.0; super::signal::SIGNALS];
    let table = [
        (Signal::Words, 0.1),
        (Signal::WordsRank, 0.3),
        (Signal::Window, 0.5),
        (Signal::Meaning, 0.6),
        (Signal::MeaningRank, 0.3),
        (Signal::Coverage, 0.5),
        (Signal::CoverageAround, 1.5),
        (Signal::Speaker, 0.3),
        (Signal::Time, 0.8),
        (Signal::Asks, -0.4),
        (Signal::Reply, 1.0),
        (Signal::Conversation, 1.0),
    ];
    let mut row = 0;
    #[allow(clippy::indexing_slicing)] // in a constant: out of bounds is an error of the compiler
    while row < table.len() {
        weights[table[row].0 as usize] = table[row].1;
        row += 1;
    }
    Signals::of(weights)
}
