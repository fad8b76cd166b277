//! The breaker of one candidate.
//!
//! | state | what | then |
//! | --- | --- | --- |
//! | closed | a call that fails, with others before it in a row | closed; open at the third, or at once where the provider says for how long or refuses the key |
//! | closed | a call that answers | closed, nothing counted |
//! | open | a call that had begun before fails | open, for the longer of the two times |
//! | open | time | half open: one call at a time may find out |
//! | half open | the probe answers | closed |
//! | half open | the probe fails | open, for twice as long as before |
//! | half open | the probe is dropped, or never ends | the next call may find out |

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::ErrorKind;
use crate::model::ModelError;
use crate::runtime::Timestamp;

/// When a candidate is left alone, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row. 3.
    pub failures: u32,
    /// The first time that it is left alone; twice as long each time it fails again. 5 s.
    pub open: Duration,
    /// It is never left alone for longer, unless its provider asks for more. 5 min.
    pub longest: Duration,
    /// A probe that has not ended by then no longer counts. 60 s.
    pub probe: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            failures: 3,
            open: Duration::from_secs(5),
            longest: Duration::from_secs(300),
            probe: Duration::from_secs(60),
        }
    }
}

/// The breaker of one candidate.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// How often it opened in a row.
    opened: u32,
    until: Option<Timestamp>,
    /// The number of the probe that is going on, and when it no longer counts.
    probe: Option<(u64, Timestamp)>,
    probes: u64,
    cause: Option<ErrorKind>,
}

/// Whether a call may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Closed,
    Due,
    Cooling(Timestamp),
    Probing(Timestamp),
}

/// Whether an error says something about the candidate. The caller's own fault never does.
pub(super) fn blames(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::InvalidRequest
            | ErrorKind::Unsupported
            | ErrorKind::ContextOverflow
            | ErrorKind::ContentFiltered
            | ErrorKind::Cancelled
            | ErrorKind::Budget
    )
}

impl Breaker {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn gate(&self, now: Timestamp) -> Gate {
        let state = self.lock();
        match (state.until, state.probe) {
            (None, _) => Gate::Closed,
            (Some(until), _) if now < until => Gate::Cooling(until),
            (Some(_), Some((_, lease))) if now < lease => Gate::Probing(lease),
            (Some(_), _) => Gate::Due,
        }
    }

    pub(super) fn cause(&self) -> Option<ErrorKind> {
        self.lock().cause
    }

    /// Lets a call go: `Err` where it may not, the number of the probe where it is one.
    pub(super) fn admit(&self, policy: &BreakerPolicy, now: Timestamp) -> Result<Option<u64>, ()> {
        let state = &mut *self.lock();
        match (state.until, state.probe) {
            (None, _) => Ok(None),
            (Some(until), _) if now < until => Err(()),
            (Some(_), Some((_, lease))) if now < lease => Err(()),
            (Some(_), _) => {
                state.probes += 1;
                state.probe = Some((state.probes, now.after(policy.probe)));
                Ok(Some(state.probes))
            }
        }
    }

    /// A call ended well. One that had begun before the candidate failed says nothing of now.
    pub(super) fn answered(&self, probe: Option<u64>) {
        let state = &mut *self.lock();
        if state.until.is_none() || (probe.is_some() && state.probe.map(|(number, _)| number) == probe) {
            *state = State { probes: state.probes, ..State::default() };
        }
    }

    /// A call failed. Every one counts, whichever attempt of its call it was.
    pub(super) fn failed(
        &self,
        error: &ModelError,
        policy: &BreakerPolicy,
        probe: Option<u64>,
        now: Timestamp,
    ) {
        if !blames(error.kind) {
            return self.dropped(probe);
        }
        let state = &mut *self.lock();
        state.failures = state.failures.saturating_add(1);
        state.cause = Some(error.kind);
        let probed = probe.is_some() && state.probe.map(|(number, _)| number) == probe;
        if probed {
            state.probe = None;
        }
        let says_when = error.retry_after.is_some() || error.kind == ErrorKind::Auth;
        if state.until.is_some() && !probed && !says_when {
            return;
        }
        if state.failures >= policy.failures || says_when || probed {
            if state.until.is_none() || probed {
                state.opened = state.opened.saturating_add(1);
            }
            let doubled = policy.open.saturating_mul(1 << state.opened.saturating_sub(1).min(16));
            let alone = doubled.min(policy.longest).max(error.retry_after.unwrap_or_default());
            state.until = Some(now.after(alone).max(state.until.unwrap_or_default()));
        }
    }

    /// A call was dropped: another one may find out.
    pub(super) fn dropped(&self, probe: Option<u64>) {
        let state = &mut *self.lock();
        if probe.is_some() && state.probe.map(|(number, _)| number) == probe {
            state.probe = None;
        }
    }
}
