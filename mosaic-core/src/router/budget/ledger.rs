//! The ledger: who spent how much of which budget.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::account::{Account, Window};
use super::definition::Payer;
use super::{Budget, Period};
use crate::message::Cost;
use crate::router::{Candidate, RouteHints, RouterError};
use crate::runtime::Timestamp;

/// Budgets, and what was spent of them. Cheap to clone; clones are one ledger, which may serve many routers.
#[derive(Clone)]
pub struct Budgets(Arc<Inner>);

struct Inner {
    budgets: Vec<Budget>,
    /// One for each budget that all its payers share.
    shared: Vec<Arc<Account>>,
    /// By the budget's place and the user, for the others.
    users: Mutex<Users>,
    /// A call ended: there may be room now.
    freed: Arc<Notify>,
}

type Users = HashMap<(usize, Arc<str>), Arc<Account>>;

/// What was spent of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    /// The budget's name.
    pub budget: Arc<str>,
    /// Whose, for a budget that each user has; empty for calls that named nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
    /// Since when.
    pub since: Timestamp,
    /// What ended calls did cost.
    pub spent: Cost,
    /// What calls that are going on may still cost.
    #[serde(default)]
    pub reserved: Cost,
}

/// So many accounts of users are kept before those are looked for that are no longer needed.
const PRUNE_AT: usize = 1_024;

impl Budgets {
    /// A ledger in which nothing was spent.
    ///
    /// # Errors
    /// When two budgets have one name, or a period has no length.
    pub fn new(budgets: impl IntoIterator<Item = Budget>) -> Result<Self, RouterError> {
        let budgets: Vec<Budget> = budgets.into_iter().collect();
        let mut names = HashSet::new();
        for budget in &budgets {
            if !names.insert(&budget.name) {
                return Err(RouterError::DuplicateBudget { name: budget.name.clone() });
            }
            if let Period::Every(length) = budget.period
                && length.as_millis() == 0
            {
                return Err(RouterError::BudgetPeriod { name: budget.name.clone() });
            }
        }
        let shared = budgets.iter().map(|_| Arc::default()).collect();
        let freed = Arc::default();
        Ok(Self(Arc::new(Inner { budgets, shared, users: Mutex::default(), freed })))
    }

    /// What was spent in the periods that are going on, where anything was: for a host to show, and to keep.
    #[must_use]
    pub fn spent(&self, now: Timestamp) -> Vec<Spent> {
        let one = |(budget, user, account): (&Budget, Option<Arc<str>>, &Account)| {
            let Window { number, spent, reserved } = account.window(budget, now);
            (spent > 0 || reserved > 0).then(|| Spent {
                budget: budget.name.clone(),
                user,
                since: budget.period.start(number),
                spent: Cost(spent),
                reserved: Cost(reserved),
            })
        };
        let inner = &*self.0;
        let shared = inner.budgets.iter().zip(&inner.shared).map(|(budget, of)| (budget, None, &**of));
        let mut all: Vec<Spent> = shared.filter_map(one).collect();
        let users = self.users();
        let each = users.iter().filter_map(|((index, user), account)| {
            Some((inner.budgets.get(*index)?, Some(user.clone()), &**account))
        });
        let start = all.len();
        all.extend(each.filter_map(one));
        drop(users);
        if let Some(each) = all.get_mut(start..) {
            each.sort_by(|one, other| (&one.budget, &one.user).cmp(&(&other.budget, &other.user)));
        }
        all
    }

    /// Adds what an earlier process spent, what it had reserved included: its calls may have been billed. What belongs to
    /// a budget that is no longer there, or to a period that is over, is left out.
    pub fn restore(&self, spent: impl IntoIterator<Item = Spent>) {
        for one in spent {
            let mut named = self.0.budgets.iter().enumerate();
            let Some((index, budget)) = named.find(|(_, budget)| budget.name == one.budget) else { continue };
            let account = match (&budget.payer, &one.user) {
                (Payer::Each, user) => Some(self.of_user(index, user.as_ref(), one.since)),
                (_, None) => self.0.shared.get(index).cloned(),
                (_, Some(_)) => None,
            };
            if let Some(account) = account {
                let total = one.spent.0.saturating_add(one.reserved.0);
                account.add(budget.period.number(one.since), Cost(total));
            }
        }
    }

    pub(super) fn budget(&self, index: usize) -> Option<&Budget> {
        self.0.budgets.get(index)
    }

    /// The places of those that a candidate is charged to.
    pub(in crate::router) fn concerning(&self, candidate: &Candidate) -> Vec<usize> {
        let budgets = self.0.budgets.iter().enumerate();
        budgets.filter(|(_, budget)| budget.concerns(candidate)).map(|(index, _)| index).collect()
    }

    pub(in crate::router) fn freed(&self) -> Arc<Notify> {
        self.0.freed.clone()
    }

    /// The account of each budget that a call is charged to.
    pub(super) fn accounts(&self, hints: &RouteHints, now: Timestamp) -> Vec<Option<Arc<Account>>> {
        let account = |(index, budget): (usize, &Budget)| match &budget.payer {
            Payer::All => self.0.shared.get(index).cloned(),
            Payer::One(user) if hints.user.as_ref() == Some(user) => self.0.shared.get(index).cloned(),
            Payer::One(_) => None,
            Payer::Each => Some(self.of_user(index, hints.user.as_ref(), now)),
        };
        self.0.budgets.iter().enumerate().map(account).collect()
    }

    #[cfg(test)]
    pub(super) fn accounts_of_users(&self) -> usize {
        self.users().len()
    }

    fn of_user(&self, index: usize, user: Option<&Arc<str>>, now: Timestamp) -> Arc<Account> {
        let mut users = self.users();
        // A service of many users must not keep those of last year.
        if users.len() >= PRUNE_AT && users.len() == users.capacity() {
            users.retain(|(index, _), account| {
                let window = self.budget(*index).map(|budget| account.window(budget, now));
                Arc::strong_count(account) > 1 || window.is_some_and(|window| window.spent > 0)
            });
        }
        let user = user.cloned().unwrap_or_else(|| Arc::from(""));
        users.entry((index, user)).or_default().clone()
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.0.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Budgets").field(&self.0.budgets).finish()
    }
}
