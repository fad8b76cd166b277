//! A candidate: one deployment of a model that a router may choose.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Capability, ChatModel, Price};

/// One deployment of a model that a router may choose: the model itself, and what the host says of it. Facts (window,
/// capabilities, price) come from the model's [`info`](ChatModel::info) unless they are given here.
///
/// ```
/// # use std::sync::Arc;
/// # use mosaic_core::{ChatModel, testing::ScriptedModel};
/// use mosaic_core::router::Candidate;
/// # let model: Arc<dyn ChatModel> = Arc::new(ScriptedModel::new([]));
/// let candidate = Candidate::new("east", model)
///     .priority(0)
///     .weight(3.0)
///     .tag("prod")
///     .region("us")
///     .requests_per_minute(600)
///     .max_parallel(40);
/// assert_eq!(candidate.id(), "east");
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Candidate {
    pub(super) id: Arc<str>,
    pub(super) model: Arc<dyn ChatModel>,
    pub(super) priority: u32,
    pub(super) weight: f64,
    pub(super) tags: Vec<Arc<str>>,
    pub(super) region: Option<Arc<str>>,
    pub(super) retention_days: Option<u32>,
    pub(super) limits: CandidateLimits,
    pub(super) price: Option<Price>,
    pub(super) capabilities: Option<BTreeSet<Capability>>,
    pub(super) window: Option<u64>,
}

/// How much a candidate takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CandidateLimits {
    pub(super) requests: Option<u64>,
    pub(super) tokens: Option<u64>,
    pub(super) parallel: Option<u32>,
}

impl Candidate {
    /// A candidate under a name that must be the same in every process that shares its health.
    pub fn new(id: impl Into<Arc<str>>, model: Arc<dyn ChatModel>) -> Self {
        Self {
            id: id.into(),
            model,
            priority: 0,
            weight: 1.0,
            tags: Vec::new(),
            region: None,
            retention_days: None,
            limits: CandidateLimits::default(),
            price: None,
            capabilities: None,
            window: None,
        }
    }

    /// Lower goes first: a candidate of a higher number is asked only when all of a lower one are out. 0 unless set.
    pub fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// Its share among candidates that are otherwise alike. 1 unless set.
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// A tag that calls may ask for and budgets may be about.
    pub fn tag(mut self, tag: impl Into<Arc<str>>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Where the data goes.
    pub fn region(mut self, region: impl Into<Arc<str>>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// How long the data is kept there; 0: not at all.
    pub fn retention_days(mut self, days: u32) -> Self {
        self.retention_days = Some(days);
        self
    }

    /// Takes so many requests a minute.
    pub fn requests_per_minute(mut self, requests: u64) -> Self {
        self.limits.requests = Some(requests);
        self
    }

    /// Takes so many tokens a minute, prompts and answers together.
    pub fn tokens_per_minute(mut self, tokens: u64) -> Self {
        self.limits.tokens = Some(tokens);
        self
    }

    /// Takes so many calls at the same time.
    pub fn max_parallel(mut self, calls: u32) -> Self {
        self.limits.parallel = Some(calls);
        self
    }

    /// What it costs here, in place of what the model's facts say: a discount, a reserved machine.
    pub fn price(mut self, price: Price) -> Self {
        self.price = Some(price);
        self
    }

    /// What it can do, all of it, in place of what the model's facts say. Vouches for a model of which nobody said what
    /// it can do, so that it can be fallen back to.
    pub fn capabilities(mut self, capabilities: impl IntoIterator<Item = Capability>) -> Self {
        self.capabilities = Some(capabilities.into_iter().collect());
        self
    }

    /// Its window, in place of what the model's facts say.
    pub fn window(mut self, tokens: u64) -> Self {
        self.window = Some(tokens);
        self
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its model.
    #[must_use]
    pub fn model(&self) -> &Arc<dyn ChatModel> {
        &self.model
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> &[Arc<str>] {
        &self.tags
    }

    /// What it costs, where that is known.
    #[must_use]
    pub fn known_price(&self) -> Option<&Price> {
        self.price.as_ref().or(self.model.info().price.as_ref())
    }

    /// Tokens of prompt and answer together, where that is known.
    #[must_use]
    pub fn known_window(&self) -> Option<u64> {
        self.window.or(self.model.info().window)
    }

    /// Whether it can do that; `None` where nobody said.
    #[must_use]
    pub fn can(&self, capability: Capability) -> Option<bool> {
        match &self.capabilities {
            Some(all) => Some(all.contains(&capability)),
            None => self.model.info().can(capability),
        }
    }
}
