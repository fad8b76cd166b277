//! `apply`: the only thing that changes the machine.

use std::sync::Arc;

use super::state::{Call, CallState, Concluded, Machine, Phase, Queued, Run};
use crate::id::{CallId, RunId};
use crate::message::{Part, Usage};
use crate::model::StopReason;
use crate::runtime::Timestamp;
use crate::session::entry::{About, Body, CallStart, Decision, Entry, InputDelivery};

impl Machine {
    /// Takes an entry. Total: an entry that does not fit where the machine stands (from a damaged or a future log) leaves
    /// it as it is.
    pub fn apply(&mut self, entry: &Entry) {
        self.last = entry.seq;
        self.count(&entry.body);
        match &entry.body {
            Body::Input { delivery, output, limits, .. } => {
                let Some(id) = entry.run else { return };
                let queued = Queued {
                    run: id,
                    input: entry.seq,
                    output: output.clone().map(Arc::new),
                    limits: limits.clone(),
                };
                match (&mut self.run, delivery) {
                    (None, _) => self.run = Some(Box::new(Run::new(queued, entry.at))),
                    (Some(run), InputDelivery::Steer) => {
                        run.steered |= run.phase == Phase::Thinking;
                        run.concluded = None;
                    }
                    (Some(_), _) => self.queue.push_back(queued),
                }
            }
            Body::Assistant { .. } | Body::ModelFailed { .. } => self.apply_model(entry),
            Body::RunEnd { .. } => {
                if self.run.take().is_some() {
                    self.run = self.queue.pop_front().map(|next| Box::new(Run::new(next, entry.at)));
                }
            }
            Body::Compaction { .. } | Body::CompactFailed { .. } => {
                self.compactions = self.compactions.saturating_add(1);
                if let Some(run) = &mut self.run
                    && run.phase == Phase::Compacting
                {
                    run.phase = Phase::Thinking;
                }
                self.spend(&entry.body);
            }
            Body::Context { .. } => {
                self.contexts = self.contexts.saturating_add(1);
                if let Some(run) = &mut self.run
                    && run.phase == Phase::Gathering
                {
                    run.phase = Phase::Thinking;
                }
            }
            body => {
                if let Some(run) = &mut self.run {
                    run.apply(entry, body);
                }
            }
        }
    }

    /// Follows how large the conversation is. An answer that reports what it took says so best; between two of them, and where
    /// none does, what came is estimated.
    fn count(&mut self, body: &Body) {
        match body {
            Body::Assistant { usage, .. } if usage.input > 0 => {
                self.context = usage.input.saturating_add(usage.output);
            }
            Body::Assistant { parts, .. }
            | Body::Input { parts, .. }
            | Body::Notice { parts, .. }
            | Body::Context { parts, .. }
            | Body::ToolEnd { content: parts, .. } => {
                self.context = self.context.saturating_add(tokens(parts));
            }
            Body::Compaction { before, after, .. } => {
                self.context = self.context.saturating_sub(before.saturating_sub(*after));
                self.floor = self.context.saturating_add(self.context / 8);
            }
            // The model is asked all the same, and says itself if the prompt is too long.
            Body::CompactFailed { .. } => self.floor = self.context.saturating_add(self.context / 8),
            // Who folds the whole log counts anew.
            Body::Rewind { .. } => (self.context, self.floor) = (0, 0),
            _ => {}
        }
    }

    /// Counts anew how large the conversation is, after a rewind: of the entries that it is made of now.
    pub(in crate::session) fn recount<'a>(&mut self, path: impl IntoIterator<Item = &'a Entry>) {
        (self.context, self.floor) = (0, 0);
        path.into_iter().for_each(|entry| self.count(&entry.body));
    }

    /// What a compaction took counts as the run's.
    fn spend(&mut self, body: &Body) {
        let (Some(run), Body::Compaction { usage, cost, .. } | Body::CompactFailed { usage, cost, .. }) =
            (&mut self.run, body)
        else {
            return;
        };
        run.usage += *usage;
        if let Some(cost) = cost {
            *run.cost.get_or_insert_default() += *cost;
        }
    }

    fn apply_model(&mut self, entry: &Entry) {
        self.models = self.models.saturating_add(1);
        let Some(run) = &mut self.run else { return };
        run.retry_at = None;
        match &entry.body {
            Body::Assistant { parts, stop, usage, cost, .. } => {
                run.attempts = 0;
                run.steps = run.steps.saturating_add(1);
                run.usage += *usage;
                if let Some(cost) = cost {
                    *run.cost.get_or_insert_default() += *cost;
                }
                run.compact_tries = 0;
                if run.phase == Phase::Thinking {
                    run.take_answer(parts, stop);
                }
            }
            Body::ModelFailed { error, retry_at, .. } => {
                run.attempts = run.attempts.saturating_add(1);
                match retry_at {
                    Some(at) => run.retry_at = Some((entry.seq, *at)),
                    None => run.failed = Some(error.clone()),
                }
            }
            _ => {}
        }
    }
}

impl Run {
    fn new(queued: Queued, started: Timestamp) -> Self {
        Self {
            id: queued.run,
            input: queued.input,
            started,
            phase: Phase::Thinking,
            gathered: false,
            limits: queued.limits,
            output: queued.output,
            steps: 0,
            attempts: 0,
            retry_at: None,
            failed: None,
            output_tries: 0,
            usage: Usage::default(),
            cost: None,
            compact_tries: 0,
            steered: false,
            concluded: None,
            calls: Vec::new(),
            cut: false,
            cancel: None,
        }
    }

    fn take_answer(&mut self, parts: &[Part], stop: &StopReason) {
        self.calls = parts.iter().filter_map(Part::as_call).map(Call::new).collect();
        self.cut = *stop == StopReason::Length;
        let steered = std::mem::take(&mut self.steered);
        if !self.calls.is_empty() {
            self.phase = Phase::Tools;
        } else if !steered {
            let text = parts.iter().filter_map(Part::as_text).collect();
            self.concluded = Some(Concluded { text, filtered: *stop == StopReason::ContentFilter });
        }
    }

    fn apply(&mut self, entry: &Entry, body: &Body) {
        match body {
            Body::ToolStart { calls } => calls.iter().for_each(|start| self.start(start)),
            Body::ToolEnd { call, .. } => self.end(call),
            Body::Question { about, expires, default } => {
                let (About::Approval { call, .. } | About::Recovery { call }) = about;
                if let Some(call) = self.call(call).filter(|call| call.is_open()) {
                    call.state = CallState::Asked {
                        question: entry.seq,
                        about: about.clone(),
                        expires: *expires,
                        default: default.clone(),
                    };
                }
            }
            Body::Answer { question, decision, .. } => {
                let asked = |call: &&mut Call| matches!(&call.state, CallState::Asked { question: of, .. } if of == question);
                if let Some(call) = self.calls.iter_mut().find(asked) {
                    call.state = CallState::Ready;
                    call.decision = Some(decision.clone());
                }
            }
            Body::Notice { .. } => {
                let wrong = self.concluded.take().is_some();
                self.output_tries = self.output_tries.saturating_add(u32::from(wrong));
            }
            Body::Cancel { reason } => {
                self.phase = Phase::Cancelling;
                self.retry_at = None;
                self.cancel.get_or_insert_with(|| reason.clone());
            }
            Body::ContextStart { .. } => {
                self.phase = Phase::Gathering;
                self.gathered = true;
            }
            Body::CompactStart { .. } => {
                self.phase = Phase::Compacting;
                self.failed = None;
                self.compact_tries = self.compact_tries.saturating_add(1);
            }
            _ => {}
        }
    }

    fn start(&mut self, start: &CallStart) {
        if let Some(call) = self.call(&start.call).filter(|call| call.is_open()) {
            call.state = CallState::Running { key: start.key.clone() };
            call.attempt = start.attempt;
            call.effect = Some(start.effect);
        }
    }

    fn end(&mut self, id: &CallId) {
        if let Some(call) = self.call(id) {
            call.state = CallState::Done;
        }
        if self.phase == Phase::Tools && !self.calls.iter().any(Call::is_open) {
            self.calls.clear();
            self.phase = Phase::Thinking;
        }
    }

    pub(super) fn call(&mut self, id: &CallId) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.call.id == *id)
    }
}

impl Call {
    fn new(call: &crate::message::ToolCall) -> Self {
        Self {
            call: Arc::new(call.clone()),
            state: CallState::Ready,
            attempt: 0,
            effect: None,
            decision: None,
        }
    }

    pub(super) fn may_run_unasked(&self) -> bool {
        matches!(self.decision, Some(Decision::Approve | Decision::Retry))
    }
}

/// About how many tokens some parts are: four bytes each. Cheap, for every entry of a log is counted when it is opened; what
/// answers report corrects it.
fn tokens(parts: &[Part]) -> u64 {
    let bytes: usize = parts
        .iter()
        .map(|part| match part {
            Part::Text { text } | Part::Refusal { text } | Part::Reasoning { text, .. } => text.len(),
            Part::ToolCall(call) => call.name.len().saturating_add(call.arguments.len()),
            // About what an image is billed at.
            Part::Media(_) => 4 * 1_200,
            Part::Provider { .. } => 0,
        })
        .sum();
    (bytes as u64).div_ceil(4)
}

/// The run that an entry made now would belong to.
pub(super) fn run_of(machine: &Machine) -> Option<RunId> {
    machine.run.as_ref().map(|run| run.id)
}
