//! The transitions, as a table.
//!
//! Every decision of the machine takes one row. The tests check that the phases before and after and the kinds of the
//! entries are those of the row, and that every row is taken.

use super::state::Phase;
use Phase::{Cancelling, Compacting, Gathering, Idle, Thinking, Tools};

/// Which row of the table a decision took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// An input begins a run.
    InputStarts,
    /// An input joins a run, or waits in line.
    InputQueued,
    /// The model's last word.
    Final,
    /// A last word that more input made void.
    FinalSteered,
    /// A last word of the wrong shape.
    OutputInvalid,
    /// The model calls tools.
    Calls,
    /// The model calls tools, but all of them are rejected.
    CallsRejected,
    /// The model calls tools in an answer that was cut off.
    CallsCut,
    /// A model call failed and is tried again.
    ModelRetried,
    /// The prompt is too long.
    ModelOverflowed,
    /// A model call failed for good.
    ModelFailed,
    /// The context is over the threshold.
    OverThreshold,
    /// What the model should know was gathered, or could not be.
    Gathered,
    /// A summary was made.
    Compacted,
    /// A summary could not be made.
    CompactFailed,
    /// Summaries do not help.
    CompactBroken,
    /// A call ended; others are open.
    ToolEnded,
    /// The last open call ended.
    ToolsEnded,
    /// A call is approved, or to be run again.
    Approved,
    /// A call is not to be run, or its result is given; others are open.
    Denied,
    /// The same, and no other is open.
    DeniedLast,
    /// After a crash: calls go on.
    Recovered,
    /// After a crash: no call goes on.
    RecoveredLast,
    /// After a crash: what must follow from the log had not been written.
    RecoveredIdle,
    /// A limit, a cancel, or a failure that ends the run; something still runs.
    CancelBegins,
    /// The same, and nothing runs.
    CancelAtOnce,
    /// A call ended while the run stops; others still run.
    CancelGoesOn,
    /// The last one ended.
    CancelEnds,
    /// Nothing fits: an outcome of an unknown or old step, or one that came too late.
    Stale,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name.
    pub rule: Rule,
    /// Where the machine may stand before.
    pub from: &'static [Phase],
    /// What is reported, in words.
    pub on: &'static str,
    /// Where it may stand after. A run that ends makes room for the next input in line, so where `Idle` stands,
    /// `Gathering` or `Thinking` may follow.
    pub to: &'static [Phase],
    /// The kinds of entries that may be appended. `cancel` may follow wherever `Thinking` is entered: a limit was reached; and
    /// `context_start` or `compact_start` after `run_end`, where the next input in line begins.
    pub append: &'static [&'static str],
}

const BUSY: &[Phase] = &[Gathering, Thinking, Tools, Compacting, Cancelling];
const LIVE: &[Phase] = &[Gathering, Thinking, Tools, Compacting];

/// A limit may be met, and end the run, by whatever happens in it.
const ANY: &[&str] = &[
    "input",
    "assistant",
    "model_failed",
    "tool_start",
    "tool_end",
    "question",
    "answer",
    "notice",
    "compact_start",
    "context",
    "context_start",
    "compaction",
    "compact_failed",
    "cancel",
    "run_end",
];

macro_rules! table {
    ($($rule:ident | $from:expr, $on:literal => $to:expr, $append:expr;)*) => {
        /// Every transition.
        pub const TABLE: &[Row] = &[
            $(Row { rule: Rule::$rule, from: $from, on: $on, to: $to, append: $append },)*
        ];
    };
}

table! {
    InputStarts     | &[Idle], "input" => &[Gathering, Thinking], &["input", "context_start"];
    InputQueued     | BUSY, "input" => BUSY, &["input"];
    Final           | &[Thinking], "reply, final" => &[Idle], &["assistant", "run_end", "compact_start"];
    FinalSteered    | &[Thinking], "reply, final, but input came" => &[Thinking], &["assistant"];
    OutputInvalid   | &[Thinking], "output invalid, tries left" => &[Thinking], &["assistant", "notice"];
    Calls           | &[Thinking], "calls" => &[Tools], &["assistant", "tool_end", "tool_start", "question"];
    CallsRejected   | &[Thinking], "calls, all rejected" => &[Thinking], &["assistant", "tool_end"];
    CallsCut        | &[Thinking], "calls, cut by the length limit" => &[Thinking], &["assistant", "tool_end"];
    ModelRetried    | &[Thinking], "retryable failure" => &[Thinking], &["model_failed"];
    ModelOverflowed | &[Thinking], "context overflow" => &[Compacting], &["model_failed", "compact_start"];
    ModelFailed     | &[Thinking], "other failure" => &[Idle], &["model_failed", "run_end", "compact_start"];
    OverThreshold   | &[Idle, Gathering, Thinking, Tools, Compacting], "next model call is over the threshold"
        => &[Compacting], &["assistant", "notice", "tool_end", "answer", "input", "context", "compact_start"];
    Gathered        | &[Gathering], "context, or none" => &[Thinking], &["context"];
    Compacted       | &[Compacting], "summary" => &[Thinking], &["compaction"];
    CompactFailed   | &[Compacting], "no summary" => &[Thinking], &["compact_failed"];
    CompactBroken   | &[Compacting], "no summary, too often" => &[Idle], &["compact_failed", "run_end", "compact_start"];
    ToolEnded       | &[Tools], "one ended, others open" => &[Tools], &["tool_end", "tool_start"];
    ToolsEnded      | &[Tools], "last ended" => &[Thinking], &["tool_end"];
    Approved        | &[Tools], "approved, or to be run again"
        => &[Tools], &["answer", "tool_start", "tool_end", "question"];
    Denied          | &[Tools], "denied or given, others open"
        => &[Tools], &["answer", "tool_end", "tool_start", "question"];
    DeniedLast      | &[Tools], "denied or given, no other open" => &[Thinking], &["answer", "tool_end"];
    Recovered       | &[Tools], "the driver is gone, calls go on" => &[Tools], &["tool_start", "tool_end", "question"];
    RecoveredLast   | &[Tools], "the driver is gone, no call goes on" => &[Thinking, Compacting], &["tool_end", "compact_start"];
    RecoveredIdle   | &[Idle, Gathering, Thinking, Compacting, Tools], "the driver is gone"
        => &[Idle, Gathering, Thinking, Compacting, Tools], &["run_end", "notice", "context_start", "compact_start"];
    CancelBegins    | LIVE, "limit, cancel or fatal failure"
        => &[Cancelling], &["input", "assistant", "model_failed", "tool_start", "tool_end", "question", "answer", "cancel"];
    CancelAtOnce    | LIVE, "the same, and nothing runs"
        => &[Idle], ANY;
    CancelGoesOn    | &[Cancelling], "a step ended, others run" => &[Cancelling], &["tool_end"];
    CancelEnds      | &[Cancelling], "none left" => &[Idle], &["tool_end", "run_end", "compact_start"];
    Stale           | &[Idle, Gathering, Thinking, Tools, Compacting, Cancelling], "unknown or old step id, or nothing to do"
        => &[Idle, Gathering, Thinking, Tools, Compacting, Cancelling], &[];
}
