//! How quick a candidate has been of late.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::runtime::Timestamp;

/// How much a new answer counts against the old ones.
const NEWEST: f64 = 0.3;
/// What was measured counts half after this time. A candidate that was slow is not asked, so nothing new is learnt of it:
/// without decay one bad minute would bar it for ever.
const HALF_LIFE_MS: f64 = 120_000.0;
/// Tokens of a typical answer, to add the time to the first token and the time a token up.
const TYPICAL: f64 = 200.0;

/// How quick a candidate has been: averages in which new answers count more, read without a lock by the pick.
#[derive(Debug, Default)]
pub(super) struct Latency {
    first: AtomicU32,
    token: AtomicU32,
    /// Milliseconds since 1970; 0: nothing was measured.
    at: AtomicU64,
}

impl Latency {
    /// The first event came after this time.
    pub(super) fn first(&self, took: Duration, now: Timestamp) {
        let ms = took.as_millis().min(u128::from(u32::MAX)) as u32;
        blend(&self.first, f64::from(ms), self.at.load(Ordering::Relaxed) == 0);
        self.at.store(now.0.max(1), Ordering::Relaxed);
    }

    /// The first event had not come after this time, and was no longer waited for.
    pub(super) fn at_least(&self, took: Duration, now: Timestamp) {
        if self.first_average().is_none_or(|average| average < took) {
            self.first(took, now);
        }
    }

    /// The rest of so many tokens took this time.
    pub(super) fn rest(&self, took: Duration, tokens: u64) {
        if tokens > 0 {
            let each = took.as_secs_f64() * 1000.0 / tokens as f64;
            blend(&self.token, each, self.token.load(Ordering::Relaxed) == 0);
        }
    }

    /// Milliseconds that an answer is expected to take. Nothing is expected of one that nobody has asked, so that it is
    /// tried, and less and less of one that was slow long ago.
    pub(super) fn expected(&self, now: Timestamp) -> f64 {
        let at = self.at.load(Ordering::Relaxed);
        if at == 0 {
            return 0.0;
        }
        let age = now.0.saturating_sub(at) as f64;
        let [first, token] =
            [&self.first, &self.token].map(|of| f64::from(f32::from_bits(of.load(Ordering::Relaxed))));
        (first + TYPICAL * token) * (-age / HALF_LIFE_MS).exp2()
    }

    /// The average time to the first event, as it was measured.
    pub(super) fn first_average(&self) -> Option<Duration> {
        let first = f64::from(f32::from_bits(self.first.load(Ordering::Relaxed)));
        (self.at.load(Ordering::Relaxed) > 0).then(|| Duration::from_secs_f64((first / 1000.0).max(0.0)))
    }
}

/// Two answers that end at once may lose one of the two samples; an average can bear that.
fn blend(average: &AtomicU32, sample: f64, first: bool) {
    let old = f64::from(f32::from_bits(average.load(Ordering::Relaxed)));
    let new = if first { sample } else { old + NEWEST * (sample - old) };
    average.store((new as f32).to_bits(), Ordering::Relaxed);
}
