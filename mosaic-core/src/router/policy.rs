//! What becomes of a call that fails, and of one that is slow.

use std::sync::Arc;
use std::time::Duration;

/// How often a call is tried, and how long it may wait.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Attempts of one call: retries and fallbacks together. 5. One budget, because limits that multiply
    /// (retries times fallbacks times the caller's own) turn an outage into a flood.
    pub max_attempts: u32,
    /// Attempts of one call at one candidate. 2.
    pub per_candidate: u32,
    /// The first backoff is at most this; each is at most twice the one before. 500 ms. Nobody waits while another
    /// healthy candidate is there.
    pub base: Duration,
    /// No backoff is longer. 10 s.
    pub cap: Duration,
    /// How long a call waits in all: for backoffs, for a cooldown to end, for room under a limit. 30 s. When it would have
    /// to wait longer, it fails at once with the time in `retry_after`, and the session's own retries wait.
    pub max_wait: Duration,
    /// How long a candidate may take to say something before another is asked. None unless set: the model's own limits
    /// count, which are long because a slow model is better than none.
    pub first_event: Option<Duration>,
    /// What becomes of a call whose answer breaks off after something of it was shown: it fails.
    pub mid_answer: MidAnswer,
    /// When a second candidate is asked because the first one takes long. Never unless set.
    pub hedge: Option<Hedge>,
}

/// What becomes of a call whose answer breaks off after something of it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MidAnswer {
    /// It fails, and whoever called decides: a session keeps what was said and tries again.
    #[default]
    Fail,
    /// It begins anew, at the next candidate, under the same budget of attempts. The stream says so with
    /// [`ModelEvent::Restarted`](crate::ModelEvent::Restarted): what was shown is void.
    Restart,
}

/// When a second candidate is asked because the first one takes long. Whoever says something first answers, and the other is
/// cancelled; what it was billed until then is paid.
///
/// "The Tail at Scale" (Dean and Barroso, 2013, <https://research.google/pubs/the-tail-at-scale/>) asks again after the time
/// that 95 of 100 calls take, which cuts the slowest calls for a few percent more of them.
///
/// ```
/// use std::time::Duration;
/// use mosaic_core::router::{Hedge, RetryPolicy};
/// let retry = RetryPolicy { hedge: Some(Hedge::after(Duration::from_secs(2))), ..RetryPolicy::default() };
/// # let _ = retry;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Hedge {
    /// When.
    pub after: HedgeAfter,
    /// How many more are asked, one after another, each after that time. 1. Every one is an attempt of the call.
    pub most: u32,
    /// At most this share of calls is hedged, so that a provider that slows down under load is not sent twice of it. 0.1.
    pub share: f64,
}

/// When a second candidate is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum HedgeAfter {
    /// When the first one has said nothing for so long.
    Time(Duration),
    /// When the first one has said nothing for as long as it took in this share of its last calls, 0 to 1. Never
    /// before `least`; `least` alone until it has answered 20 times.
    Percentile {
        /// The share.
        of: f64,
        /// Never sooner.
        least: Duration,
    },
}

impl Hedge {
    /// When the first one has said nothing for so long.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self { after: HedgeAfter::Time(time), most: 1, share: 0.1 }
    }

    /// When the first one is slower than 95 of 100 of its last calls were, and never before `least`.
    #[must_use]
    pub fn after_p95(least: Duration) -> Self {
        Self { after: HedgeAfter::Percentile { of: 0.95, least }, ..Self::after(least) }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            per_candidate: 2,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(10),
            max_wait: Duration::from_secs(30),
            first_event: None,
            mid_answer: MidAnswer::Fail,
            hedge: None,
        }
    }
}

/// To whom a call falls back after one kind of failure. Every candidate is asked a bounded number of times in a call, so
/// no list can send it in circles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fallback {
    /// To nobody: the call fails.
    Never,
    /// To every candidate that passes the filters, best first.
    #[default]
    Any,
    /// To those whose window is known and larger than that of the one that failed.
    Larger,
    /// To these, as far as they pass the filters, in the order of the list.
    To(Vec<Arc<str>>),
}

impl Fallback {
    /// To these candidates, in this order.
    pub fn to<T: Into<Arc<str>>>(candidates: impl IntoIterator<Item = T>) -> Self {
        Self::To(candidates.into_iter().map(Into::into).collect())
    }
}

/// What a call falls back to, by failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallbacks {
    /// When a candidate is down, limited, too slow, or its key is refused: [`Fallback::Any`].
    pub failure: Fallback,
    /// When the prompt is too long for a candidate: [`Fallback::Larger`].
    pub overflow: Fallback,
    /// When a provider's filter refuses the content: [`Fallback::Never`], because showing refused content to one provider
    /// after another is for the host to decide.
    pub filtered: Fallback,
}

impl Default for Fallbacks {
    fn default() -> Self {
        Self { failure: Fallback::Any, overflow: Fallback::Larger, filtered: Fallback::Never }
    }
}
