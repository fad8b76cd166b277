//! How long rows stay where.

use std::time::Duration;

use mosaic_core::Timestamp;
use mosaic_core::agent_log::{Day, HotDay};

const DAY: Duration = Duration::from_secs(86_400);

/// How long, and how much, rows stay where; of each tenant by itself.
///
/// ```
/// use mosaic_memory::agent_log::TierPolicy;
/// use std::time::Duration;
///
/// let mut policy = TierPolicy::default();
/// policy.hot_age = Duration::from_secs(7 * 86_400);
/// policy.hot_rows = 1_000_000; // the oldest leave earlier when there are more
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierPolicy {
    /// A day's rows leave the store when the day ended so long ago. 30 days.
    pub hot_age: Duration,
    /// The oldest rows leave when there are more than so many. No limit.
    pub hot_rows: u64,
    /// The oldest rows leave when all have more than about so many bytes. No limit.
    pub hot_bytes: u64,
    /// A day's summaries are dropped when the day ended so long ago; totals then come from the archive. 365 days.
    pub warm_age: Duration,
    /// A day's segments are removed for good when the day ended so long ago. Never, if there is none.
    pub cold_age: Option<Duration>,
    /// At most so many rows go into a segment. 20,000, some MB of RAM.
    pub segment_rows: u32,
    /// The name of a file that was removed is kept for so long, and the removal repeated, in case a process that was thought dead writes
    /// it after all. One day.
    pub forget_after: Duration,
}

impl Default for TierPolicy {
    fn default() -> Self {
        Self {
            hot_age: 30 * DAY,
            hot_rows: u64::MAX,
            hot_bytes: u64::MAX,
            warm_age: 365 * DAY,
            cold_age: None,
            segment_rows: 20_000,
            forget_after: DAY,
        }
    }
}

/// Rows that are to leave: the oldest so many of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) day: Day,
    pub(super) rows: u32,
}

impl TierPolicy {
    /// The first day that is not older than an age.
    pub(super) fn first_day(now: Timestamp, age: Duration) -> Day {
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Day::of(Timestamp(now.0.saturating_sub(age)))
    }

    /// What is to leave next, by how much is hot of each day, oldest first.
    pub(super) fn due(&self, hot: &[HotDay], now: Timestamp) -> Option<Due> {
        let oldest = hot.first()?;
        let due = |rows: u64| {
            let rows = u32::try_from(rows.min(oldest.rows)).unwrap_or(u32::MAX).min(self.segment_rows.max(1));
            Some(Due { day: oldest.day, rows })
        };
        if oldest.day < Self::first_day(now, self.hot_age) {
            return due(oldest.rows);
        }
        let all = hot.iter().fold((0, 0), |(rows, bytes), day| (rows + day.rows, bytes + day.bytes));
        let (rows, bytes) = (all.0.saturating_sub(self.hot_rows), all.1.saturating_sub(self.hot_bytes));
        if rows == 0 && bytes == 0 {
            return None;
        }
        // As many as have about the bytes that are too many.
        let each = (oldest.bytes / oldest.rows.max(1)).max(1);
        due(rows.max(bytes.div_ceil(each)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hot(days: &[(u32, u64)]) -> Vec<HotDay> {
        days.iter().map(|(day, rows)| HotDay { day: Day(*day), rows: *rows, bytes: rows * 100 }).collect()
    }

    fn noon(day: u32) -> Timestamp {
        Day(day).start().after(DAY / 2)
    }

    #[test]
    fn a_day_leaves_when_it_ended_long_enough_ago() {
        let policy = TierPolicy { hot_age: 3 * DAY, ..TierPolicy::default() };
        let days = hot(&[(10, 5), (11, 7)]);
        assert_eq!(policy.due(&days, noon(13)), None, "day 10 ended two and a half days ago");
        assert_eq!(policy.due(&days, Day(14).start()), Some(Due { day: Day(10), rows: 5 }), "three days ago");
        assert_eq!(policy.due(&[], noon(99)), None);
    }

    #[test]
    fn the_oldest_leave_when_there_are_too_many_or_too_large() {
        let few = TierPolicy { hot_rows: 10, ..TierPolicy::default() };
        assert_eq!(few.due(&hot(&[(10, 5), (11, 7)]), noon(11)), Some(Due { day: Day(10), rows: 2 }));
        assert_eq!(few.due(&hot(&[(10, 5), (11, 5)]), noon(11)), None);
        assert_eq!(few.due(&hot(&[(10, 5), (11, 70)]), noon(11)), Some(Due { day: Day(10), rows: 5 }));
        let small = TierPolicy { hot_bytes: 1_000, ..TierPolicy::default() };
        assert_eq!(small.due(&hot(&[(11, 12)]), noon(11)), Some(Due { day: Day(11), rows: 2 }));
        assert_eq!(small.due(&hot(&[(11, 10)]), noon(11)), None);
        let none = TierPolicy { hot_rows: 0, segment_rows: 3, ..TierPolicy::default() };
        assert_eq!(
            none.due(&hot(&[(11, 10)]), noon(11)),
            Some(Due { day: Day(11), rows: 3 }),
            "a segment is full"
        );
    }
}
