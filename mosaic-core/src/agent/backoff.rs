//! How long to wait before a model call is tried again.

use std::time::Duration;

/// The first wait is at most this.
const BASE: Duration = Duration::from_millis(500);
/// No wait is longer.
const CAP: Duration = Duration::from_secs(30);

/// A wait with full jitter: anything from nothing to `BASE * 2^(tries - 1)`, capped (AWS Architecture Blog, "Exponential
/// Backoff And Jitter", 2015). The randomness comes from the seed, so that a replay waits as long.
pub(crate) fn backoff(tries: u32, seed: u64) -> Duration {
    let most = BASE.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(CAP);
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(mix(seed.wrapping_add(u64::from(tries))) % most)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_are_spread() {
        for tries in 1..40 {
            let waits: Vec<Duration> = (0..200).map(|seed| backoff(tries, seed * 7919)).collect();
            let most = BASE.saturating_mul(1 << (tries - 1).min(16)).min(CAP);
            assert!(waits.iter().all(|wait| *wait < most));
            assert!(waits.iter().any(|wait| *wait > most / 2) && waits.iter().any(|wait| *wait < most / 2));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_wait() {
        assert_eq!(backoff(3, 42), backoff(3, 42));
    }
}
