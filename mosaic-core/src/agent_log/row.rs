//! One thing that an agent did.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{ErrorKind, ErrorReport};
use crate::id::{CallId, RunId, Seq};
use crate::memory::Scope;
use crate::message::{Cost, ToolStatus, Usage};
use crate::runtime::Timestamp;

/// Which row. Derived from the log, so that recording a run again gives the same ids; and a UUIDv7 of the row's time, so that
/// ids sort by time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct LogRowId(#[schemars(with = "String")] pub Uuid);

impl LogRowId {
    /// The id of the row at `place` (from 0) of those that an entry gives.
    #[must_use]
    pub fn derive(at: Timestamp, scope: &Scope, run: RunId, seq: Seq, place: u32) -> Self {
        // FNV-1a over 128 bits (Fowler, Noll, Vo), of parts that cannot run into one another.
        let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
        let mut take = |bytes: &[u8]| {
            let length = (bytes.len() as u64).to_le_bytes();
            for byte in length.iter().chain(bytes) {
                hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
            }
        };
        take(scope.tenant.as_bytes());
        take(scope.session.as_deref().unwrap_or_default().as_bytes());
        take(run.0.as_bytes());
        take(&seq.0.to_le_bytes());
        take(&place.to_le_bytes());
        let mut tail = [0; 10];
        // The low bytes of a product are mixed least by what came last; the folded halves are mixed alike.
        let folded = (hash ^ (hash >> 61)).to_be_bytes();
        for (to, from) in tail.iter_mut().zip(folded.iter().skip(6)) {
            *to = *from;
        }
        Self(uuid::Builder::from_unix_timestamp_millis(at.0, &tail).into_uuid())
    }

    /// The time of the row.
    #[must_use]
    pub fn at(self) -> Timestamp {
        Timestamp(u64::try_from(self.0.as_u128() >> 80).unwrap_or_default())
    }

    /// Before every row of a time, after every row of an earlier one.
    #[must_use]
    pub fn first_at(at: Timestamp) -> Self {
        // The version and the variant stand among the low bits; without them it is less than any derived id.
        Self(Uuid::from_u128(u128::from(at.0.min((1 << 48) - 1)) << 80))
    }
}

impl fmt::Display for LogRowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a row tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogKind {
    /// A run, from its input to its end. Its tokens and its cost are the sums of its model calls and compactions.
    Run,
    /// A model call.
    Model,
    /// A candidate that a router asked in vain within a model call: it failed, or another was quicker.
    Attempt,
    /// An attempt of a tool call.
    Tool,
    /// A question to a human, until it was answered or expired.
    Question,
    /// A compaction.
    Compaction,
}

impl LogKind {
    /// Every kind.
    pub const ALL: &'static [LogKind] =
        &[Self::Run, Self::Model, Self::Attempt, Self::Tool, Self::Question, Self::Compaction];

    /// The name, as in JSON and in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Model => "model",
            Self::Attempt => "attempt",
            Self::Tool => "tool",
            Self::Question => "question",
            Self::Compaction => "compaction",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for LogKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogStatus {
    /// Well.
    Ok,
    /// With an error.
    Error,
    /// It was cancelled; of a model call, its answer was cut short.
    Cancelled,
    /// At a limit of the run.
    Limit,
    /// It took too long; of a question, its default counted.
    TimedOut,
    /// It never began: an unknown tool, or arguments that do not fit.
    Rejected,
    /// A human said no.
    Denied,
    /// It never began: the answer was cut off, or the run ended.
    NotRun,
    /// Nobody knows: the process died, or the host did not let go.
    Unknown,
    /// Another candidate was quicker.
    Outrun,
}

impl LogStatus {
    /// Every status.
    pub const ALL: &'static [LogStatus] = &[
        Self::Ok,
        Self::Error,
        Self::Cancelled,
        Self::Limit,
        Self::TimedOut,
        Self::Rejected,
        Self::Denied,
        Self::NotRun,
        Self::Unknown,
        Self::Outrun,
    ];

    /// The name, as in JSON and in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Limit => "limit",
            Self::TimedOut => "timed_out",
            Self::Rejected => "rejected",
            Self::Denied => "denied",
            Self::NotRun => "not_run",
            Self::Unknown => "unknown",
            Self::Outrun => "outrun",
        }
    }

    /// The status of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == name)
    }

    /// Whether something went wrong: not what a human or the host wanted so, and not a race that was lost.
    #[must_use]
    pub fn is_error(self) -> bool {
        matches!(self, Self::Error | Self::Limit | Self::TimedOut | Self::Rejected | Self::Unknown)
    }
}

impl fmt::Display for LogStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ToolStatus> for LogStatus {
    fn from(status: ToolStatus) -> Self {
        match status {
            ToolStatus::Ok => Self::Ok,
            ToolStatus::Error => Self::Error,
            ToolStatus::Rejected => Self::Rejected,
            ToolStatus::Denied => Self::Denied,
            ToolStatus::NotRun => Self::NotRun,
            ToolStatus::TimedOut => Self::TimedOut,
            ToolStatus::Cancelled => Self::Cancelled,
            ToolStatus::Unknown => Self::Unknown,
        }
    }
}

/// An error of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogError {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// The message of the report. Empty where there is no report: what a tool says is what the model sees, and no row holds that.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub message: Arc<str>,
}

/// Bytes that the message of an error may have in a row; what is more is cut off.
pub const MAX_ERROR: usize = 2_000;

impl LogError {
    /// An error without a message.
    #[must_use]
    pub fn of(kind: ErrorKind) -> Self {
        Self { kind, message: "".into() }
    }
}

impl From<&ErrorReport> for LogError {
    fn from(report: &ErrorReport) -> Self {
        let message = &report.message;
        let cut =
            (0..=MAX_ERROR).rev().find_map(|end| message.get(..end.min(message.len()))).unwrap_or_default();
        Self { kind: report.kind, message: cut.into() }
    }
}

/// One thing that an agent did: a run, a model call, a tool call ...
///
/// Holds figures and names, and nothing that was said: no message, no arguments, no results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogRow {
    /// Which.
    pub id: LogRowId,
    /// Whose: the tenant, the user where the host said so, the agent and the session.
    #[serde(flatten)]
    pub scope: Scope,
    /// The run.
    pub run: RunId,
    /// The entry that ended it.
    pub seq: Seq,
    /// What it is.
    pub kind: LogKind,
    /// When it began. Of model calls without a router, when they could begin: the driver writes no entry for that.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub duration_ms: u64,
    /// The provider of the model, as the host's configuration names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Arc<str>>,
    /// The model, the tool, the router's candidate, or what the question was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// How it ended.
    pub status: LogStatus,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<LogError>,
    /// Tokens.
    #[serde(default, skip_serializing_if = "is_none")]
    pub usage: Usage,
    /// What it cost, where prices are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Which attempt of a tool call; 0 where it never started, and of everything else.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
}

impl LogRow {
    /// About how many bytes it takes in a store.
    #[must_use]
    pub fn weight(&self) -> u64 {
        let scope = [Some(&self.scope.tenant), self.scope.user.as_ref(), self.scope.agent.as_ref()];
        let rest = [self.scope.session.as_ref(), self.provider.as_ref(), self.name.as_ref()];
        let texts = scope.into_iter().chain(rest).flatten().map(|text| text.len());
        let error = self.error.as_ref().map_or(0, |error| error.message.len());
        // Two ids of 16 bytes, some figures, the row's place in four indexes.
        160 + (texts.sum::<usize>() + error) as u64
    }
}

fn is_none(usage: &Usage) -> bool {
    *usage == Usage::default()
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde gives a reference
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A day of UTC, counted from 1970-01-01.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Day(pub u32);

impl Day {
    const MS: u64 = 86_400_000;

    /// The day of a time.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(u32::try_from(at.0 / Self::MS).unwrap_or(u32::MAX))
    }

    /// When it begins.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp(u64::from(self.0) * Self::MS)
    }

    /// When the next one begins.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Timestamp((u64::from(self.0) + 1) * Self::MS)
    }
}

/// As `2026-11-26`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = crate::memory::civil(self.start());
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}
