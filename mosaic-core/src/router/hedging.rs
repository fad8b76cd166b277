//! When a second candidate may be asked, and how many calls of a router were hedged.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::deployment::Deployment;
use super::{Hedge, HedgeAfter};

/// Thousandths of a hedge that calls have earned: each earns its share of one, and a hedge takes a whole one.
#[derive(Debug)]
pub(super) struct Credit(AtomicU64);

const ONE: u64 = 1_000;
/// What a quiet hour earns is not spent in a bad minute.
const MOST: u64 = 10 * ONE;

impl Default for Credit {
    /// With one hedge, so that the first slow call of a process can be helped.
    fn default() -> Self {
        Self(AtomicU64::new(ONE))
    }
}

impl Credit {
    /// A call sets out.
    pub(super) fn earn(&self, hedge: &Hedge) {
        let share = (hedge.share * ONE as f64) as u64;
        // Cannot fail: the closure always gives a value.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |credit| {
            Some(credit.saturating_add(share).min(MOST))
        });
    }

    /// Takes a hedge, if there is one.
    pub(super) fn take(&self) -> bool {
        let less = |credit: u64| credit.checked_sub(ONE);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl Hedge {
    /// How long a candidate may say nothing before another is asked.
    pub(super) fn patience(&self, deployment: &Deployment) -> Duration {
        match self.after {
            HedgeAfter::Time(time) => time,
            HedgeAfter::Percentile { of, least } => {
                deployment.first_events.percentile(of).map_or(least, |time| time.max(least))
            }
        }
    }
}
