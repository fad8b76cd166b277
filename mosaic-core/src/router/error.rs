//! What is wrong with a router that somebody tried to build.

use std::sync::Arc;

use thiserror::Error;

use crate::error::ErrorKind;

/// What is wrong with a router that somebody tried to build.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RouterError {
    /// There is nothing to choose from.
    #[error("the router has no candidates; add one with `.candidate(Candidate::new(id, model))`")]
    NoCandidates,
    /// Two candidates have one id.
    #[error(
        "two candidates have the id `{id}`; ids name deployments in limits, budgets and decisions, so each has its own"
    )]
    DuplicateCandidate {
        /// The id.
        id: Arc<str>,
    },
    /// A weight is no share.
    #[error("candidate `{id}` has the weight {weight}; a weight is a finite number above 0")]
    Weight {
        /// The candidate.
        id: Arc<str>,
        /// Its weight.
        weight: f64,
    },
    /// A limit of 0 lets nothing through.
    #[error(
        "candidate `{id}`: {limit} is 0, so it would never be asked; remove the candidate, or set a limit above 0"
    )]
    ZeroLimit {
        /// The candidate.
        id: Arc<str>,
        /// Which limit.
        limit: &'static str,
    },
    /// A score's weight is no number that scores can be multiplied by.
    #[error("the score `{score}` has the weight {weight}; it must be a finite number above 0")]
    ScoreWeight {
        /// The score.
        score: &'static str,
        /// Its weight.
        weight: f64,
    },
    /// A setting makes no sense.
    #[error("the router's {setting} is {value}; {expected}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Two budgets have one name.
    #[error("two budgets have the name `{name}`; what was spent is kept by name, so each has its own")]
    DuplicateBudget {
        /// The name.
        name: Arc<str>,
    },
    /// A budget's period has no length.
    #[error("the budget `{name}` is for no time at all; give it a period of at least a millisecond")]
    BudgetPeriod {
        /// The budget.
        name: Arc<str>,
    },
    /// A list of fallbacks or a rule names a candidate that there is not.
    #[error("{place} names the candidate `{id}`, which the router does not have")]
    UnknownCandidate {
        /// Where.
        place: &'static str,
        /// The name.
        id: Arc<str>,
    },
}

impl RouterError {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidRequest
    }
}
