//! What a call wishes of its route.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a call wishes of its route. Says nothing unless told to; a model that is no router ignores it.
///
/// ```
/// use mosaic_core::router::{RouteHints, TaskKind};
/// let hints = RouteHints::new().user("ada").tag("eu").not_tag("preview").task(TaskKind::Simple).max_attempts(3);
/// assert_eq!(hints.user.as_deref(), Some("ada"));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RouteHints {
    /// Calls of one session go to one candidate while it is well, so that the provider's prompt cache is hit. The driver
    /// sets the session's key where the host sets none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Arc<str>>,
    /// Who the call is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
    /// Tags that a candidate must or must not have.
    pub tags: TagWish,
    /// What must hold of where the data goes.
    pub data: DataDemand,
    /// The kind of task, where the host knows it: for scores of the host's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskKind>,
    /// At most so many attempts, over all candidates; never more than the router's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Asked first if it passes the filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefer: Option<Arc<str>>,
}

/// Tags that a candidate must or must not have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TagWish {
    /// At least one of these, if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<Arc<str>>,
    /// All of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<Arc<str>>,
    /// None of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<Arc<str>>,
}

/// What must hold of where the data goes. A candidate of which that is unknown does not pass.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DataDemand {
    /// In one of these regions, if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Arc<str>>,
    /// Kept for at most so many days; 0: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retention_days: Option<u32>,
}

/// A kind of task, for rules such as "simple turns go to small models".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskKind {
    /// Small talk, a short question, a short rewrite.
    Simple,
    /// Neither simple nor one of the others.
    General,
    /// Reads or writes code.
    Code,
    /// Wants thought: proofs, plans, comparisons.
    Reasoning,
    /// A kind of the host's.
    Other {
        /// Its name.
        name: Arc<str>,
    },
}

impl RouteHints {
    /// No wishes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls of one session go to one candidate.
    #[must_use]
    pub fn session(mut self, key: impl Into<Arc<str>>) -> Self {
        self.session = Some(key.into());
        self
    }

    /// Who the call is for.
    #[must_use]
    pub fn user(mut self, user: impl Into<Arc<str>>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Only candidates with this tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Arc<str>>) -> Self {
        self.tags.all.push(tag.into());
        self
    }

    /// Only candidates with at least one of these tags.
    #[must_use]
    pub fn any_tag<T: Into<Arc<str>>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.any.extend(tags.into_iter().map(Into::into));
        self
    }

    /// No candidate with this tag.
    #[must_use]
    pub fn not_tag(mut self, tag: impl Into<Arc<str>>) -> Self {
        self.tags.not.push(tag.into());
        self
    }

    /// Only candidates in this region, or in another that was named.
    #[must_use]
    pub fn region(mut self, region: impl Into<Arc<str>>) -> Self {
        self.data.regions.push(region.into());
        self
    }

    /// Only candidates that keep data for at most so many days.
    #[must_use]
    pub fn max_retention_days(mut self, days: u32) -> Self {
        self.data.max_retention_days = Some(days);
        self
    }

    /// The kind of task.
    #[must_use]
    pub fn task(mut self, task: TaskKind) -> Self {
        self.task = Some(task);
        self
    }

    /// At most so many attempts.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// Asked first if it passes the filters.
    #[must_use]
    pub fn prefer(mut self, candidate: impl Into<Arc<str>>) -> Self {
        self.prefer = Some(candidate.into());
        self
    }
}
