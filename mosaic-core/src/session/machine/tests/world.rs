//! A machine with a log and a clock, and somebody who tells it things.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::agent::Limits;
use crate::context::Cut;
use crate::error::{ErrorKind, ErrorReport};
use crate::id::{CallId, RunId, Seq, StepId};
use crate::message::{Cost, Part, ToolStatus, Usage};
use crate::model::{OutputSpec, StopReason};
use crate::runtime::Timestamp;
use crate::session::entry::{Body, CancelReason, Decision, Entry, InputDelivery};
use crate::session::log::{Log, path};
use crate::session::machine::table::Rule;
use crate::session::machine::{
    Compacted, CompactionPolicy, Decided, Env, Gathers, Machine, Outcome, Phase, RecoveryPolicy, Reply, Step,
};
use crate::tool::{Approval, Effect, Tool, ToolContext, ToolError, ToolOutput, ToolSet, ToolSpec};

/// Something to tell the machine, as three numbers, so that failures shrink.
#[derive(Debug, Clone, Copy)]
pub(super) struct Op {
    pub(super) what: u8,
    pub(super) a: u8,
    pub(super) b: u8,
}

/// What the agent does besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) compacts: bool,
    pub(super) gathers: bool,
}

/// A transition that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) rule: Rule,
    pub(super) before: Phase,
    pub(super) after: Phase,
    pub(super) kinds: Vec<&'static str>,
}

pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) entries: Vec<Entry>,
    pub(super) taken: Vec<Taken>,
    pub(super) now: Timestamp,
    tools: ToolSet,
    limits: Limits,
    compaction: CompactionPolicy,
    gathers: Gathers,
    runs: u128,
}

#[derive(Debug)]
struct Named(ToolSpec);

#[async_trait::async_trait]
impl Tool for Named {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, _: &ToolContext, _: Value) -> Result<ToolOutput, ToolError> {
        Ok(ToolOutput::default())
    }
}

const TOOLS: [(&str, Effect, Approval); 4] = [
    ("read", Effect::ReadOnly, Approval::Never),
    ("put", Effect::Idempotent, Approval::Never),
    ("pay", Effect::Once, Approval::Never),
    ("ask", Effect::Once, Approval::Always),
];

fn report(kind: ErrorKind) -> ErrorReport {
    ErrorReport::new(kind, "told so")
}

fn compact_failed(step: u64) -> Outcome {
    let (error, usage) = (report(ErrorKind::Server), Usage::default());
    Outcome::CompactFailed { step, error, usage, cost: None }
}

fn gathered(step: u64, a: u8) -> Outcome {
    let errors = if a.is_multiple_of(2) { Vec::new() } else { vec![report(ErrorKind::Storage)] };
    Outcome::Gathered { step, parts: vec![Part::text("known")], shows: vec!["memory:1".into()], errors }
}

impl World {
    pub(super) fn new(Settings { compacts, gathers }: Settings) -> Self {
        let tool = |(name, effect, approval): (&str, Effect, Approval)| {
            let spec = ToolSpec::new(name, "", json!({"type": "object"})).effect(effect).approval(approval);
            Arc::new(Named(spec)) as Arc<dyn Tool>
        };
        let limits = Limits {
            max_steps: 12,
            max_attempts: 2,
            max_output_tries: 2,
            max_tokens: Some(100_000),
            parallel_tools: 2,
            question_timeout: Duration::from_secs(60),
            run_timeout: Duration::from_secs(600),
            ..Limits::default()
        };
        let compaction = CompactionPolicy::At { threshold: 900, max_tries: 2 };
        Self {
            machine: Machine::default(),
            entries: Vec::new(),
            taken: Vec::new(),
            now: Timestamp(1_000_000),
            tools: ToolSet::new(TOOLS.into_iter().map(tool).collect()).expect("tools"),
            limits,
            compaction: if compacts { compaction } else { CompactionPolicy::Never },
            gathers: if gathers { Gathers::Context } else { Gathers::Nothing },
            runs: 0,
        }
    }

    /// Another process takes over a log.
    pub(super) fn resume(entries: Vec<Entry>, settings: Settings) -> Self {
        let mut world = Self::new(settings);
        world.runs = 1_000;
        world.now = entries.last().map_or(world.now, |entry| entry.at);
        entries.iter().for_each(|entry| world.machine.apply(entry));
        world.entries = entries;
        world.tell(Outcome::Recovered);
        world
    }

    pub(super) fn take_in_a_crash(&mut self) {
        self.tell(Outcome::Recovered);
    }

    pub(super) fn say(&mut self, text: &str) {
        self.runs += 1;
        let run = RunId(Uuid::from_u128(self.runs));
        let parts = vec![Part::text(text)];
        self.tell(Outcome::Input { run, parts, delivery: InputDelivery::Start, output: None, limits: None });
    }

    /// Somebody says something while a run goes on.
    pub(super) fn steer(&mut self, text: &str) {
        let (run, parts) = (RunId(Uuid::from_u128(self.runs)), vec![Part::text(text)]);
        self.tell(Outcome::Input { run, parts, delivery: InputDelivery::Steer, output: None, limits: None });
    }

    /// The model gives its last word, and reports so many tokens.
    pub(super) fn answer_with(&mut self, text: &str, input: u64) {
        let step = self.machine.next_model();
        let usage = Usage { input, ..Usage::default() };
        let (parts, stop) = (vec![Part::text(text)], StopReason::Stop);
        let reply = Reply { parts, stop, usage, cost: None, origin: None, route: None };
        self.tell(Outcome::Reply { step, reply });
    }

    /// The model reports so many tokens and makes a call, which ends.
    pub(super) fn call_with(&mut self, input: u64) {
        let (step, usage) = (self.machine.next_model(), Usage { input, ..Usage::default() });
        let (parts, stop) = (vec![Part::call("c", "read", "{}")], StopReason::ToolCalls);
        let reply = Reply { parts, stop, usage, cost: None, origin: None, route: None };
        self.tell(Outcome::Reply { step, reply });
        if let Some(StepId::Tool { call, attempt }) = self.machine.running().into_iter().next() {
            let content = vec![Part::text("result")];
            self.tell(Outcome::Tool { call, attempt, status: ToolStatus::Ok, content, fatal: None });
        }
    }

    /// The model says that the prompt is too long.
    pub(super) fn overflow(&mut self) {
        let (step, error) = (self.machine.next_model(), report(ErrorKind::ContextOverflow));
        self.tell(Outcome::ModelFailed { step, error, partial: Vec::new(), route: None });
    }

    pub(super) fn fail_to_compact(&mut self) {
        self.tell(compact_failed(self.machine.compactions + 1));
    }

    pub(super) fn compact(&mut self, before: u64, after: u64) {
        let step = self.machine.compactions + 1;
        let summary = "so far".into();
        let (usage, cost) = (Usage { input: 7, ..Usage::default() }, Some(Cost(5)));
        let compacted = Compacted { summary, before, after, usage, cost, ..Compacted::default() };
        self.tell(Outcome::Compacted { step, compacted });
    }

    pub(super) fn decide(&self, outcome: Outcome) -> Decided {
        self.decide_as(outcome, RecoveryPolicy::TellModel)
    }

    fn decide_as(&self, outcome: Outcome, recovery: RecoveryPolicy) -> Decided {
        let env = Env {
            tools: &self.tools,
            limits: &self.limits,
            gathers: self.gathers,
            compaction: self.compaction,
            recovery,
            since: Timestamp(0),
        };
        self.machine.decide(outcome, &env, self.now)
    }

    fn tell(&mut self, outcome: Outcome) {
        let recovery =
            if self.now.0.is_multiple_of(2) { RecoveryPolicy::TellModel } else { RecoveryPolicy::Ask };
        let before = self.machine.phase();
        let decided = self.decide_as(outcome, recovery);
        decided.entries.iter().for_each(|entry| self.machine.apply(entry));
        let kinds = decided.entries.iter().map(|entry| entry.body.kind()).collect();
        let after = self.machine.phase();
        self.taken.push(Taken { rule: decided.rule, before, after, kinds });
        self.entries.extend(decided.entries);
    }

    /// Tells the machine something that may or may not fit where it stands.
    pub(super) fn take(&mut self, op: Op) {
        let Op { what, a, b } = op;
        self.now = self.now.after(Duration::from_millis(u64::from(b)));
        match what % 16 {
            0 | 1 => self.input(a),
            2..=6 if self.machine.phase() == Phase::Gathering => {
                let step = self.machine.contexts + 1;
                self.tell(gathered(step, a));
            }
            2..=6 => {
                let outcome = self.model(a, b);
                self.tell(outcome);
            }
            7..=10 => {
                let fatal = (b > 245).then(|| report(ErrorKind::Tool));
                let running = self.machine.running();
                if let Some(StepId::Tool { call, attempt }) =
                    running.get(usize::from(a) % running.len().max(1))
                {
                    let content = vec![Part::text("result")];
                    let (call, attempt, status) = (call.clone(), *attempt, ToolStatus::Ok);
                    self.tell(Outcome::Tool { call, attempt, status, content, fatal });
                }
            }
            11 => self.answer(a),
            12 => {
                let step = self.machine.compactions + 1;
                self.tell(match a % 2 {
                    0 => Outcome::Compacted {
                        step,
                        compacted: Compacted {
                            upto: self.upto(a, b),
                            summary: "so far".into(),
                            before: 1_000,
                            after: u64::from(b) * 4,
                            ..Compacted::default()
                        },
                    },
                    _ => compact_failed(step),
                });
            }
            15 if a < 128 => {
                // Out of turn.
                let step = self.machine.contexts + 1 + u64::from(a % 2);
                self.tell(gathered(step, a));
            }
            13 if a < 80 => {
                let reason = CancelReason::Host { reason: "enough".into() };
                self.tell(Outcome::Cancel { reason, partial: vec![Part::text("half a sen")] });
            }
            14 if a < 80 => self.tell(Outcome::Recovered),
            _ => {
                self.now = self.now.after(Duration::from_secs(u64::from(b)));
                self.tell(Outcome::Tick { partial: Vec::new() });
            }
        }
    }

    /// Where a compaction cuts; now and then anywhere, as a damaged log might.
    fn upto(&self, a: u8, b: u8) -> Seq {
        let anywhere = Seq(self.machine.last().0.saturating_sub(2));
        let (log, path) = (Log::fold(&self.entries), path(&self.entries));
        let cut = Cut::plan(&log.context, &path, u64::from(b) / 16);
        cut.filter(|_| !a.is_multiple_of(16)).map_or(anywhere, |cut| cut.upto)
    }

    fn input(&mut self, a: u8) {
        self.runs += 1;
        let run = RunId(Uuid::from_u128(self.runs));
        let delivery =
            [InputDelivery::Start, InputDelivery::Steer, InputDelivery::FollowUp][usize::from(a) % 3];
        let output =
            (a > 200).then(|| OutputSpec { name: "answer".into(), schema: json!({"type": "object"}) });
        self.tell(Outcome::Input { run, parts: vec![Part::text("hello")], delivery, output, limits: None });
    }

    fn model(&self, a: u8, b: u8) -> Outcome {
        let step = self.machine.next_model();
        if a < 40 {
            let kinds = [ErrorKind::Overloaded, ErrorKind::Auth, ErrorKind::ContextOverflow];
            let error = report(kinds[usize::from(a) % 3]);
            return Outcome::ModelFailed { step, error, partial: Vec::new(), route: None };
        }
        let mut parts = vec![Part::text(if a.is_multiple_of(7) { "{}" } else { "words" })];
        if a > 110 {
            for n in 0..=(a % 4) {
                let name = ["read", "put", "pay", "ask", "none"][usize::from(n.wrapping_add(b)) % 5];
                let arguments = if b > 240 { "[1" } else { "{}" };
                parts.push(Part::call("", name, arguments));
            }
        }
        let stop = match b {
            0..=20 => StopReason::Length,
            21..=25 => StopReason::ContentFilter,
            _ => StopReason::Stop,
        };
        let usage = Usage { input: u64::from(b) * 4, output: 10, ..Usage::default() };
        Outcome::Reply { step, reply: Reply { parts, stop, usage, cost: None, origin: None, route: None } }
    }

    fn questions(&self) -> Vec<Seq> {
        let steps = self.machine.steps(self.now).into_iter();
        steps
            .filter_map(|step| match step {
                Step::Ask { question, .. } => Some(question),
                _ => None,
            })
            .collect()
    }

    fn answer(&mut self, a: u8) {
        if let Some(question) = self.questions().first() {
            let decisions = [
                Decision::Approve,
                Decision::Deny { reason: "no".into() },
                Decision::Retry,
                Decision::Give { content: vec![Part::text("given")] },
                Decision::TellUnknown,
            ];
            let decision = decisions[usize::from(a) % 5].clone();
            self.tell(Outcome::Answered { question: *question, by: "a human".into(), decision });
        }
    }

    /// Does what the machine wants until it wants nothing; says whether it came to an end.
    pub(super) fn run_to_the_end(&mut self) -> bool {
        for _ in 0..2_000 {
            if let Some(StepId::Tool { call, attempt }) = self.machine.running().into_iter().next() {
                let content = vec![Part::text("result")];
                self.tell(Outcome::Tool { call, attempt, status: ToolStatus::Ok, content, fatal: None });
                continue;
            }
            match self.machine.steps(self.now).into_iter().next() {
                None => return self.machine.phase() == Phase::Idle,
                Some(Step::CallModel { .. }) => {
                    let outcome = self.model(130, 60);
                    self.tell(outcome);
                }
                Some(Step::Gather { number: step }) => self.tell(gathered(step, 0)),
                Some(Step::Compact { number: step }) => {
                    self.tell(compact_failed(step));
                }
                Some(Step::Wait { until, .. }) => {
                    self.now = until;
                    self.tell(Outcome::Tick { partial: Vec::new() });
                }
                Some(Step::Ask { .. }) => {
                    self.now = self.now.after(self.limits.question_timeout);
                    self.tell(Outcome::Tick { partial: Vec::new() });
                }
                Some(Step::RunTool { .. }) => return false,
            }
        }
        false
    }

    /// Outcomes of steps that have ended, and of steps that never were.
    pub(super) fn old_outcomes(&self) -> Vec<Outcome> {
        let reply = |step| match self.model(100, 100) {
            Outcome::Reply { reply, .. } => Outcome::Reply { step, reply },
            other => other,
        };
        let next = self.machine.next_model();
        let mut old = vec![reply(next - 1), reply(next + 1)];
        let error = report(ErrorKind::Server);
        old.push(Outcome::ModelFailed { step: next - 1, error, partial: Vec::new(), route: None });
        old.push(compact_failed(self.machine.compactions));
        old.push(Outcome::Compacted { step: self.machine.compactions, compacted: Compacted::default() });
        old.push(gathered(self.machine.contexts, 1));
        let running = self.machine.running();
        let tool = |call: CallId, attempt| Outcome::Tool {
            call,
            attempt,
            status: ToolStatus::Ok,
            content: Vec::new(),
            fatal: None,
        };
        for entry in &self.entries {
            match &entry.body {
                Body::ToolEnd { call, attempt, .. } => {
                    let again = StepId::Tool { call: call.clone(), attempt: *attempt };
                    if !running.contains(&again) {
                        old.push(tool(call.clone(), *attempt));
                    }
                }
                Body::ToolStart { calls } => {
                    old.extend(calls.iter().map(|start| tool(start.call.clone(), start.attempt + 1000)));
                }
                Body::Answer { question, .. } => old.push(Outcome::Answered {
                    question: *question,
                    by: "late".into(),
                    decision: Decision::Approve,
                }),
                _ => {}
            }
        }
        old
    }
}
