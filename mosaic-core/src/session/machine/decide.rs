//! `decide`: from an outcome to entries.

use super::fold::run_of;
use super::outcome::{Compacted, Outcome, Reply};
use super::state::{CallState, CompactionPolicy, Gathers, Machine, Phase, RecoveryPolicy};
use super::table::Rule;
use crate::agent::{Limits, backoff};
use crate::error::{ErrorKind, ErrorReport};
use crate::id::{CallId, RunId};
use crate::message::{Cost, Part, Usage};
use crate::model::StopReason;
use crate::runtime::Timestamp;
use crate::session::entry::{Body, CancelReason, Decision, Entry, FORMAT, RunEnd};
use crate::tool::ToolSet;

/// What the machine must know of its surroundings to decide. Folding a log needs none of it.
#[derive(Debug, Clone, Copy)]
pub struct Env<'a> {
    /// The agent's tools.
    pub tools: &'a ToolSet,
    /// The agent's limits.
    pub limits: &'a Limits,
    /// Whether anything is gathered before the model is asked.
    pub gathers: Gathers,
    /// When the conversation is summarised.
    pub compaction: CompactionPolicy,
    /// What becomes of calls whose outcome is unknown.
    pub recovery: RecoveryPolicy,
    /// When the run was taken over: a run that was interrupted for days has not worked for days.
    pub since: Timestamp,
}

/// A decision: the row of the table that it took, and the entries to append, numbered from the machine's last on.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The row.
    pub rule: Rule,
    /// The entries, in order; to be appended together.
    pub entries: Vec<Entry>,
}

/// A decision in the making: a copy of the machine that has lived through it, and the entries so far.
pub(super) struct Draft<'a> {
    pub(super) machine: Machine,
    pub(super) env: &'a Env<'a>,
    pub(super) now: Timestamp,
    entries: Vec<Entry>,
}

impl Machine {
    /// What an outcome means. Changes nothing: append the entries, then [`apply`](Machine::apply) each.
    #[must_use]
    pub fn decide(&self, outcome: Outcome, env: &Env<'_>, now: Timestamp) -> Decided {
        let before = self.phase();
        let mut draft = Draft { machine: self.clone(), env, now, entries: Vec::new() };
        let Some(guess) = draft.take(outcome) else {
            return Decided { rule: Rule::Stale, entries: Vec::new() };
        };
        draft.settle();
        let rule = draft.rule(before, guess);
        Decided { rule, entries: draft.entries }
    }
}

/// What happened, before it is known what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Input,
    Reply,
    Cut,
    ModelFailed,
    Tool,
    Approved,
    Denied,
    Gathered,
    Compacted,
    CompactFailed,
    Cancel,
    Recovered,
    Tick,
}

impl Draft<'_> {
    pub(super) fn push(&mut self, body: Body) {
        let run = match body {
            Body::Created { .. } | Body::Bound { .. } => None,
            _ => run_of(&self.machine),
        };
        self.push_in(run, body);
    }

    fn push_in(&mut self, run: Option<RunId>, body: Body) {
        let entry = Entry { seq: self.machine.last.next(), v: FORMAT, at: self.now, run, body };
        self.machine.apply(&entry);
        self.entries.push(entry);
    }

    /// Writes the outcome itself down; `None` when it is stale.
    fn take(&mut self, outcome: Outcome) -> Option<What> {
        let phase = self.machine.phase();
        match outcome {
            Outcome::Input { run, parts, delivery, output, limits } => {
                let joins = delivery == crate::session::entry::InputDelivery::Steer;
                let run = if joins { run_of(&self.machine).unwrap_or(run) } else { run };
                self.push_in(Some(run), Body::Input { parts, delivery, output, limits });
                Some(What::Input)
            }
            Outcome::Reply { step, reply }
                if phase == Phase::Thinking && step == self.machine.next_model() =>
            {
                Some(self.reply(step, reply))
            }
            Outcome::ModelFailed { step, error, partial, route }
                if phase == Phase::Thinking && step == self.machine.next_model() =>
            {
                let retry_at = self.retry_at(&error);
                self.push(Body::ModelFailed { step, error, partial, retry_at, route });
                Some(What::ModelFailed)
            }
            Outcome::Tool { call, attempt, status, content, fatal } => {
                let run = self.machine.run.as_mut()?;
                let open = run.call(&call)?;
                if !open.is_running() || open.attempt != attempt {
                    return None;
                }
                self.push(Body::ToolEnd { call, attempt, status, content });
                if let (Some(error), true) = (fatal, phase != Phase::Cancelling) {
                    self.push(Body::Cancel { reason: CancelReason::Fatal { error } });
                }
                Some(What::Tool)
            }
            Outcome::Answered { question, by, decision } => self.answer(question, by, decision),
            Outcome::Gathered { step, parts, shows, errors }
                if phase == Phase::Gathering && step == self.machine.contexts.saturating_add(1) =>
            {
                self.push(Body::Context { step, parts, shows, errors });
                Some(What::Gathered)
            }
            Outcome::Compacted { step, compacted }
                if phase == Phase::Compacting && step == self.machine.compactions.saturating_add(1) =>
            {
                let Compacted { upto, summary, claims, facts, before, after, usage, cost } = compacted;
                self.push(Body::Compaction {
                    step,
                    upto,
                    summary,
                    claims,
                    facts,
                    before,
                    after,
                    usage,
                    cost,
                });
                Some(What::Compacted)
            }
            Outcome::CompactFailed { step, error, usage, cost }
                if phase == Phase::Compacting && step == self.machine.compactions.saturating_add(1) =>
            {
                self.compact_failed(step, error, usage, cost);
                Some(What::CompactFailed)
            }
            Outcome::Cancel { reason, partial } if !matches!(phase, Phase::Idle | Phase::Cancelling) => {
                self.cancel(reason, partial);
                Some(What::Cancel)
            }
            Outcome::Recovered => {
                self.recover();
                Some(What::Recovered)
            }
            Outcome::Tick { partial } => {
                self.tick(partial);
                Some(What::Tick)
            }
            _ => None,
        }
    }

    fn reply(&mut self, step: u64, reply: Reply) -> What {
        let Reply { mut parts, stop, usage, cost, origin, route } = reply;
        let calls = parts.iter_mut().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        });
        let mut any = false;
        for (index, call) in calls.enumerate() {
            call.id = CallId::derive(step, index);
            any = true;
        }
        let what = if any && stop == StopReason::Length { What::Cut } else { What::Reply };
        self.push(Body::Assistant { step, parts, stop, usage, cost, origin, route });
        what
    }

    fn retry_at(&self, error: &ErrorReport) -> Option<Timestamp> {
        let run = self.machine.run.as_ref()?;
        let tries = run.attempts.saturating_add(1);
        let max = run.limits.as_ref().unwrap_or(self.env.limits).max_attempts;
        (error.retryable && tries < max).then(|| {
            let seed = run.id.0.as_u128() as u64 ^ self.machine.models;
            self.now.after(backoff(tries, seed).max(error.retry_after().unwrap_or_default()))
        })
    }

    fn answer(&mut self, question: crate::id::Seq, by: String, decision: Decision) -> Option<What> {
        if self.machine.phase() != Phase::Tools {
            return None;
        }
        let run = self.machine.run.as_ref()?;
        let about = run.calls.iter().find_map(|call| match &call.state {
            CallState::Asked { question: of, about, .. } if *of == question => Some(about),
            _ => None,
        })?;
        if !about.takes(&decision) {
            return None;
        }
        let runs = matches!(decision, Decision::Approve | Decision::Retry);
        self.push(Body::Answer { question, by, decision });
        Some(if runs { What::Approved } else { What::Denied })
    }

    fn compact_failed(&mut self, step: u64, error: ErrorReport, usage: Usage, cost: Option<Cost>) {
        let tries = self.machine.run.as_ref().map_or(0, |run| run.compact_tries);
        let max = match self.env.compaction {
            CompactionPolicy::At { max_tries, .. } => max_tries,
            CompactionPolicy::Never => 0,
        };
        self.push(Body::CompactFailed { step, error: error.clone(), usage, cost });
        if tries >= max
            && let Some(run) = self.machine.run.as_ref()
        {
            let (usage, cost) = (run.usage, run.cost);
            self.push(Body::RunEnd { end: RunEnd::Failed { error }, usage, cost });
        }
    }

    fn cancel(&mut self, reason: CancelReason, partial: Vec<Part>) {
        let thinking = self.machine.phase() == Phase::Thinking;
        let step = self.machine.next_model();
        self.push(Body::Cancel { reason });
        // What was said is kept and marked; half a call is of no use to anybody.
        let parts: Vec<Part> = partial.into_iter().filter(|part| part.as_call().is_none()).collect();
        if thinking && !parts.is_empty() {
            self.push(Body::Assistant {
                step,
                parts,
                stop: StopReason::Cancelled,
                usage: Usage::default(),
                cost: None,
                origin: None,
                route: None,
            });
        }
    }

    fn tick(&mut self, partial: Vec<Part>) {
        let Some(run) = self.machine.run.as_deref() else { return };
        if run.phase == Phase::Cancelling {
            return;
        }
        let limits = run.limits.as_ref().unwrap_or(self.env.limits);
        if self.now >= run.started.max(self.env.since).after(limits.run_timeout) {
            let limit = crate::session::entry::LimitKind::Time;
            return self.cancel(CancelReason::Limit { limit }, partial);
        }
        let expired: Vec<_> = run
            .calls
            .iter()
            .filter_map(|call| match &call.state {
                CallState::Asked { question, expires: Some(at), default, .. } if *at <= self.now => {
                    Some((*question, default.clone()))
                }
                _ => None,
            })
            .collect();
        for (question, decision) in expired {
            self.push(Body::Answer { question, by: "deadline".into(), decision });
        }
    }

    /// The row of the table that was taken.
    fn rule(&self, before: Phase, what: What) -> Rule {
        let kinds: Vec<&str> = self.entries.iter().map(|entry| entry.body.kind()).collect();
        let has = |kind: &str| kinds.contains(&kind);
        let after = self.machine.phase();
        if kinds.is_empty() {
            return Rule::Stale;
        }
        if before == Phase::Cancelling && what != What::Input {
            return if has("run_end") { Rule::CancelEnds } else { Rule::CancelGoesOn };
        }
        if has("cancel") {
            return if has("run_end") { Rule::CancelAtOnce } else { Rule::CancelBegins };
        }
        let overflowed = self.entries.iter().any(|entry| {
            matches!(&entry.body, Body::ModelFailed { error, .. } if error.kind == ErrorKind::ContextOverflow)
        });
        // After the end of a run it is the next one in line that is too long.
        if has("compact_start") && !has("run_end") && what != What::Recovered {
            return if overflowed { Rule::ModelOverflowed } else { Rule::OverThreshold };
        }
        match (what, after) {
            (What::Input, _) if before == Phase::Idle => Rule::InputStarts,
            (What::Input, _) => Rule::InputQueued,
            (What::Reply | What::Cut, _) if has("run_end") => Rule::Final,
            (What::Reply | What::Cut, _) if has("notice") => Rule::OutputInvalid,
            (What::Reply, Phase::Tools) => Rule::Calls,
            (What::Cut, _) => Rule::CallsCut,
            (What::Reply, _) if has("tool_end") => Rule::CallsRejected,
            (What::Reply, _) => Rule::FinalSteered,
            (What::ModelFailed, _) if has("run_end") => Rule::ModelFailed,
            (What::ModelFailed, _) => Rule::ModelRetried,
            (What::Gathered, _) => Rule::Gathered,
            (What::Compacted, _) => Rule::Compacted,
            (What::CompactFailed, _) if has("run_end") => Rule::CompactBroken,
            (What::CompactFailed, _) => Rule::CompactFailed,
            (What::Tool, Phase::Tools) => Rule::ToolEnded,
            (What::Tool, _) => Rule::ToolsEnded,
            (What::Approved, _) => Rule::Approved,
            (What::Denied | What::Tick | What::Cancel, Phase::Tools) => Rule::Denied,
            (What::Denied | What::Tick | What::Cancel, _) => Rule::DeniedLast,
            (What::Recovered, Phase::Tools) if has("tool_end") || has("tool_start") || has("question") => {
                Rule::Recovered
            }
            (What::Recovered, Phase::Thinking | Phase::Compacting) if has("tool_end") => Rule::RecoveredLast,
            (What::Recovered, _) => Rule::RecoveredIdle,
        }
    }
}
