//! What was spent and reserved, of one budget and by one payer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Budget;
use crate::message::Cost;
use crate::runtime::Timestamp;

/// What was spent and reserved, of one budget and by one payer.
#[derive(Debug, Default)]
pub(super) struct Account(Mutex<Window>);

/// The sums of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Window {
    pub(super) number: u64,
    pub(super) spent: u64,
    pub(super) reserved: u64,
}

/// What is left for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::router) struct Room {
    /// Of the limit, when the calls that are going on would cost nothing.
    pub(super) unspent: u64,
    /// Of that, what no call has reserved.
    pub(super) left: u64,
    /// When the next period begins.
    pub(super) until: Option<Timestamp>,
}

impl Account {
    /// With what an earlier process spent.
    pub(super) fn add(&self, number: u64, spent: Cost) {
        let window = &mut *self.lock();
        window.roll(number);
        if window.number == number {
            window.spent = window.spent.saturating_add(spent.0);
        }
    }

    /// The sums of the period.
    pub(super) fn window(&self, budget: &Budget, now: Timestamp) -> Window {
        let window = &mut *self.lock();
        window.roll(budget.period.number(now));
        *window
    }

    pub(super) fn room(&self, budget: &Budget, now: Timestamp) -> Room {
        let window = self.window(budget, now);
        let unspent = budget.limit.0.saturating_sub(window.spent);
        let left = unspent.saturating_sub(window.reserved);
        Room { unspent, left, until: budget.period.end(window.number) }
    }

    /// Sets an amount aside, and tells of which period; not, if less is left.
    pub(super) fn reserve(&self, budget: &Budget, amount: u64, now: Timestamp) -> Option<u64> {
        let window = &mut *self.lock();
        window.roll(budget.period.number(now));
        let after = window.reserved.checked_add(amount)?;
        if window.spent.checked_add(after)? > budget.limit.0 {
            return None;
        }
        window.reserved = after;
        Some(window.number)
    }

    /// Books what a call did cost, in the period that it was reserved in: one that is over is no longer counted.
    pub(super) fn settle(&self, number: u64, reserved: u64, spent: u64) {
        let window = &mut *self.lock();
        if window.number == number {
            window.reserved = window.reserved.saturating_sub(reserved);
            window.spent = window.spent.saturating_add(spent);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        // Nothing that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// Begins the next period. Never an earlier one: what was restored may come from a clock that is ahead.
    fn roll(&mut self, number: u64) {
        if number > self.number {
            *self = Self { number, ..Self::default() };
        }
    }
}
