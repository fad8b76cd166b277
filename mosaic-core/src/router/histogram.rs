//! How long first events took, as counts by length: for percentiles, which an average does not give.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Buckets for each doubling: a percentile is right within a fifth.
const STEPS: u32 = 4;
/// From a millisecond to 2^20 of them, 17 minutes.
const BUCKETS: usize = 81;
/// Fewer samples tell nothing of the slowest.
const LEAST: u32 = 20;
/// With more, all counts are halved, so that the last hour counts and not the last year.
const MOST: u32 = 400;

/// Counts of times by length. Written and read without a lock; two writers at once may lose a halving, which counts can bear.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: [AtomicU32; BUCKETS],
    total: AtomicU32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: std::array::from_fn(|_| AtomicU32::new(0)), total: AtomicU32::new(0) }
    }
}

impl Histogram {
    pub(super) fn add(&self, took: Duration) {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1) as f64;
        let bucket = (ms.log2() * f64::from(STEPS)).ceil().clamp(0.0, (BUCKETS - 1) as f64) as usize;
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if self.total.fetch_add(1, Ordering::Relaxed) >= MOST {
            let halve = |count: &AtomicU32| {
                let half = count.load(Ordering::Relaxed) / 2;
                count.store(half, Ordering::Relaxed);
                half
            };
            self.total.store(self.counts.iter().map(halve).sum(), Ordering::Relaxed);
        }
    }

    /// The time that this share of the samples did not exceed; none, while there are too few of them.
    pub(super) fn percentile(&self, share: f64) -> Option<Duration> {
        let total: u32 = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        if total < LEAST {
            return None;
        }
        let rank = (f64::from(total) * share).ceil().max(1.0);
        let mut seen = 0.0;
        let bucket = self.counts.iter().position(|count| {
            seen += f64::from(count.load(Ordering::Relaxed));
            seen >= rank
        });
        let ms = (bucket.unwrap_or(BUCKETS - 1) as f64 / f64::from(STEPS)).exp2();
        Some(Duration::from_secs_f64(ms / 1000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_right_within_a_fifth_and_forgets() {
        let histogram = Histogram::default();
        for ms in 1..=19 {
            histogram.add(Duration::from_millis(ms));
        }
        assert_eq!(histogram.percentile(0.95), None);
        for ms in (100..2_000).step_by(10) {
            histogram.add(Duration::from_millis(ms));
        }
        let p95 = histogram.percentile(0.95).unwrap().as_millis() as f64;
        assert!((1_895.0..1_895.0 * 1.2).contains(&p95), "{p95}");
        for _ in 0..5_000 {
            histogram.add(Duration::from_millis(50));
        }
        let p95 = histogram.percentile(0.95).unwrap().as_millis();
        assert!((50..60).contains(&p95), "{p95}");
    }
}
