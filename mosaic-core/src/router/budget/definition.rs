//! What a budget is about.

use std::sync::Arc;

use super::Period;
use crate::message::Cost;
use crate::router::Candidate;

/// Money that may be spent, on what, by whom and in which time. Everything unless narrowed down; see the
/// [module](super) for what is charged when.
///
/// ```
/// use mosaic_core::Cost;
/// use mosaic_core::router::{Budget, Period};
/// let budget = Budget::new("trial", Cost::cents(10)).per(Period::Day).of_provider("acme").each_user();
/// assert_eq!(budget.name(), "trial");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Budget {
    pub(super) name: Arc<str>,
    pub(super) limit: Cost,
    pub(super) period: Period,
    pub(super) reserve: Reserve,
    pub(super) payer: Payer,
    candidate: Option<Arc<str>>,
    model: Option<Arc<str>>,
    provider: Option<Arc<str>>,
    tag: Option<Arc<str>>,
}

/// Whose calls count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payer {
    All,
    One(Arc<str>),
    Each,
}

/// What is set aside for a call before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reserve {
    /// The most that it can cost: a token for each byte of the prompt, the longest answer that it or its model allows, at the
    /// dearest rates. The budget is never overshot; near its end, calls are refused that would have fitted.
    #[default]
    Most,
    /// What it is expected to cost. Calls that run at once can overshoot the budget by what the estimates are wrong by.
    Expected,
}

impl Budget {
    /// So much, for everything, once and for all. Its name stands in decisions and errors.
    pub fn new(name: impl Into<Arc<str>>, limit: Cost) -> Self {
        Self {
            name: name.into(),
            limit,
            period: Period::Ever,
            reserve: Reserve::Most,
            payer: Payer::All,
            candidate: None,
            model: None,
            provider: None,
            tag: None,
        }
    }

    /// So much each day, month or other time.
    pub fn per(mut self, period: Period) -> Self {
        self.period = period;
        self
    }

    /// Only what this candidate costs.
    pub fn of_candidate(mut self, id: impl Into<Arc<str>>) -> Self {
        self.candidate = Some(id.into());
        self
    }

    /// Only what this model costs, by the name in [`ModelInfo::model`](crate::ModelInfo::model).
    pub fn of_model(mut self, model: impl Into<Arc<str>>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Only what this provider's models cost, by the name in [`ModelInfo::provider`](crate::ModelInfo::provider).
    pub fn of_provider(mut self, provider: impl Into<Arc<str>>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Only what candidates with this tag cost.
    pub fn of_tag(mut self, tag: impl Into<Arc<str>>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Only calls for this user; see [`RouteHints::user`](crate::router::RouteHints::user).
    pub fn of_user(mut self, user: impl Into<Arc<str>>) -> Self {
        self.payer = Payer::One(user.into());
        self
    }

    /// So much for each user by itself. Calls that name no user share one budget.
    pub fn each_user(mut self) -> Self {
        self.payer = Payer::Each;
        self
    }

    /// What is set aside for a call.
    pub fn reserving(mut self, reserve: Reserve) -> Self {
        self.reserve = reserve;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much may be spent.
    #[must_use]
    pub fn limit(&self) -> Cost {
        self.limit
    }

    /// Whether what this candidate costs is charged to it.
    pub(super) fn concerns(&self, candidate: &Candidate) -> bool {
        let info = candidate.model().info();
        let all = |wanted: &Option<Arc<str>>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        all(&self.candidate, candidate.id())
            && all(&self.model, &info.model)
            && all(&self.provider, &info.provider)
            && self.tag.as_ref().is_none_or(|tag| candidate.tags().contains(tag))
    }
}
