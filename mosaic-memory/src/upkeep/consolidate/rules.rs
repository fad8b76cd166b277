//! What is to be consolidated, and by which rules.

use std::time::Duration;

use mosaic_core::memory::{MemoryKind, Scope};
use mosaic_core::queue::{NewJob, Schedule};
use serde::{Deserialize, Serialize};

use crate::upkeep::Decay;
use crate::upkeep::step::key;

/// The kind of the job.
pub const CONSOLIDATE: &str = "memory.consolidate";

/// What fades, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsolidationRules {
    /// How memories fade.
    pub decay: Decay,
    /// Which do: insights. Preferences hold until they change, and episodes are what happened; a host may think otherwise.
    pub fading: Vec<MemoryKind>,
    /// What is weaker than this is closed: no longer believed, and still there for questions about the past. 0.05; `None`
    /// closes nothing.
    pub forget_below: Option<f64>,
    /// What was closed so many milliseconds ago is removed. `None`, which is the default, removes nothing.
    pub remove_after_ms: Option<u64>,
}

impl Default for ConsolidationRules {
    fn default() -> Self {
        Self {
            decay: Decay::default(),
            fading: vec![MemoryKind::Insight],
            forget_below: Some(0.05),
            remove_after_ms: None,
        }
    }
}

/// What is to be consolidated: the payload of the job. A scope holds those in it: for all users of a tenant name the tenant,
/// though a job a user is kinder to everybody else.
///
/// ```
/// use std::time::Duration;
/// use mosaic_core::memory::Scope;
/// use mosaic_memory::upkeep::Consolidation;
///
/// const DAY: Duration = Duration::from_secs(24 * 3600);
/// let ann = Consolidation::new(Scope::of("acme").user("ann")).remove_after(365 * DAY);
/// let once = ann.job();
/// let daily = ann.every(DAY); // for `Queue::schedule`
/// assert_eq!((&*once.kind, &daily.job.payload), ("memory.consolidate", &once.payload));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consolidation {
    /// Whose memories.
    pub scope: Scope,
    /// By which rules.
    #[serde(default)]
    pub rules: ConsolidationRules,
}

impl Consolidation {
    /// By the usual rules, which remove nothing.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self { scope, rules: ConsolidationRules::default() }
    }

    /// With another way to fade.
    #[must_use]
    pub fn decay(mut self, decay: Decay) -> Self {
        self.rules.decay = decay;
        self
    }

    /// With another threshold; `None` lets nothing be forgotten.
    #[must_use]
    pub fn forget_below(mut self, strength: Option<f64>) -> Self {
        self.rules.forget_below = strength;
        self
    }

    /// Removes what was closed so long ago, for whatever reason. Copies in the database's file may stay until the next `erase`.
    #[must_use]
    pub fn remove_after(mut self, closed_for: Duration) -> Self {
        self.rules.remove_after_ms = Some(u64::try_from(closed_for.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// The job, once. One for a scope waits or runs at a time.
    #[must_use]
    pub fn job(&self) -> NewJob {
        let payload = serde_json::to_value(self).unwrap_or_default();
        NewJob::new(CONSOLIDATE, payload)
            .tenant(self.scope.tenant.clone())
            .dedup(key(&self.scope, ""))
            .max_attempts(20)
            .timeout(Duration::from_secs(6 * 3600))
    }

    /// The job, again and again. For other times: `Schedule::cron(name, "0 3 * * *", consolidation.job())`.
    #[must_use]
    pub fn every(&self, step: Duration) -> Schedule {
        Schedule::every(format!("{CONSOLIDATE}/{}", key(&self.scope, "")), step, self.job())
    }
}
