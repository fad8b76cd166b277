//! What one call means to the budgets, and what is held of them while it runs.

use std::sync::Arc;

use super::account::{Account, Room};
use super::{Budget, Budgets, Ceiling, Reserve};
use crate::message::{Cost, Measure};
use crate::model::ModelRequest;
use crate::router::deployment::{ASSUMED_ANSWER, Deployment};
use crate::router::verdict::Verdict;
use crate::router::{Lacking, Needs, RouteHints, TokenEstimator};
use crate::runtime::Timestamp;

/// What one call means to the budgets.
#[derive(Debug)]
pub(in crate::router) struct Claim {
    budgets: Budgets,
    /// By the budget's place; none, where the call is not charged to it.
    accounts: Vec<Option<Arc<Account>>>,
    /// The most tokens that the prompt can be, where that is known without its media.
    prompt: Option<u64>,
    needs: Needs,
}

/// How much room there is in each budget, read once for all candidates of a pick.
pub(in crate::router) type Rooms = Vec<Option<Room>>;

impl Claim {
    pub(in crate::router) fn new(
        budgets: &Budgets,
        request: &ModelRequest,
        hints: &RouteHints,
        needs: &Needs,
        estimator: &dyn TokenEstimator,
        now: Timestamp,
    ) -> Self {
        let mut total = Measure::default();
        request.groups.iter().for_each(|group| total += *group.measure());
        Self {
            accounts: budgets.accounts(hints, now),
            prompt: estimator.most(request, &total),
            needs: *needs,
            budgets: budgets.clone(),
        }
    }

    pub(in crate::router) fn rooms(&self, now: Timestamp) -> Rooms {
        let room = |(index, account): (usize, &Option<Arc<Account>>)| {
            Some(account.as_ref()?.room(self.budgets.budget(index)?, now))
        };
        self.accounts.iter().enumerate().map(room).collect()
    }

    /// Why the budgets do not let a candidate be asked.
    pub(in crate::router) fn refuses(&self, deployment: &Deployment, rooms: &Rooms) -> Option<Verdict> {
        deployment.budgets.iter().find_map(|&budget| {
            let room = rooms.get(budget).copied().flatten()?;
            let of = self.budgets.budget(budget)?;
            let (ceiling, prompt, answer) = match self.most(of, deployment) {
                Ok(most) => most,
                Err(lacking) => return Some(Verdict::Unbounded { budget, lacking }),
            };
            if !ceiling.exceeds(prompt, answer, room.left) {
                return None;
            }
            let most = ceiling.cost(prompt, answer);
            if most.0 > room.unspent {
                let until = room.until.filter(|_| most <= of.limit);
                return Some(Verdict::Budget { budget, left: Cost(room.unspent), most, until });
            }
            Some(Verdict::Reserved { budget, left: Cost(room.left), most })
        })
    }

    /// The name of a budget.
    pub(in crate::router) fn name(&self, budget: usize) -> Arc<str> {
        self.budgets.budget(budget).map_or_else(|| "".into(), |budget| budget.name.clone())
    }

    /// Sets aside what a candidate may cost, in every budget that it is charged to, or nothing.
    pub(in crate::router) fn hold(&self, deployment: &Deployment, now: Timestamp) -> Option<Held> {
        let mut held =
            Held { parts: Vec::new(), prompt: self.prompt(deployment).unwrap_or(self.needs.prompt) };
        for &index in &deployment.budgets {
            let (Some(Some(account)), Some(budget)) = (self.accounts.get(index), self.budgets.budget(index))
            else {
                continue;
            };
            let most = self.most(budget, deployment);
            let amount = most.map(|(ceiling, prompt, answer)| ceiling.cost(prompt, answer)).ok();
            let reserved = amount.and_then(|amount| Some((account.reserve(budget, amount.0, now)?, amount)));
            match reserved {
                Some((period, amount)) => held.parts.push(Part { account: account.clone(), period, amount }),
                None => {
                    held.settle(Cost(0));
                    return None;
                }
            }
        }
        Some(held)
    }

    /// The most that a candidate can cost: at its dearest rates, and how many tokens.
    fn most<'a>(
        &self,
        budget: &Budget,
        deployment: &'a Deployment,
    ) -> Result<(&'a Ceiling, u64, u64), Lacking> {
        let ceiling = deployment.ceiling.as_ref().ok_or(Lacking::Price)?;
        let (prompt, answer) = match budget.reserve {
            Reserve::Expected => (self.needs.prompt, self.needs.answer.unwrap_or(ASSUMED_ANSWER)),
            Reserve::Most => (
                self.prompt(deployment).ok_or(Lacking::Prompt)?,
                self.needs.answer.or(deployment.longest_answer).ok_or(Lacking::Answer)?,
            ),
        };
        Ok((ceiling, prompt, answer))
    }

    /// The most tokens of prompt that a candidate can be sent: what does not fit its window is refused, and not billed.
    fn prompt(&self, deployment: &Deployment) -> Option<u64> {
        [self.prompt, deployment.longest_prompt].into_iter().flatten().min()
    }
}

/// What is set aside for a call that is going on.
#[derive(Debug, Default)]
pub(in crate::router) struct Held {
    parts: Vec<Part>,
    /// The most tokens of its prompt.
    prompt: u64,
}

#[derive(Debug)]
struct Part {
    account: Arc<Account>,
    period: u64,
    amount: Cost,
}

impl Held {
    /// It did cost this.
    pub(in crate::router) fn settle(&mut self, cost: Cost) {
        for part in self.parts.drain(..) {
            part.account.settle(part.period, part.amount.0, cost.0);
        }
    }

    /// Nobody knows what it did cost.
    pub(in crate::router) fn settle_as_reserved(&mut self) {
        for part in self.parts.drain(..) {
            part.account.settle(part.period, part.amount.0, part.amount.0);
        }
    }

    /// It did not end, after so many bytes of its answer were shown.
    pub(in crate::router) fn settle_cut(&mut self, ceiling: Option<&Ceiling>, shown: u64) {
        let cost = ceiling.map(|of| of.cost(self.prompt, shown));
        for part in self.parts.drain(..) {
            let cost = cost.map_or(part.amount, |cost| cost.min(part.amount));
            part.account.settle(part.period, part.amount.0, cost.0);
        }
    }
}
