//! A limit a minute, as a bucket that fills at an even pace.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::runtime::Timestamp;

const MINUTE: u64 = 60_000_000_000;
const MILLI: u64 = 1_000_000;

/// A limit a minute: a bucket that holds one minute's worth and fills at an even pace, as those of the large providers
/// do. Kept as one number, the time at which the bucket would be full again (the "generic cell rate algorithm" of ATM
/// networks), so that taking from it needs no lock.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: u64,
    /// Nanoseconds that one unit takes to come back.
    pace: u64,
    /// When the bucket is full, in nanoseconds since 1970; there are 500 years of them.
    full_at: AtomicU64,
}

impl Bucket {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, pace: (MINUTE / limit.max(1)).max(1), full_at: AtomicU64::new(0) }
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// When there is room for so many units: now or later. Never, for more than the bucket holds.
    pub(super) fn room_at(&self, units: u64, now: Timestamp) -> Option<Timestamp> {
        if units > self.limit {
            return None;
        }
        let after = self.taken(self.full_at.load(Ordering::Relaxed), units, now);
        let at = after.saturating_sub(self.pace.saturating_mul(self.limit)).div_ceil(MILLI);
        Some(Timestamp(at.max(now.0)))
    }

    /// Takes so many units, if there is room.
    pub(super) fn take(&self, units: u64, now: Timestamp) -> bool {
        let ceiling = nanos(now).saturating_add(self.pace.saturating_mul(self.limit));
        units <= self.limit
            && self
                .full_at
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                    Some(self.taken(full_at, units, now)).filter(|after| *after <= ceiling)
                })
                .is_ok()
    }

    /// Puts back what was taken too much, or takes what was too little, although there may be no room for it.
    pub(super) fn correct(&self, taken: u64, used: u64, now: Timestamp) {
        // Cannot fail: the closure always gives a value.
        let _ = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            Some(match used.checked_sub(taken) {
                Some(more) => self.taken(full_at, more, now),
                None => full_at.saturating_sub(self.pace.saturating_mul(taken - used)),
            })
        });
    }

    fn taken(&self, full_at: u64, units: u64, now: Timestamp) -> u64 {
        full_at.max(nanos(now)).saturating_add(self.pace.saturating_mul(units))
    }
}

fn nanos(at: Timestamp) -> u64 {
    at.0.saturating_mul(MILLI)
}
