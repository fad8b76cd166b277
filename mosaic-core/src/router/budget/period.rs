//! How time is cut into budgets.

use std::time::Duration;

use crate::runtime::Timestamp;

/// The time that a budget is for. When it is over, the next one begins with nothing spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Period {
    /// A day in UTC.
    Day,
    /// A month of the calendar in UTC.
    Month,
    /// So long, counted from 1970-01-01 UTC: an hour begins with the hour. At least a millisecond.
    Every(Duration),
    /// All time.
    Ever,
}

const DAY: u64 = 86_400_000;

impl Period {
    /// The number of the one that a point in time is in.
    pub(super) fn number(self, at: Timestamp) -> u64 {
        match self {
            Self::Day => at.0 / DAY,
            Self::Month => month(at.0 / DAY),
            Self::Every(length) => at.0 / millis(length),
            Self::Ever => 0,
        }
    }

    /// When it begins.
    pub(super) fn start(self, number: u64) -> Timestamp {
        Timestamp(match self {
            Self::Day => number.saturating_mul(DAY),
            Self::Month => first_day(number).saturating_mul(DAY),
            Self::Every(length) => number.saturating_mul(millis(length)),
            Self::Ever => 0,
        })
    }

    /// When it is over and the next one begins; never, for all time.
    pub(super) fn end(self, number: u64) -> Option<Timestamp> {
        (self != Self::Ever).then(|| self.start(number.saturating_add(1)))
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Days from 0000-03-01, where years begin whose last day is the leap day, to 1970-01-01.
const TO_1970: u64 = 719_468;
/// Days of 400 years, after which the calendar repeats itself.
const ERA: u64 = 146_097;

/// The months from year 0 to the one with this day since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", 2013: <https://howardhinnant.github.io/date_algorithms.html>).
fn month(day: u64) -> u64 {
    let day = day.saturating_add(TO_1970);
    let (era, of_era) = (day / ERA, day % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // From March on.
    let month = (5 * of_year + 2) / 153;
    (era.saturating_mul(400) + year) * 12 + month + 2
}

/// The first day of a month, since 1970.
fn first_day(month: u64) -> u64 {
    let march = month.saturating_sub(2);
    let (year, of_year) = (march / 12, march % 12);
    let (era, of_era) = (year / 400, year % 400);
    let day = 365 * of_era + of_era / 4 - of_era / 100 + (153 * of_year + 2) / 5;
    era.saturating_mul(ERA).saturating_add(day).saturating_sub(TO_1970)
}
