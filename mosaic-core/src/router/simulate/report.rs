//! Outcomes as a table.

use std::fmt::Write as _;
use std::time::Duration;

use super::Outcome;

/// What came of all calls together.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// How they were routed.
    pub name: String,
    /// The share that was answered.
    pub answered: f64,
    /// Half of the calls that were answered took no longer.
    pub p50: Duration,
    /// 95 of 100 calls that were answered took no longer.
    pub p95: Duration,
    /// Dollars for 1,000 answers, what was billed for attempts without one included.
    pub cost: f64,
    /// Requests to deployments for each call.
    pub attempts: f64,
}

impl Row {
    /// Sums outcomes up.
    #[must_use]
    pub fn of(name: impl Into<String>, outcomes: &[Outcome]) -> Self {
        let answered = || outcomes.iter().filter(|outcome| outcome.failure.is_none());
        let mut took: Vec<Duration> = answered().map(|outcome| outcome.took).collect();
        took.sort_unstable();
        let at = |hundredth: usize| took.get(took.len() * hundredth / 100).copied().unwrap_or_default();
        let calls = outcomes.len().max(1) as f64;
        let wasted = outcomes.iter().flat_map(|outcome| &outcome.attempts).map(|attempt| attempt.wasted.0);
        let micros = answered().map(|outcome| outcome.cost.0).sum::<u64>() + wasted.sum::<u64>();
        let attempts: usize = outcomes.iter().map(|outcome| outcome.attempts.len()).sum();
        Self {
            name: name.into(),
            answered: took.len() as f64 / calls,
            p50: at(50),
            p95: at(95),
            cost: micros as f64 / 1e3 / took.len().max(1) as f64,
            attempts: attempts as f64 / calls,
        }
    }
}

/// The rows as Markdown.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| strategy | answered | p50 | p95 | $ per 1,000 answers | attempts a call |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in rows {
        let (p50, p95) = (row.p50.as_secs_f64(), row.p95.as_secs_f64());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {:.1} % | {p50:.2} s | {p95:.2} s | {:.2} | {:.2} |",
            row.name,
            row.answered * 100.0,
            row.cost,
            row.attempts
        );
    }
    text
}
