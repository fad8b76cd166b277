//! The breaker of one candidate.
//!
//! | state | what | then |
//! | --- | --- | --- |
//! | closed | a call that fails, with others before it in a row | closed; open at the third, or at once where the provider says for how long or refuses the key |
//! | closed | a call that answers | closed, nothing counted |
//! | open | a call that had begun before fails | open; where its provider says for how long, for the longer of the two times |
//! | open | time | half open: one call at a time may find out |
//! | half open | the probe has its first event | closed, on trial |
//! | half open | the probe fails | open, for twice as long as before |
//! | half open | the probe is dropped, or has no first event in its time | the next call may find out |
//! | on trial | the probe fails | open, for twice as long as before |
//! | on trial | a call answers, to its end | closed, nothing counted |
//!
//! A probe is decided by its first event: an answer that streams for minutes neither keeps the others away from a
//! candidate that is well, nor outlives its lease and lets a second probe in. If it breaks off after that, the
//! candidate is left alone for longer than before, so that one that begins and always breaks off is not asked every 5 s.
//!
//! The pick reads three numbers and takes no lock. Only turns take one; [`health`](super::health) says how other processes
//! learn of them.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::health::{By, Health, Link, Replica, Turn, What};
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
    /// A probe that has no first event by then no longer counts. 60 s.
    pub probe: Duration,
    /// What other processes know is looked up so often, where [`health`](super::RouterBuilder::health) is shared and calls
    /// come. 1 s.
    pub refresh: Duration,
    /// The longest that a call waits for the store of the shared health at a time. 250 ms.
    pub patience: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            failures: 3,
            open: Duration::from_secs(5),
            longest: Duration::from_secs(300),
            probe: Duration::from_secs(60),
            refresh: Duration::from_secs(1),
            patience: Duration::from_millis(250),
        }
    }
}

/// The breaker of one candidate.
#[derive(Debug)]
pub(super) struct Breaker {
    // Copies for those who take no lock. They may be read while they change: then a call is picked that the lock does not
    // admit, and picks again.
    /// Milliseconds since 1970; 0: closed.
    until: AtomicU64,
    lease: AtomicU64,
    cause: AtomicU8,
    /// A call that goes well changes nothing.
    spotless: AtomicBool,
    state: Mutex<State>,
    /// To the other processes, where there are any.
    pub(super) link: OnceLock<Link>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) replica: Replica,
    /// In a row, while it is closed; only this process's.
    failures: u32,
    probes: u64,
    /// Tells this router's probes from those of others.
    owner: Uuid,
    /// Somebody is writing turns to the store.
    pub(super) writing: bool,
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

impl Default for Breaker {
    fn default() -> Self {
        Self {
            until: AtomicU64::new(0),
            lease: AtomicU64::new(0),
            cause: AtomicU8::new(0),
            spotless: AtomicBool::new(true),
            state: Mutex::default(),
            link: OnceLock::new(),
        }
    }
}

impl Breaker {
    pub(super) fn gate(&self, now: Timestamp) -> Gate {
        gate(Timestamp(self.until.load(Relaxed)), Timestamp(self.lease.load(Relaxed)), now)
    }

    pub(super) fn cause(&self) -> Option<ErrorKind> {
        let place = usize::from(self.cause.load(Relaxed)).checked_sub(1)?;
        ErrorKind::ALL.get(place).copied()
    }

    /// Lets a call go: `Err` where it may not, the number of the probe where it is one.
    pub(super) fn admit(&self, policy: &BreakerPolicy, now: Timestamp) -> Result<Option<u64>, ()> {
        if self.gate(now) == Gate::Closed {
            return Ok(None);
        }
        self.with(|state| match state.gate(now) {
            Gate::Closed => Ok(None),
            Gate::Cooling(_) | Gate::Probing(_) => Err(()),
            Gate::Due => {
                state.probes += 1;
                let (by, what) =
                    (state.by(Some(state.probes)), What::Claimed { lease_until: now.after(policy.probe) });
                state.replica.take(Turn { at: now, by, what });
                Ok(Some(state.probes))
            }
        })
    }

    /// The first event has shown. Whether a probe has closed the breaker by that.
    pub(super) fn begun(&self, probe: Option<u64>, now: Timestamp) -> bool {
        let Some(probe) = probe else { return false };
        let closed = self.turn(Some(probe), now, What::Begun);
        self.tell();
        closed
    }

    /// A call ended well. One that had begun before the candidate failed says nothing of now.
    pub(super) fn answered(&self, probe: Option<u64>, now: Timestamp) {
        if probe.is_none() && self.spotless.load(Relaxed) {
            return;
        }
        let told = self.with(|state| {
            if state.replica.view().until.is_none() {
                state.failures = 0;
            }
            state.replica.take(Turn { at: now, by: state.by(probe), what: What::Well })
        });
        if told {
            self.tell();
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
            self.turn(probe, now, What::Dropped);
            return self.tell();
        }
        let told = self.with(|state| {
            let (by, view) = (state.by(probe), *state.replica.view());
            let probed = view.is_probed_by(by);
            let says_when = error.retry_after.is_some() || error.kind == ErrorKind::Auth;
            if view.until.is_some() && !probed && !says_when {
                return false;
            }
            state.failures = state.failures.max(view.failures).saturating_add(1);
            if state.failures < policy.failures && !says_when && !probed {
                return false;
            }
            let again = view.until.is_none() || probed;
            let opened = view.opened.saturating_add(u32::from(again));
            let doubled = policy.open.saturating_mul(1 << opened.saturating_sub(1).min(16));
            let alone = doubled.min(policy.longest).max(error.retry_after.unwrap_or_default());
            let (failures, cause) = (state.failures, Some(error.kind));
            let what = What::Opened { until: now.after(alone), opened, failures, cause };
            state.replica.take(Turn { at: now, by, what })
        });
        if told {
            self.tell();
        }
    }

    /// A call was dropped: another one may find out. Runs in `drop`, perhaps on a thread that no executor runs on.
    pub(super) fn dropped(&self, probe: Option<u64>) {
        if probe.is_none() {
            return;
        }
        // When it was does not matter to this turn.
        let at = self.with(|state| state.replica.view().at);
        if self.turn(probe, at, What::Dropped)
            && let Some(link) = self.link.get()
        {
            link.tell_later();
        }
    }

    fn turn(&self, probe: Option<u64>, at: Timestamp, what: What) -> bool {
        self.with(|state| state.replica.take(Turn { at, by: state.by(probe), what }))
    }

    /// Writes what is new to the store that is shared.
    fn tell(&self) {
        if let Some(link) = self.link.get() {
            link.tell();
        }
    }

    /// From now on others learn of every turn.
    pub(super) fn share(&self, owner: Uuid, link: Link) {
        self.with(|state| {
            state.owner = owner;
            state.replica.share();
        });
        // Fails only where it is shared already.
        let _ = self.link.set(link);
    }

    /// Changes the state, and the copies of it.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let was_open = state.replica.view().until.is_some();
        let result = change(&mut state);
        let view: Health = *state.replica.view();
        if was_open && view.until.is_none() {
            state.failures = 0;
        }
        self.until.store(view.until.map_or(0, |until| until.0.max(1)), Relaxed);
        self.lease.store(view.probe.map_or(0, |probe| probe.lease_until.0), Relaxed);
        let place = view.cause.and_then(|cause| ErrorKind::ALL.iter().position(|kind| *kind == cause));
        self.cause.store(place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(0), Relaxed);
        let spotless = state.failures == 0 && view.is_spotless();
        self.spotless.store(spotless, Relaxed);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn by(&self, probe: Option<u64>) -> Option<By> {
        probe.map(|number| (self.owner, number))
    }

    pub(super) fn gate(&self, now: Timestamp) -> Gate {
        let view = self.replica.view();
        let lease = view.probe.map_or(Timestamp(0), |probe| probe.lease_until);
        gate(view.until.map_or(Timestamp(0), |until| Timestamp(until.0.max(1))), lease, now)
    }

    /// Whether this probe is the one.
    pub(super) fn is_probe(&self, number: u64) -> bool {
        self.replica.view().is_probed_by(self.by(Some(number)))
    }
}

/// An `until` of 0 is closed, a `lease` of 0 no probe.
fn gate(until: Timestamp, lease: Timestamp, now: Timestamp) -> Gate {
    match until {
        Timestamp(0) => Gate::Closed,
        _ if now < until => Gate::Cooling(until),
        _ if now < lease => Gate::Probing(lease),
        _ => Gate::Due,
    }
}
