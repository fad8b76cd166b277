//! A simulator: the real router over simulated deployments, on a clock that is turned by the simulation.
//!
//! ```text
//! Load ── calls at their times ──> Router (the real one) ──> Deployments that fail, limit and slow down
//!                                      └──────── Outcome of every call ──> Row of a table
//! ```
//!
//! Nothing sleeps and nothing is measured: an hour of traffic takes a moment, and the same seed gives the same outcomes.
//! What comes out compares strategies with each other for one made-up fleet; it is no promise about a real one.
//!
//! ```
//! use mosaic_core::router::simulate::{Load, Simulation, fleet};
//! let simulation = Simulation { fleet: fleet(), load: Load { calls: 50, ..Load::default() }, seed: 7 };
//! let outcomes = simulation.run(|builder| builder).unwrap();
//! assert_eq!(outcomes.len(), 50);
//! ```

mod model;
mod report;
mod run;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::time::Duration;

use crate::error::ErrorKind;
use crate::message::Cost;
use crate::model::{Price, Rates};

pub use report::{Row, table};
pub use run::Simulation;

/// A deployment that is simulated.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name.
    pub id: String,
    /// What it costs.
    pub price: Price,
    /// The median time to the first token; half of the calls take from two thirds to one and a half times that.
    pub first: Duration,
    /// The time a token.
    pub token: Duration,
    /// Every call in this time fails, and answers that are going on break off. Counted from the start.
    pub outages: Vec<Range<Duration>>,
    /// In this time it is slower and fails more often.
    pub brownouts: Vec<Brownout>,
    /// The share of calls that fail at all times.
    pub errors: f64,
    /// Requests in each minute that its provider lets through. The router is not told.
    pub limit: Option<u32>,
}

/// A time in which a deployment is slower and fails more often.
#[derive(Debug, Clone)]
pub struct Brownout {
    /// Counted from the start.
    pub during: Range<Duration>,
    /// So many times as slow.
    pub slower: f64,
    /// The share of calls that fail.
    pub errors: f64,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many calls.
    pub calls: usize,
    /// Calls a second on average; they arrive independently of each other.
    pub rate: f64,
    /// How many sessions they belong to.
    pub sessions: u64,
    /// The average tokens of a prompt.
    pub prompt: u64,
    /// The average tokens of an answer.
    pub answer: u64,
    /// The share of calls that are simple: a sentence at the end of a prompt, and a tenth of an answer.
    pub simple: f64,
}

impl Default for Load {
    fn default() -> Self {
        Self { calls: 1_200, rate: 2.0, sessions: 60, prompt: 800, answer: 200, simple: 0.0 }
    }
}

/// How one call went.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The kind of its failure; none where it was answered.
    pub failure: Option<ErrorKind>,
    /// From its arrival to its end.
    pub took: Duration,
    /// What it cost.
    pub cost: Cost,
    /// Who was asked, in order, by number in the fleet; and how that went.
    pub attempts: Vec<Attempt>,
}

/// One request that reached a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Which of the fleet.
    pub deployment: usize,
    /// When, from the start.
    pub at: Duration,
    /// How it failed at the deployment; none where it answered or was dropped.
    pub failure: Option<ErrorKind>,
    /// What was billed for it although it gave no whole answer: its prompt, where it was dropped or broke off.
    pub wasted: Cost,
}

/// Three deployments: a quick one that is dear and is out for a minute, one that is cheap, slow and limited, and one in
/// the middle that browns out for two minutes.
#[must_use]
pub fn fleet() -> Vec<Plan> {
    let at = Duration::from_secs;
    let price =
        |input, output| Price::new(Rates { cached_input: Some(input / 10), ..Rates::new(input, output) });
    let quick = Plan::new("quick", price(3_000_000, 15_000_000), 300, 8);
    let cheap = Plan::new("cheap", price(300_000, 1_200_000), 900, 20);
    let middle = Plan::new("middle", price(1_000_000, 5_000_000), 500, 12);
    vec![
        Plan { outages: vec![at(120)..at(180)], ..quick },
        Plan { limit: Some(60), ..cheap },
        Plan { brownouts: vec![Brownout { during: at(240)..at(360), slower: 4.0, errors: 0.3 }], ..middle },
    ]
}

impl Plan {
    /// A deployment that is well, with 1 call in 100 that fails: milliseconds to the first token, and a token.
    #[must_use]
    pub fn new(id: impl Into<String>, price: Price, first_ms: u64, token_ms: u64) -> Self {
        Self {
            id: id.into(),
            price,
            first: Duration::from_millis(first_ms),
            token: Duration::from_millis(token_ms),
            outages: Vec::new(),
            brownouts: Vec::new(),
            errors: 0.01,
            limit: None,
        }
    }
}
