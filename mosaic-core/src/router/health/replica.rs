//! What a process believes of one candidate: what the store is known to hold, and its own turns over that.
//!
//! ```text
//! known (version 7) ── turn ── turn ──> view          a swap from 7 to the view is under way
//!      │ conflict: version 9 is there
//! known (version 9) ── turn ── turn ──> view          worked out again; a turn that does nothing now is dropped
//! ```
//!
//! No clock, no store, no lock: whoever holds it does the work.

use super::{Health, Turn, What};
use crate::runtime::Timestamp;

/// So many turns wait for the store; more are folded into one state, which is written when it answers.
const MOST: usize = 16;

/// What a process believes of one candidate.
#[derive(Debug, Default)]
pub(in super::super) struct Replica {
    view: Health,
    known: Health,
    version: u64,
    pending: Vec<(u64, Turn)>,
    turns: u64,
    shared: bool,
    /// `known` is more than the store holds: it did not answer.
    unsaved: bool,
    /// How often turns were folded into `known`.
    folds: u64,
}

/// A swap that is due.
#[derive(Debug)]
pub(in super::super) struct Write {
    pub(super) expected: u64,
    pub(super) health: Health,
    upto: u64,
    folds: u64,
}

impl Replica {
    pub(in super::super) fn view(&self) -> &Health {
        &self.view
    }

    /// From now on turns wait to be written.
    pub(in super::super) fn share(&mut self) {
        self.shared = true;
    }

    /// Takes a turn. Whether it does something.
    pub(in super::super) fn take(&mut self, turn: Turn) -> bool {
        let Some(next) = turn.of(&self.view) else { return false };
        self.view = next;
        self.turns += 1;
        self.pending.push((self.turns, turn));
        if !self.shared {
            self.pending.clear();
            self.known = next;
        } else if self.pending.len() > MOST {
            self.failed();
        }
        true
    }

    /// Whether a probe's claim was neither written nor refused yet.
    pub(super) fn is_claiming(&self, number: u64) -> bool {
        let claims = |turn: &Turn| {
            matches!(turn.what, What::Claimed { .. }) && turn.by.is_some_and(|(_, of)| of == number)
        };
        self.pending.iter().any(|(_, turn)| claims(turn))
    }

    /// Whether something is to be written.
    pub(super) fn is_ahead(&self) -> bool {
        self.unsaved || !self.view.is_same(&self.known)
    }

    /// What is to be written, if anything.
    pub(super) fn write(&mut self) -> Option<Write> {
        if !self.is_ahead() {
            self.pending.clear();
            return None;
        }
        Some(Write { expected: self.version, health: self.view, upto: self.turns, folds: self.folds })
    }

    /// A swap was done.
    pub(super) fn written(&mut self, write: &Write, version: u64) {
        // Unless something newer was loaded meanwhile, which then holds what was written.
        if version > self.version {
            self.version = version;
            if self.folds == write.folds {
                (self.known, self.unsaved) = (write.health, false);
            }
        }
        self.pending.retain(|(turn, _)| *turn > write.upto);
        self.fold();
    }

    /// A swap found another version, or none (0). `None` for a state that nobody can read.
    pub(super) fn conflicted(&mut self, write: &Write, version: u64, health: Option<Health>, now: Timestamp) {
        if version > self.version || write.expected == self.version {
            self.adopt(version, health, now);
        }
    }

    /// Takes over what was loaded. Loads and swaps overtake each other: what is older than what is known is left.
    pub(super) fn loaded(&mut self, version: u64, health: Option<Health>, now: Timestamp) {
        if version > self.version {
            self.adopt(version, health, now);
        }
    }

    /// The store has forgotten everything: it was made anew.
    pub(super) fn forgotten(&mut self, now: Timestamp) {
        if self.version > 0 {
            self.adopt(0, None, now);
        }
    }

    /// The store does not answer: what this process believes is what there is.
    pub(super) fn failed(&mut self) {
        self.unsaved |= !self.view.is_same(&self.known);
        self.known = self.view;
        self.pending.clear();
        self.folds += 1;
    }

    fn adopt(&mut self, version: u64, health: Option<Health>, now: Timestamp) {
        let Health { until, opened, failures, cause, .. } = self.view;
        // Only what follows what was known may end a cooldown; and what follows it, but does not know what could not be
        // written, only one that is over. A store that was made anew, or holds garbage, ends none.
        let follows = version > self.version && health.is_some();
        let kept = until.filter(|until| !follows || self.unsaved && *until > now);
        if let Some(until) = kept {
            let what = What::Opened { until, opened, failures, cause };
            // Before the others, which may be about it.
            self.turns += 1;
            self.pending.insert(0, (self.turns, Turn { at: now, by: None, what }));
        }
        (self.known, self.version, self.unsaved) = (health.unwrap_or_default(), version, false);
        self.fold();
    }

    /// Works the view out. Turns that do nothing over what is known are dropped.
    fn fold(&mut self) {
        let mut view = self.known;
        self.pending.retain(|(_, turn)| match turn.of(&view) {
            Some(next) => {
                view = next;
                true
            }
            None => false,
        });
        self.view = view;
    }
}
