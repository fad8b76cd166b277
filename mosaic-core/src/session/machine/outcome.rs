//! What the machine is told.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::agent::Limits;
use crate::error::ErrorReport;
use crate::id::{CallId, RunId, Seq};
use crate::message::{Cost, Origin, Part, ToolStatus, Usage};
use crate::model::{OutputSpec, StopReason};
use crate::router::RouteDecision;
use crate::session::entry::{CancelReason, Decision, InputDelivery};
use crate::summary::Claim;

/// A whole answer of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What it said; calls have unassigned ids.
    pub parts: Vec<Part>,
    /// Why it stopped.
    pub stop: StopReason,
    /// What it took.
    pub usage: Usage,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Where the call went, and why: of a model that is a router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Arc<RouteDecision>>,
}

/// What a compaction came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Compacted {
    /// The last entry that the summary stands for.
    pub upto: Seq,
    /// The summary, as the model reads it.
    pub summary: String,
    /// The summary, claim by claim, with the entries that each rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// What must survive as data: [`Facts`](crate::summary::Facts).
    #[serde(default)]
    pub facts: Value,
    /// About how many tokens the conversation had.
    #[serde(default)]
    pub before: u64,
    /// About how many it has now.
    #[serde(default)]
    pub after: u64,
    /// What it took.
    #[serde(default)]
    pub usage: Usage,
    /// What it cost, where prices are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// What the machine is told: a step ended, or somebody wants something, or time passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The host said something.
    Input {
        /// The run that it starts, if it starts one.
        run: RunId,
        /// What.
        parts: Vec<Part>,
        /// How it meets a run that is going on.
        delivery: InputDelivery,
        /// The shape that the answer must have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<OutputSpec>,
        /// Limits of the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limits: Option<Limits>,
    },
    /// A model step was answered.
    Reply {
        /// The step.
        step: u64,
        /// The answer.
        reply: Reply,
    },
    /// A model step failed.
    ModelFailed {
        /// The step.
        step: u64,
        /// Why.
        error: ErrorReport,
        /// What had been said by then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        partial: Vec<Part>,
        /// Where the call went, and why: of a model that is a router.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<Arc<RouteDecision>>,
    },
    /// A tool call ended.
    Tool {
        /// The call.
        call: CallId,
        /// The attempt that ended.
        attempt: u32,
        /// How.
        status: ToolStatus,
        /// What the model sees.
        content: Vec<Part>,
        /// The run cannot go on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fatal: Option<ErrorReport>,
    },
    /// Somebody answered a question.
    Answered {
        /// The question.
        question: Seq,
        /// Who.
        by: String,
        /// What.
        decision: Decision,
    },
    /// A gathering step ended.
    Gathered {
        /// The step.
        step: u64,
        /// What the model sees.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<Part>,
        /// What it shows.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shows: Vec<Arc<str>>,
        /// Providers that failed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<ErrorReport>,
    },
    /// A compaction step succeeded.
    Compacted {
        /// The step.
        step: u64,
        /// What came of it.
        compacted: Compacted,
    },
    /// A compaction step failed.
    CompactFailed {
        /// The step.
        step: u64,
        /// Why.
        error: ErrorReport,
        /// What was spent in vain.
        #[serde(default, skip_serializing_if = "Usage::is_zero")]
        usage: Usage,
        /// What that cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Cost>,
    },
    /// The run is to stop.
    Cancel {
        /// Why.
        reason: CancelReason,
        /// What the model had said by then; its call is over.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        partial: Vec<Part>,
    },
    /// Whoever drove the run is gone, and with it all that was going on.
    Recovered,
    /// Time passed.
    Tick {
        /// What the model has said by now, in case the run has to stop.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        partial: Vec<Part>,
    },
}
