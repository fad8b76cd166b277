//! Cron expressions, read by croner, in UTC: there no hour is missing and none comes twice.

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds};

use crate::runtime::Timestamp;

/// The first time after `after`.
pub(super) fn next(expression: &str, after: Timestamp) -> Result<Timestamp, String> {
    let found = parse(expression)?.find_next_occurrence(&date(after)?, false);
    found.map_err(|error| error.to_string()).and_then(time)
}

/// The last time up to and with `now`.
pub(super) fn last(expression: &str, now: Timestamp) -> Result<Timestamp, String> {
    // To the second, for so are the times of an expression: within the second that it names it is that time.
    let second = Timestamp(now.0 / 1000 * 1000);
    let found = parse(expression)?.find_previous_occurrence(&date(second)?, true);
    found.map_err(|error| error.to_string()).and_then(time)
}

fn parse(expression: &str) -> Result<Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Optional).build();
    parser.parse(expression).map_err(|error| error.to_string())
}

fn date(at: Timestamp) -> Result<DateTime<Utc>, String> {
    let ms = i64::try_from(at.0).ok();
    ms.and_then(DateTime::from_timestamp_millis).ok_or_else(|| format!("{at} is no date"))
}

fn time(date: DateTime<Utc>) -> Result<Timestamp, String> {
    u64::try_from(date.timestamp_millis()).map(Timestamp).map_err(|_| format!("{date} is before 1970"))
}
