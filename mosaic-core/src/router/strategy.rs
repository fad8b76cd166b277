//! How the best of the eligible candidates is found.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Candidate, Needs, RouteHints};
use crate::model::ModelInfo;

/// What candidates are compared by. Every score is brought to 0 (the best of those that are eligible) to 1 (the worst)
/// before the weights count.
#[derive(Clone)]
#[non_exhaustive]
pub enum Score {
    /// By priority, as one score among others. Without it a lower priority goes first, whatever the scores say.
    Priority,
    /// By lot, as often as the weights say.
    Weighted,
    /// One candidate a session, so that the provider's prompt cache is hit. Which one is a hash of the two names
    /// ("rendezvous": Thaler and Ravishankar, 1998), so it is the same after a restart and in every process, and only the
    /// sessions of a candidate that goes away move. By lot where a call belongs to no session.
    Sticky,
    /// By what the call is estimated to cost. Unknown prices are the worst.
    Cost,
    /// By the time that an answer takes, as measured. Who was not asked yet is the best.
    Latency,
    /// By calls that are going on, for each share of weight.
    LeastBusy,
    /// By a function of the host's; what is no number is the worst.
    Custom(Arc<dyn Scorer>),
}

/// A score of the host's. Lower is better.
///
/// ```
/// use mosaic_core::router::{Score, Strategy};
/// // The cheapest, and of those the one with the shortest queue.
/// let strategy = Strategy::of(Score::Cost).and(Score::LeastBusy, 0.1);
/// // Keep away from previews.
/// let strategy = strategy.and(Score::by(|standing| f64::from(standing.info().model.contains("preview"))), 1.0);
/// # let _ = strategy;
/// ```
pub trait Scorer: Send + Sync {
    /// The score of one candidate for one call. Called within the pick: it must be quick and must not block.
    fn score(&self, standing: &Standing<'_>) -> f64;
}

impl<F: Fn(&Standing<'_>) -> f64 + Send + Sync> Scorer for F {
    fn score(&self, standing: &Standing<'_>) -> f64 {
        self(standing)
    }
}

/// How a candidate stands, for one call.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The candidate.
    pub candidate: &'a Candidate,
    /// Calls that are going on.
    pub in_flight: u32,
    /// The average time to the first event; `None` where nothing was measured.
    pub first_event: Option<Duration>,
    /// What the call needs.
    pub needs: &'a Needs,
    /// What the call wishes.
    pub hints: &'a RouteHints,
}

impl Standing<'_> {
    /// Facts about its model.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        self.candidate.model.info()
    }
}

impl Score {
    /// A score of the host's.
    pub fn by(score: impl Fn(&Standing<'_>) -> f64 + Send + Sync + 'static) -> Self {
        Self::Custom(Arc::new(score))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Weighted => "weighted",
            Self::Sticky => "sticky",
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::LeastBusy => "least_busy",
            Self::Custom(_) => "custom",
        }
    }
}

impl fmt::Debug for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Scores and their weights. The default is [`Score::Sticky`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Strategy {
    pub(super) scores: Vec<(Score, f64)>,
}

impl Strategy {
    /// By one score.
    pub fn of(score: Score) -> Self {
        Self { scores: vec![(score, 1.0)] }
    }

    /// And by another, which counts this much; the first one counts 1.
    pub fn and(mut self, score: Score, weight: f64) -> Self {
        self.scores.push((score, weight));
        self
    }

    pub(super) fn ranks_priority(&self) -> bool {
        self.scores.iter().any(|(score, _)| matches!(score, Score::Priority))
    }
}

impl Default for Strategy {
    fn default() -> Self {
        Self::of(Score::Sticky)
    }
}
