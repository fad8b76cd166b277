//! How memories fade.

use std::time::Duration;

use mosaic_core::Timestamp;
use mosaic_core::memory::Memory;
use serde::{Deserialize, Serialize};

/// How memories fade when they are not used, and hold longer when they are.
///
/// Retention falls by a power of the time since a memory was recorded or used last, and each use makes it fall more slowly: the
/// forgetting curve `R = e^(-t / S)` after Ebbinghaus (1885), with a strength `S` that grows by one with each recall, as MemoryBank
/// applies it to agents (Zhong et al., 2023, arXiv:2305.10250). Here the curve is told by its half-life.
///
/// Nothing is stored: what a memory is worth is worked out from its importance, its uses and the time, so it does not matter how
/// often anybody looks. The importance that its writer gave it stays as it is.
///
/// ```
/// use std::time::Duration;
/// use mosaic_core::Timestamp;
/// use mosaic_core::memory::{Memory, MemoryBody, MemoryId, Scope};
/// use mosaic_memory::upkeep::Decay;
///
/// const DAY: Duration = Duration::from_secs(24 * 3600);
/// let body = MemoryBody::Insight { text: "Ann has a dog.".into() };
/// let mut memory = Memory::new(MemoryId(Default::default()), Scope::default(), body, Timestamp(0));
/// memory.importance = 0.8;
/// let decay = Decay::half_life(30 * DAY);
/// let after = |days| Timestamp(0).after(days * DAY);
/// assert_eq!(decay.strength(&memory, after(30)), f64::from(0.8_f32) / 2.0);
///
/// // Used once, on the tenth day: the curve begins anew, and falls half as fast.
/// (memory.accessed, memory.accessed_at) = (1, Some(after(10)));
/// assert_eq!(decay.strength(&memory, after(70)), f64::from(0.8_f32) / 2.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decay {
    /// After how many milliseconds half is left of what was never used. 90 days.
    pub half_life_ms: u64,
    /// No number of uses makes the half-life longer than this. 5 years.
    pub longest_ms: u64,
}

const DAY_MS: u64 = 24 * 3_600_000;

impl Default for Decay {
    fn default() -> Self {
        Self { half_life_ms: 90 * DAY_MS, longest_ms: 5 * 365 * DAY_MS }
    }
}

impl Decay {
    /// With another half-life, of what was never used.
    #[must_use]
    pub fn half_life(half_life: Duration) -> Self {
        let half_life_ms = u64::try_from(half_life.as_millis()).unwrap_or(u64::MAX);
        let default = Self::default();
        Self { half_life_ms, longest_ms: default.longest_ms.max(half_life_ms) }
    }

    /// How much of a memory is left at a time: its importance, times the share of it that is retained. From 0 to 1, and never more
    /// later, unless it is used.
    #[must_use]
    pub fn strength(&self, memory: &Memory, now: Timestamp) -> f64 {
        let since = memory.recorded_at.max(memory.accessed_at.unwrap_or_default());
        let uses = memory.accessed.saturating_add(1);
        let half_life = self.half_life_ms.saturating_mul(uses).min(self.longest_ms.max(self.half_life_ms));
        let age = since.until(now).as_millis();
        #[allow(clippy::cast_precision_loss)]
        let retained = match (age, half_life) {
            (0, _) => 1.0,
            (_, 0) => 0.0,
            (age, half_life) => (-(age as f64) / half_life as f64).exp2(),
        };
        f64::from(memory.importance).clamp(0.0, 1.0) * retained
    }
}

#[cfg(test)]
mod tests {
    use mosaic_core::memory::{MemoryBody, MemoryId, Scope};
    use proptest::prelude::*;

    use super::*;

    fn memory(importance: f32, accessed: u64, accessed_at: Option<u64>) -> Memory {
        let body = MemoryBody::Insight { text: "x".into() };
        let mut memory = Memory::new(MemoryId(Default::default()), Scope::default(), body, Timestamp(1_000));
        (memory.importance, memory.accessed) = (importance, accessed);
        memory.accessed_at = accessed_at.map(Timestamp);
        memory
    }

    proptest! {
        #[test]
        fn strength_falls_with_time_and_rises_with_use(
            importance in 0.0_f32..=1.0,
            uses in 0_u64..2_000,
            at in 0_u64..10_000_000_000_000,
            later in 0_u64..10_000_000_000_000,
            half_life in 0_u64..100_000_000_000,
        ) {
            let decay = Decay::half_life(Duration::from_millis(half_life));
            let of = |memory: &Memory, at| decay.strength(memory, Timestamp(at));
            let unused = memory(importance, 0, None);
            let now = of(&unused, at);
            prop_assert!((0.0..=1.0).contains(&now));
            prop_assert!(of(&unused, at + later) <= now, "it has grown by waiting");
            let used = memory(importance, uses + 1, Some(1_000));
            prop_assert!(of(&used, at) >= now, "it has faded by being used");
            let again = memory(importance, uses + 1, Some(1_000 + later));
            prop_assert!(of(&again, at) >= of(&used, at), "it has faded by being used later");
        }
    }

    #[test]
    fn uses_count_from_the_last_and_no_number_of_them_makes_it_last_for_ever() {
        let decay = Decay::default();
        let old = Timestamp(1_000 + 5 * 365 * DAY_MS);
        assert!((decay.strength(&memory(1.0, u64::MAX, None), old) - 0.5).abs() < 1e-9);
        assert!(
            decay.strength(&memory(1.0, 1, Some(old.0 / 2)), old)
                > decay.strength(&memory(1.0, 1, None), old)
        );
        assert_eq!(Decay::half_life(Duration::ZERO).strength(&memory(1.0, 0, None), Timestamp(1_001)), 0.0);
        assert_eq!(Decay::half_life(Duration::ZERO).strength(&memory(1.0, 0, None), Timestamp(0)), 1.0);
    }
}
