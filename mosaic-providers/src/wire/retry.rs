//! How long a provider asks to wait.
//!
//! In this order: `retry-after-ms`, `retry-after` in seconds, `retry-after` as a date (measured from the answer's own
//! `date`, because a codec has no clock), the body's `retryDelay`, and "try again in 1m2.5s" in the message.
//!
//! Sources: RFC 9110 section 10.2.3 and 5.6.7, <https://platform.openai.com/docs/guides/rate-limits>,
//! <https://docs.anthropic.com/en/api/rate-limits>, <https://cloud.google.com/apis/design/errors>

use std::time::Duration;

use mosaic_core::Headers;
use serde_json::Value;

/// Longer waits are taken for this: a clock that is wrong, or a quota of months.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// The wait, if one is told.
pub(crate) fn retry_after(headers: &Headers, body: &Value, message: &str) -> Option<Duration> {
    let millis = headers.get("retry-after-ms").and_then(|value| value.trim().parse::<f64>().ok());
    millis
        .map(|millis| millis / 1_000.0)
        .or_else(|| headers.get("retry-after").and_then(|value| value.trim().parse().ok()))
        .and_then(seconds)
        .or_else(|| {
            let until = date(headers.get("retry-after")?)?;
            let now = date(headers.get("date")?)?;
            Some(Duration::from_secs(until.saturating_sub(now)))
        })
        .or_else(|| delay(body, 0).and_then(|text| spoken(&text)))
        .or_else(|| {
            let text = message.to_ascii_lowercase();
            let (_, rest) = text.split_once("try again in").or_else(|| text.split_once("retry in"))?;
            spoken(rest)
        })
        .map(|wait| wait.min(LONGEST))
}

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// Google's `RetryInfo`, wherever in the body it is.
fn delay(body: &Value, depth: usize) -> Option<String> {
    // Providers nest it three deep; a hostile body must not recurse for ever.
    if depth > 8 {
        return None;
    }
    match body {
        Value::Object(members) => members
            .get("retryDelay")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .or_else(|| members.values().find_map(|value| delay(value, depth + 1))),
        Value::Array(values) => values.iter().find_map(|value| delay(value, depth + 1)),
        _ => None,
    }
}

/// `48s`, `1m2.5s`, `20ms`, `6 seconds`, `1h`: numbers with units, as long as they go on.
fn spoken(text: &str) -> Option<Duration> {
    let mut rest = text.trim_start();
    let mut total = 0.0_f64;
    let mut any = false;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits)?;
        let Ok(number) = number.trim_end_matches('.').parse::<f64>() else { break };
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(letters)?;
        let factor = match unit {
            "ms" | "millisecond" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            _ => break,
        };
        total += number * factor;
        any = true;
        rest = next.trim_start();
    }
    if any { seconds(total) } else { None }
}

/// Seconds since 1970 of an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`). The two obsolete forms are not read.
fn date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.trim().split_once(", ")?;
    let mut words = rest.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = u64::try_from(MONTHS.iter().position(|month| *month == name)?).ok()? + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next()? != "GMT" || !(1970..=9999).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from civil, counted from March so that the leap day is last: Howard Hinnant's `days_from_civil`.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = y / 400;
    let of_era = y % 400;
    let of_year = (153 * m + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some((days.checked_sub(719_468)?) * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mosaic_core::Headers;
    use serde_json::{Value, json};

    use super::{date, retry_after};

    fn headers(lines: &[(&'static str, &'static str)]) -> Headers {
        let mut headers = Headers::default();
        lines.iter().for_each(|(name, value)| headers.push(*name, *value));
        headers
    }

    #[test]
    fn milliseconds_count_more_than_seconds() {
        let both = headers(&[("retry-after", "1"), ("retry-after-ms", "0")]);
        assert_eq!(retry_after(&both, &Value::Null, ""), Some(Duration::ZERO));
    }

    #[test]
    fn seconds_may_have_a_fraction() {
        let one = headers(&[("Retry-After", "1.5")]);
        assert_eq!(retry_after(&one, &Value::Null, ""), Some(Duration::from_millis(1_500)));
    }

    #[test]
    fn a_date_is_measured_from_the_answers_own_date() {
        let told = headers(&[
            ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ]);
        assert_eq!(retry_after(&told, &Value::Null, ""), Some(Duration::from_secs(30)));
        let alone = headers(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]);
        assert_eq!(retry_after(&alone, &Value::Null, ""), None);
    }

    #[test]
    fn a_date_is_counted_from_1970() {
        assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(date("Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
        assert_eq!(date("Sunday, 06-Nov-94 08:49:37 GMT"), None);
    }

    #[test]
    fn the_body_is_asked_where_no_header_tells() {
        let none = Headers::default();
        let google = json!({"error": {"details": [{"retryDelay": "48s"}]}});
        assert_eq!(retry_after(&none, &google, ""), Some(Duration::from_secs(48)));
        let texts = [
            ("Rate limit reached. Please try again in 6m12.5s. Visit ...", 372_500),
            ("Please try again in 20ms.", 20),
            ("Please retry in 3 seconds", 3_000),
        ];
        for (text, millis) in texts {
            assert_eq!(retry_after(&none, &Value::Null, text), Some(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(retry_after(&none, &Value::Null, "Please try again in a while"), None);
    }

    #[test]
    fn a_wait_without_end_is_bounded() {
        let absurd = headers(&[("retry-after", "1e18")]);
        assert_eq!(retry_after(&absurd, &Value::Null, ""), Some(Duration::from_secs(31 * 24 * 3600)));
        assert_eq!(retry_after(&headers(&[("retry-after", "nan")]), &Value::Null, ""), Some(Duration::ZERO));
    }
}
