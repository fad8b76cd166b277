//! Why a call went where it went.

mod text;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskKind;
use crate::error::ErrorKind;
use crate::message::{Cost, Usage};
use crate::model::Capability;
use crate::runtime::Timestamp;

/// Why a call went where it went: an event of the call's stream, kept in the session's log, and readable as text.
///
/// A router of a hundred candidates must not fill the log with a hundred reasons a call: a decision that was emitted
/// holds the first 16 of each list, and how many were left out. [`Router::explain`](super::Router::explain) holds all.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RouteDecision {
    /// The router.
    pub router: Arc<str>,
    /// The candidate that answers; none, where nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Arc<str>>,
    /// Who was not eligible at the last pick, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejected>,
    /// The scores of those among whom the last pick chose, best first; lower is better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Scored>,
    /// How many entries of the two lists above were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u32,
    /// Who was asked, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<RouteAttempt>,
    /// Milliseconds that the router waited for a cooldown, a limit or a backoff.
    #[serde(default, skip_serializing_if = "is_zero_ms")]
    pub waited_ms: u64,
    /// The kind of task, where somebody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskKind>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_zero_ms(number: &u64) -> bool {
    *number == 0
}

/// A candidate that was not eligible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// Which.
    pub candidate: Arc<str>,
    /// Why.
    pub why: Rejection,
}

/// Why a candidate was not eligible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rejection {
    /// It cannot do what the request needs.
    Lacks {
        /// What.
        capability: Capability,
    },
    /// Nobody said whether it can do what the request needs, and a router never falls back on a guess.
    Unsure {
        /// What.
        capability: Capability,
    },
    /// The prompt is too long for it.
    TooLong {
        /// Tokens that the request is estimated to need.
        tokens: u64,
        /// Tokens that it takes.
        window: u64,
    },
    /// It failed, and is left alone for a while.
    Cooling {
        /// Until then.
        until: Timestamp,
        /// Its last error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<ErrorKind>,
    },
    /// It failed, and a single call is finding out whether it is well again.
    Probing {
        /// The probe gives up by then.
        until: Timestamp,
    },
    /// Its requests of this minute are used up.
    Requests {
        /// Requests a minute.
        limit: u64,
        /// There is room again then.
        until: Timestamp,
    },
    /// Its tokens of this minute are used up, or the request needs more than a whole minute's.
    Tokens {
        /// Tokens a minute.
        limit: u64,
        /// There is room again then; never, for a request that is larger than the limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// It is answering as many calls as it may.
    Busy {
        /// How many.
        limit: u32,
    },
    /// It does not have the wanted tags, or has one that is not wanted.
    Tags,
    /// It is not, or not known to be, in a region that the call allows.
    Region {
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Arc<str>>,
    },
    /// It keeps data, or may keep data, for longer than the call allows.
    Retention {
        /// For how many days.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        days: Option<u32>,
    },
    /// A budget that it is charged to is used up.
    Budget {
        /// The budget's name.
        budget: Arc<str>,
        /// What is left of it.
        left: Cost,
        /// The most that the call can cost there.
        most: Cost,
        /// When the next period begins; never, where the call is dearer than a whole one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Calls that are going on may use up a budget that it is charged to.
    Reserved {
        /// The budget's name.
        budget: Arc<str>,
        /// What nobody has reserved of it.
        left: Cost,
        /// The most that the call can cost there.
        most: Cost,
    },
    /// It is charged to a budget, and nobody knows the most that the call can cost there.
    Unbounded {
        /// The budget's name.
        budget: Arc<str>,
        /// What is not known.
        lacking: Lacking,
    },
    /// It was asked in this call, as often as it may be.
    Asked,
    /// It is being asked, and a second one is looked for that may be quicker.
    Asking,
    /// The policy for the failure of this call does not fall back to it.
    NotAFallback,
}

impl Rejection {
    /// When time alone makes the candidate eligible again.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Cooling { until, .. } | Self::Probing { until } | Self::Requests { until, .. } => {
                Some(*until)
            }
            Self::Tokens { until, .. } | Self::Budget { until, .. } => *until,
            _ => None,
        }
    }
}

/// What must be known to say the most that a call can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lacking {
    /// What its tokens cost.
    Price,
    /// How long the prompt can be: it holds documents or sounds, and the window is not known.
    Prompt,
    /// How long the answer can be: neither the call nor the model says so, and the window is not known.
    Answer,
}

/// A score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scored {
    /// The candidate.
    pub candidate: Arc<str>,
    /// Lower is better.
    pub score: f64,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteAttempt {
    /// Who was asked.
    pub candidate: Arc<str>,
    /// When.
    pub started: Timestamp,
    /// When that was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it went.
    pub outcome: AttemptOutcome,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// It is going on.
    Running,
    /// It answered.
    Answered {
        /// What that took.
        usage: Usage,
    },
    /// It failed.
    Failed {
        /// How.
        kind: ErrorKind,
    },
    /// It was cancelled: another one, that was asked later, was quicker. What its provider bills for it nobody tells.
    Outrun,
}
