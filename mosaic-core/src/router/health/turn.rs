//! What happens to a breaker, as data: so that it can be done again over what another process has written.
//!
//! | turn | closed | open | half open (its time is over) |
//! | --- | --- | --- | --- |
//! | opened, by the probe | open | open, for the longer of the two times; no probe | open |
//! | opened, by other calls | open | open, for the longer of the two times; the probe goes on | open; the probe goes on |
//! | claimed | nothing | nothing | this call is the probe, unless one is going on |
//! | begun (the probe's first event) | nothing | nothing | closed, on trial |
//! | well (a whole answer), by the probe | nothing wrong any more | no probe | nothing wrong any more |
//! | well, by another call | nothing wrong any more | nothing | nothing |
//! | dropped, by the probe | no probe | no probe | no probe |
//!
//! A turn holds times and counts, not differences, so that one that has been written already changes nothing: a
//! store that was too slow to say so may have written it.

use uuid::Uuid;

use super::{Health, Probe};
use crate::error::ErrorKind;
use crate::runtime::Timestamp;

/// A probe: whose, and its number.
pub(in super::super) type By = (Uuid, u64);

/// What happened, when, and by which probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Turn {
    pub(in super::super) at: Timestamp,
    pub(in super::super) by: Option<By>,
    pub(in super::super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum What {
    Opened { until: Timestamp, opened: u32, failures: u32, cause: Option<ErrorKind> },
    Claimed { lease_until: Timestamp },
    Begun,
    Well,
    Dropped,
}

impl Health {
    /// Whether it is this probe that is finding out, or that closed the breaker and goes on.
    pub(in super::super) fn is_probed_by(&self, by: Option<By>) -> bool {
        by.is_some() && self.probe.map(|probe| (probe.owner, probe.number)) == by
    }
}

impl Turn {
    /// What becomes of a state; `None` where this turn does nothing.
    pub(in super::super) fn of(&self, health: &Health) -> Option<Health> {
        let ours = health.is_probed_by(self.by);
        let over = health.until.is_some_and(|until| until <= self.at);
        let mut next = Health { at: self.at, ..*health };
        match (self.what, health.until) {
            (What::Opened { until, opened, failures, cause }, was) => {
                match was {
                    Some(was) if !ours && until <= was => return None,
                    Some(_) if !ours => {}
                    _ => next.probe = None,
                }
                next.until = Some(was.unwrap_or_default().max(until));
                next.opened = health.opened.max(opened);
                next.failures = failures;
                next.cause = cause;
            }
            (What::Claimed { lease_until }, Some(_)) if over => match (health.probe, self.by) {
                _ if ours => {}
                (Some(probe), _) if probe.lease_until > self.at => return None,
                (_, Some((owner, number))) => next.probe = Some(Probe { owner, number, lease_until }),
                (_, None) => return None,
            },
            // It keeps its count until the answer is whole: one that begins and always breaks off must not be
            // asked every 5 s.
            (What::Begun, Some(_)) if ours && over => {
                (next.until, next.cause, next.failures) = (None, None, 0);
            }
            (What::Well, None) if health.opened > 0 || health.probe.is_some() => {
                next = Health { at: self.at, ..Health::default() };
            }
            (What::Well, Some(_)) if ours && over => next = Health { at: self.at, ..Health::default() },
            (What::Well | What::Dropped, _) if ours => next.probe = None,
            _ => return None,
        }
        Some(next)
    }
}
