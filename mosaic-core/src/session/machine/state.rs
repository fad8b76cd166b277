//! What the machine remembers, and what it wants done.

use std::collections::VecDeque;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::Limits;
use crate::error::ErrorReport;
use crate::id::{CallId, RunId, Seq, StepId};
use crate::message::{Cost, ToolCall, Usage};
use crate::model::OutputSpec;
use crate::runtime::Timestamp;
use crate::session::entry::{About, CancelReason, Decision};
use crate::tool::Effect;

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No run.
    Idle,
    /// What the model should know is being gathered.
    Gathering,
    /// The model is, or is to be, asked.
    Thinking,
    /// Calls of the last answer are open.
    Tools,
    /// The conversation is being summarised.
    Compacting,
    /// The run is to stop and waits for what still runs.
    Cancelling,
}

/// Something that should be going on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The model should be asked.
    CallModel {
        /// The number of the model step.
        number: u64,
    },
    /// A tool should run.
    RunTool {
        /// The call as the model wrote it.
        call: Arc<ToolCall>,
        /// From 1.
        attempt: u32,
        /// The same for all attempts of the call.
        key: Arc<str>,
    },
    /// What the model should know should be gathered.
    Gather {
        /// The number of the gathering step.
        number: u64,
    },
    /// The conversation should be summarised.
    Compact {
        /// The number of the compaction step.
        number: u64,
    },
    /// Nothing, until then.
    Wait {
        /// The entry that asked for it.
        after: Seq,
        /// Until when.
        until: Timestamp,
    },
    /// An answer is awaited.
    Ask {
        /// The question.
        question: Seq,
        /// The call that it is about.
        call: CallId,
    },
}

impl Step {
    /// The step's id.
    #[must_use]
    pub fn id(&self) -> StepId {
        match self {
            Self::CallModel { number } => StepId::Model { number: *number },
            Self::RunTool { call, attempt, .. } => StepId::Tool { call: call.id.clone(), attempt: *attempt },
            Self::Gather { number } => StepId::Gather { number: *number },
            Self::Compact { number } => StepId::Compact { number: *number },
            Self::Wait { after, .. } => StepId::Wait { after: *after },
            Self::Ask { question, .. } => StepId::Ask { question: *question },
        }
    }
}

/// Whether anything is gathered for the model before a run's first call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gathers {
    /// Nothing: the model sees the conversation.
    #[default]
    Nothing,
    /// What the agent's [providers](crate::context::ContextProvider) know.
    Context,
}

impl Gathers {
    /// Whether an agent has anybody to ask.
    #[must_use]
    pub fn of(agent: &crate::agent::Agent) -> Self {
        if agent.contexts().is_empty() { Self::Nothing } else { Self::Context }
    }
}

/// When a conversation is summarised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CompactionPolicy {
    /// Never.
    #[default]
    Never,
    /// At a threshold, and when the model says that the prompt is too long.
    At {
        /// Tokens of the conversation: of the last prompt and answer together, and of what came since.
        threshold: u64,
        /// After so many compactions without an answer in between, the run fails instead.
        max_tries: u32,
    },
}

impl CompactionPolicy {
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so
    pub(crate) fn is_never(&self) -> bool {
        *self == Self::Never
    }
}

/// What happens to an [`Effect::Once`] call that was started and of which nobody knows how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecoveryPolicy {
    /// The model is told that the outcome is unknown.
    #[default]
    TellModel,
    /// A human is asked: run it again, give the result, or tell the model.
    Ask,
}

/// What a session does next: a fold over its entries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Machine {
    pub(super) last: Seq,
    /// Model steps that have ended, all runs together.
    pub(super) models: u64,
    /// Compaction steps that have ended.
    pub(super) compactions: u64,
    /// Tokens of the conversation: of the last prompt and its answer, as far as they were reported, and an estimate of what
    /// came since.
    pub(super) context: u64,
    /// What the conversation must have grown to before it is compacted by the threshold again.
    pub(super) floor: u64,
    /// Gathering steps that have ended.
    pub(super) contexts: u64,
    pub(super) run: Option<Box<Run>>,
    pub(super) queue: VecDeque<Queued>,
}

/// An input that waits in line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Queued {
    pub(super) run: RunId,
    pub(super) input: Seq,
    pub(super) output: Option<Arc<OutputSpec>>,
    pub(super) limits: Option<Limits>,
}

/// The run that is going on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) id: RunId,
    /// The input that began it.
    pub(super) input: Seq,
    pub(super) started: Timestamp,
    pub(super) phase: Phase,
    /// Whether what the model should know was, or is being, gathered.
    pub(super) gathered: bool,
    pub(super) limits: Option<Limits>,
    pub(super) output: Option<Arc<OutputSpec>>,
    /// Model steps of this run that were answered.
    pub(super) steps: u32,
    /// Failures in a row of the model step that is due.
    pub(super) attempts: u32,
    pub(super) retry_at: Option<(Seq, Timestamp)>,
    /// The model step failed for good.
    pub(super) failed: Option<ErrorReport>,
    /// Answers of the wrong shape so far.
    pub(super) output_tries: u32,
    pub(super) usage: Usage,
    pub(super) cost: Option<Cost>,
    /// Compactions since the last answer.
    pub(super) compact_tries: u32,
    /// Input came while the model was being asked, so its answer is not the last word.
    pub(super) steered: bool,
    /// The model gave its last word: the text of it.
    pub(super) concluded: Option<Concluded>,
    pub(super) calls: Vec<Call>,
    /// The answer that made the calls was cut off: they must not run.
    pub(super) cut: bool,
    pub(super) cancel: Option<CancelReason>,
}

/// The model's last word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Concluded {
    pub(super) text: String,
    pub(super) filtered: bool,
}

/// An open call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) call: Arc<ToolCall>,
    pub(super) state: CallState,
    /// Attempts that were started.
    pub(super) attempt: u32,
    /// As recorded at the last start.
    pub(super) effect: Option<Effect>,
    pub(super) decision: Option<Decision>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum CallState {
    Ready,
    Asked { question: Seq, about: About, expires: Option<Timestamp>, default: Decision },
    Running { key: Arc<str> },
    Done,
}

impl Call {
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, CallState::Running { .. })
    }

    pub(super) fn is_open(&self) -> bool {
        self.state != CallState::Done
    }
}

impl Machine {
    /// Where the session stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.run.as_ref().map_or(Phase::Idle, |run| run.phase)
    }

    /// The last entry that was applied.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.last
    }

    /// The run that is going on.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        self.run.as_ref().map(|run| run.id)
    }

    /// The input that began the run that is going on.
    #[must_use]
    pub fn input(&self) -> Option<Seq> {
        self.run.as_ref().map(|run| run.input)
    }

    /// The input that began a run: the one that goes on, or one that waits in line.
    #[must_use]
    pub fn input_of(&self, id: RunId) -> Option<Seq> {
        let waiting = || self.queue.iter().find(|queued| queued.run == id).map(|queued| queued.input);
        self.run.as_ref().filter(|run| run.id == id).map(|run| run.input).or_else(waiting)
    }

    /// The shape that the answer of the run must have.
    #[must_use]
    pub fn output(&self) -> Option<&Arc<OutputSpec>> {
        self.run.as_ref()?.output.as_ref()
    }

    /// Limits of the run, where the host set others than the agent's.
    #[must_use]
    pub fn limits(&self) -> Option<&Limits> {
        self.run.as_ref()?.limits.as_ref()
    }

    /// The how-manieth compaction since the last answer it is that goes on.
    #[must_use]
    pub fn compact_tries(&self) -> u32 {
        self.run.as_ref().map_or(0, |run| run.compact_tries)
    }

    /// The model step that is due or going on.
    #[must_use]
    pub fn next_model(&self) -> u64 {
        self.models.saturating_add(1)
    }

    /// What should be going on. In [`Phase::Cancelling`] nothing should.
    #[must_use]
    pub fn steps(&self, now: Timestamp) -> Vec<Step> {
        let Some(run) = &self.run else { return Vec::new() };
        match run.phase {
            Phase::Thinking => vec![match run.retry_at {
                Some((after, until)) if until > now => Step::Wait { after, until },
                _ => Step::CallModel { number: self.next_model() },
            }],
            Phase::Gathering => vec![Step::Gather { number: self.contexts.saturating_add(1) }],
            Phase::Compacting => vec![Step::Compact { number: self.compactions.saturating_add(1) }],
            Phase::Tools => run.calls.iter().filter_map(Call::step).collect(),
            Phase::Idle | Phase::Cancelling => Vec::new(),
        }
    }

    /// The calls that were started and have not ended.
    #[must_use]
    pub fn running(&self) -> Vec<StepId> {
        let calls = self.run.iter().flat_map(|run| &run.calls).filter(|call| call.is_running());
        calls.map(|call| StepId::Tool { call: call.call.id.clone(), attempt: call.attempt }).collect()
    }

    /// Whether the run waits for nothing but answers to questions.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        self.run.as_ref().is_some_and(|run| {
            run.phase == Phase::Tools
                && run
                    .calls
                    .iter()
                    .all(|call| matches!(call.state, CallState::Asked { .. } | CallState::Done))
        })
    }

    /// When time alone changes something: a retry, a deadline. `since` is as in [`Env`](super::Env). The driver then reports
    /// [`Outcome::Tick`](super::Outcome). A retry that is due already is a step, and nothing to wake for.
    #[must_use]
    pub fn wake_at(&self, limits: &Limits, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let run = self.run.as_ref()?;
        if run.phase == Phase::Cancelling {
            return None;
        }
        let retry = run.retry_at.map(|(_, at)| at).filter(|at| *at > now);
        let deadline = run.started.max(since).after(run.limits.as_ref().unwrap_or(limits).run_timeout);
        let questions = run.calls.iter().filter_map(|call| match &call.state {
            CallState::Asked { expires, .. } => *expires,
            _ => None,
        });
        questions.chain(retry).chain([deadline]).min()
    }
}

impl Call {
    fn step(&self) -> Option<Step> {
        match &self.state {
            CallState::Running { key } => {
                Some(Step::RunTool { call: self.call.clone(), attempt: self.attempt, key: key.clone() })
            }
            CallState::Asked { question, .. } => {
                Some(Step::Ask { question: *question, call: self.call.id.clone() })
            }
            CallState::Ready | CallState::Done => None,
        }
    }
}
