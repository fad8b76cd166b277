//! Entries: what a session's log is made of.
//!
//! Everything that a session is, is a fold over its entries; nothing is rewritten. An entry's body is tagged, so a reader
//! of an older version can say which kind it does not know instead of guessing.

mod codec;

pub use codec::{EntryError, FORMAT};

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::agent::Limits;
use crate::error::ErrorReport;
use crate::id::{CallId, RunId, Seq, SessionKey};
use crate::message::{Cost, Origin, Part, ToolStatus, Usage};
use crate::model::{OutputSpec, StopReason};
use crate::router::RouteDecision;
use crate::runtime::Timestamp;
use crate::store::Flush;
use crate::summary::Claim;
use crate::tool::{Effect, ToolSpec};

/// One thing that happened in a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its place in the log.
    pub seq: Seq,
    /// The version of the format that it was written in. Older ones are lifted when they are read.
    pub v: u16,
    /// When it was written.
    pub at: Timestamp,
    /// The run that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What happened.
    pub body: Body,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Body {
    /// The session was created.
    Created {
        /// Its key.
        key: SessionKey,
        /// Where it was forked from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forked_from: Option<ForkPoint>,
    },
    /// An agent was bound to it; again when the agent changed.
    Bound {
        /// The agent's name.
        agent: Arc<str>,
        /// Changes with anything that the model sees of the agent.
        digest: String,
        /// Its instructions.
        instructions: Arc<str>,
        /// Its tools.
        tools: Vec<ToolSpec>,
        /// Its model.
        model: String,
        /// Whose session it is, where the host said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Arc<str>>,
    },
    /// The host said something.
    Input {
        /// What.
        parts: Vec<Part>,
        /// How it meets a run that is going on.
        delivery: InputDelivery,
        /// The shape that the answer must have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<OutputSpec>,
        /// Limits of this run, instead of the agent's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limits: Option<Limits>,
    },
    /// The model answered.
    Assistant {
        /// The number of the model step.
        step: u64,
        /// What it said.
        parts: Vec<Part>,
        /// Why it stopped; `cancelled` marks a partial answer.
        stop: StopReason,
        /// What it took.
        usage: Usage,
        /// What it cost, where prices are known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Cost>,
        /// Where it came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
        /// Where the call went, and why: of a model that is a router.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<Arc<RouteDecision>>,
    },
    /// A model call failed.
    ModelFailed {
        /// The number of the model step.
        step: u64,
        /// Why.
        error: ErrorReport,
        /// What had been said by then. Not part of the conversation.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        partial: Vec<Part>,
        /// When it is tried again; never, if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
        /// Where the call went, and why: of a model that is a router.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<Arc<RouteDecision>>,
    },
    /// Tool calls are about to run. Written before they do.
    ToolStart {
        /// Which.
        calls: Vec<CallStart>,
    },
    /// A tool call ended, or will not be run.
    ToolEnd {
        /// Which.
        call: CallId,
        /// The attempt that ended; 0 if it never started.
        attempt: u32,
        /// How it ended.
        status: ToolStatus,
        /// What the model sees.
        content: Vec<Part>,
    },
    /// Somebody must decide something. Its number names it.
    Question {
        /// About what.
        about: About,
        /// When the default counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
        /// What counts then.
        default: Decision,
    },
    /// Somebody decided.
    Answer {
        /// Which question.
        question: Seq,
        /// Who; `deadline` when it expired.
        by: String,
        /// What.
        decision: Decision,
    },
    /// The library tells the model something.
    Notice {
        /// What.
        parts: Vec<Part>,
        /// Why.
        why: NoticeKind,
    },
    /// What the model should know is about to be gathered, before it is asked for the first time in the run.
    ContextStart {
        /// The number of the gathering step.
        step: u64,
    },
    /// What was gathered. The model sees it before the input that began the run.
    Context {
        /// The number of the gathering step.
        step: u64,
        /// What the model sees.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<Part>,
        /// What it shows, by names that its providers gave, so that they need not show it again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shows: Vec<Arc<str>>,
        /// Providers that failed: the run goes on without what they would have known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<ErrorReport>,
    },
    /// The run is to stop.
    Cancel {
        /// Why.
        reason: CancelReason,
    },
    /// Old parts of the conversation are about to be summarised.
    CompactStart {
        /// The number of the compaction step.
        step: u64,
    },
    /// A summary stands for all entries up to one. Nothing is removed.
    Compaction {
        /// The number of the compaction step.
        step: u64,
        /// The last entry that it stands for.
        upto: Seq,
        /// The summary, as the model reads it.
        summary: String,
        /// The summary, claim by claim, with the entries that each rests on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        claims: Vec<Claim>,
        /// What must survive as data: tasks, effects, decisions, touched resources, as [`Facts`](crate::summary::Facts).
        facts: Value,
        /// About how many tokens the conversation had.
        #[serde(default)]
        before: u64,
        /// About how many it has now.
        #[serde(default)]
        after: u64,
        /// What it took.
        usage: Usage,
        /// What it cost, where prices are known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Cost>,
    },
    /// A compaction failed.
    CompactFailed {
        /// The number of the compaction step.
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
    /// The conversation goes on from an earlier point; what came after it is no longer part of it.
    Rewind {
        /// The last entry that still counts.
        to: Seq,
    },
    /// A note on an entry.
    Label {
        /// Which.
        on: Seq,
        /// The note.
        text: String,
    },
    /// Something of the host.
    Custom {
        /// The host's name for its kind.
        kind: String,
        /// What it is.
        data: Value,
    },
    /// The run is over.
    RunEnd {
        /// How.
        end: RunEnd,
        /// What all its model calls took, compactions included.
        usage: Usage,
        /// What they cost, where prices are known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Cost>,
    },
}

/// The point where a session was forked from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForkPoint {
    /// The other session.
    pub key: SessionKey,
    /// The last entry that was taken over.
    pub upto: Seq,
}

/// How an input meets a run that is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputDelivery {
    /// It starts a run of its own; while another goes on, `send` waits in line like a follow-up.
    #[default]
    Start,
    /// It joins the run that is going on, before its next model call.
    Steer,
    /// It starts a run of its own when the one that is going on has ended.
    FollowUp,
}

/// One tool call that is about to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallStart {
    /// Which.
    pub call: CallId,
    /// From 1.
    pub attempt: u32,
    /// What running it twice would do.
    pub effect: Effect,
    /// The same for all attempts of the call.
    pub key: Arc<str>,
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum About {
    /// May this call run?
    Approval {
        /// The call.
        call: CallId,
        /// Of the arguments that were shown.
        args_digest: String,
    },
    /// This call was started and nobody knows how it ended. What now?
    Recovery {
        /// The call.
        call: CallId,
    },
}

impl About {
    /// Whether a decision answers this. To approve of a call is not to run it a second time: that must be said in so many
    /// words.
    #[must_use]
    pub fn takes(&self, decision: &Decision) -> bool {
        match self {
            Self::Approval { .. } => {
                matches!(decision, Decision::Approve | Decision::Deny { .. } | Decision::Give { .. })
            }
            Self::Recovery { .. } => {
                matches!(decision, Decision::Retry | Decision::Give { .. } | Decision::TellUnknown)
            }
        }
    }
}

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// The call may run.
    Approve,
    /// The call must not run.
    Deny {
        /// Why, for the model.
        reason: String,
    },
    /// Run the call again.
    Retry,
    /// This is the call's result.
    Give {
        /// What the model sees.
        content: Vec<Part>,
    },
    /// Tell the model that the outcome is unknown.
    TellUnknown,
}

/// Why the library tells the model something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoticeKind {
    /// Its answer does not have the wanted shape.
    OutputInvalid,
    /// Something of the host.
    Host,
}

/// Why a run is to stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CancelReason {
    /// The host wants it.
    Host {
        /// The host's words; may be empty.
        reason: String,
    },
    /// A limit is reached.
    Limit {
        /// Which.
        limit: LimitKind,
    },
    /// It cannot go on.
    Fatal {
        /// Why.
        error: ErrorReport,
    },
}

/// A limit of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitKind {
    /// Model calls.
    Steps,
    /// Time.
    Time,
    /// Tokens.
    Tokens,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEnd {
    /// With an answer.
    Done,
    /// The host cancelled it.
    Cancelled {
        /// The host's words; may be empty.
        reason: String,
    },
    /// At a limit.
    Limit {
        /// Which.
        limit: LimitKind,
    },
    /// With an error.
    Failed {
        /// Which.
        error: ErrorReport,
    },
}

impl Body {
    /// The name of the kind, as in the tag.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Bound { .. } => "bound",
            Self::Input { .. } => "input",
            Self::Assistant { .. } => "assistant",
            Self::ModelFailed { .. } => "model_failed",
            Self::ToolStart { .. } => "tool_start",
            Self::ToolEnd { .. } => "tool_end",
            Self::Question { .. } => "question",
            Self::Answer { .. } => "answer",
            Self::Notice { .. } => "notice",
            Self::Cancel { .. } => "cancel",
            Self::ContextStart { .. } => "context_start",
            Self::Context { .. } => "context",
            Self::CompactStart { .. } => "compact_start",
            Self::Compaction { .. } => "compaction",
            Self::CompactFailed { .. } => "compact_failed",
            Self::Rewind { .. } => "rewind",
            Self::Label { .. } => "label",
            Self::Custom { .. } => "custom",
            Self::RunEnd { .. } => "run_end",
        }
    }

    /// Whether it must be safe before anything else happens (guarantee G1). Starts of calls that only read may be lost:
    /// they are run again anyway.
    #[must_use]
    pub fn flush(&self) -> Flush {
        match self {
            Self::ToolStart { calls } if calls.iter().all(|call| call.effect == Effect::ReadOnly) => {
                Flush::Ordered
            }
            Self::Created { .. }
            | Self::Input { .. }
            | Self::ToolStart { .. }
            | Self::Question { .. }
            | Self::Answer { .. }
            | Self::Cancel { .. }
            | Self::Rewind { .. }
            | Self::RunEnd { .. } => Flush::Durable,
            _ => Flush::Ordered,
        }
    }
}
