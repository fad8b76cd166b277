//! A time as the signature writes it: `20150830T123600Z`, in UTC.

use mosaic_core::Timestamp;

/// A time, written.
#[derive(Debug)]
pub(super) struct Stamp(String);

impl Stamp {
    pub(super) fn of(now: Timestamp) -> Self {
        let seconds = now.0 / 1_000;
        let (days, of_day) = (seconds / 86_400, seconds % 86_400);
        // Civil from days, counted from March so that the leap day is last: Howard Hinnant's `civil_from_days`.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        Self(format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"))
    }

    /// Day and time.
    pub(super) fn full(&self) -> String {
        self.0.clone()
    }

    /// The day.
    pub(super) fn day(&self) -> &str {
        self.0.split_once('T').map_or("", |(day, _)| day)
    }
}

#[cfg(test)]
mod tests {
    use mosaic_core::Timestamp;

    use super::Stamp;

    #[test]
    fn a_time_is_written_in_utc() {
        let of = |seconds: u64| Stamp::of(Timestamp(seconds * 1_000 + 999)).full();
        assert_eq!(of(0), "19700101T000000Z");
        assert_eq!(of(1_440_938_160), "20150830T123600Z");
        assert_eq!(of(1_709_208_000), "20240229T120000Z");
        assert_eq!(of(1_735_689_599), "20241231T235959Z");
        assert_eq!(of(4_107_542_400), "21000301T000000Z");
        assert_eq!(Stamp::of(Timestamp(1_440_938_160_000)).day(), "20150830");
    }
}
