//! What must survive a summary word for word. Derived from the log by code; no model has a say in it.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claim::one_line;
use super::passage::shorten;
use super::resource::{Resource, named};
use crate::id::{CallId, RunId, Seq};
use crate::message::{Part, ToolCall, ToolStatus};
use crate::session::{About, Body, CallStart, Decision, Entry, RunEnd};
use crate::tool::Effect;

/// What must survive a summary word for word: derived from the log, whole each time, so that nothing wears off however often
/// a conversation is compacted.
///
/// Kept beside the prose of a [`Compaction`](crate::Body::Compaction) entry, and shown to the model after it. The newest of each kind
/// stay where there are too many; [`left_out`](Self::left_out) counts the others, which are in the log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Facts {
    /// What was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// Calls that were started and do more than read: what must not be done again by mistake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<EffectFact>,
    /// What somebody decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecisionFact>,
    /// Files and addresses that calls named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// How many older ones there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The input.
    pub seq: Seq,
    /// Its words.
    pub text: String,
    /// How its run stands.
    pub state: TaskState,
}

/// How what was asked for stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskState {
    /// Its run goes on.
    Open,
    /// Its run ended with an answer.
    Done,
    /// Its run was stopped: by the host, or at a limit.
    Stopped,
    /// Its run failed.
    Failed,
}

/// A call that was started and does more than read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectFact {
    /// The answer that made the call.
    pub seq: Seq,
    /// The tool.
    pub tool: String,
    /// The arguments as the model wrote them, perhaps shortened.
    pub arguments: String,
    /// What running it twice would do.
    pub effect: Effect,
    /// The same for all attempts of the call.
    pub key: String,
    /// How it ended.
    pub status: ToolStatus,
    /// The beginning of what it returned.
    pub result: String,
}

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionFact {
    /// The answer's entry.
    pub seq: Seq,
    /// Who.
    pub by: String,
    /// About which call: `pay({"amount":5})`.
    pub about: String,
    /// What: `approved`, `denied: too much`.
    pub decision: String,
}

const TASKS: usize = 40;
const EFFECTS: usize = 100;
const DECISIONS: usize = 50;
const RESOURCES: usize = 60;
/// Characters of a task that is over.
const OVER: usize = 300;
/// Characters of a task that goes on: whoever works at it must know it.
const GOES_ON: usize = 4_000;
const ARGUMENTS: usize = 400;
const RESULT: usize = 200;

impl Facts {
    /// Of the entries that are to be summarised: those that rewinds left behind are left out before, and what the model still sees
    /// as it was said need not be there. Ends of runs are looked for in all of them.
    #[must_use]
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut gathering = Gathering::default();
        entries.into_iter().for_each(|entry| gathering.take(entry));
        gathering.finish()
    }

    /// The facts of a compaction entry; `None` for what has another shape.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        value.is_object().then(|| Self::deserialize(value).ok()).flatten()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The facts as the model reads them; empty if there are none.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        section(&mut text, "Asked for", &self.tasks, |task| {
            let state = match task.state {
                TaskState::Open => "goes on",
                TaskState::Done => "answered",
                TaskState::Stopped => "stopped",
                TaskState::Failed => "failed",
            };
            format!("({state}) {}", one_line(&task.text))
        });
        section(&mut text, "Calls that had effects; do not repeat them by mistake", &self.effects, |call| {
            let status = serde_json::to_value(call.status).unwrap_or_default();
            let status = status.as_str().unwrap_or_default().replace('_', " ");
            format!("{}({}): {status}. {}", call.tool, one_line(&call.arguments), one_line(&call.result))
        });
        section(&mut text, "Decisions", &self.decisions, |decided| {
            format!("{} {}: {}", decided.by, one_line(&decided.decision), one_line(&decided.about))
        });
        section(&mut text, "Files and addresses that were used", &self.resources, |resource| {
            format!("{} ({})", resource.name, resource.tool)
        });
        if self.left_out > 0 {
            let _ = writeln!(text, "{} older ones are not listed.", self.left_out);
        }
        text.truncate(text.trim_end().len());
        text
    }
}

fn section<T>(text: &mut String, title: &str, items: &[T], line: impl Fn(&T) -> String) {
    if !items.is_empty() {
        let _ = writeln!(text, "{title}:");
        for item in items {
            let _ = writeln!(text, "- {}", line(item).trim_end());
        }
    }
}

/// The newest of a kind, and how many older ones there were.
fn newest<T>(items: Vec<T>, most: usize, left_out: &mut u64) -> Vec<T> {
    let over = items.len().saturating_sub(most);
    *left_out = left_out.saturating_add(over as u64);
    items.into_iter().skip(over).collect()
}

#[derive(Default)]
struct Gathering<'a> {
    tasks: Vec<(Option<RunId>, Task)>,
    calls: HashMap<&'a CallId, (Seq, &'a ToolCall)>,
    starts: HashMap<&'a CallId, &'a CallStart>,
    questions: HashMap<Seq, &'a About>,
    effects: Vec<EffectFact>,
    decisions: Vec<DecisionFact>,
    /// The one that was used last stands last.
    resources: VecDeque<Resource>,
    left_out: u64,
}

impl<'a> Gathering<'a> {
    fn take(&mut self, entry: &'a Entry) {
        match &entry.body {
            Body::Input { parts, .. } => {
                let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
                let task = Task { seq: entry.seq, text: texts.join("\n"), state: TaskState::Open };
                self.tasks.push((entry.run, task));
            }
            Body::Assistant { parts, .. } => {
                for call in parts.iter().filter_map(Part::as_call) {
                    self.calls.insert(&call.id, (entry.seq, call));
                }
            }
            Body::ToolStart { calls } => {
                for start in calls {
                    self.starts.insert(&start.call, start);
                    self.touch(start);
                }
            }
            Body::ToolEnd { call, status, content, .. } => self.end(call, *status, content),
            Body::Question { about, .. } => drop(self.questions.insert(entry.seq, about)),
            Body::Answer { question, by, decision } => {
                if let Some(About::Approval { call, .. } | About::Recovery { call }) =
                    self.questions.get(question)
                    && let Some((_, call)) = self.calls.get(call)
                {
                    let about = format!("{}({})", call.name, shorten(&call.arguments, ARGUMENTS));
                    let decision = in_words(decision);
                    self.decisions.push(DecisionFact { seq: entry.seq, by: by.clone(), about, decision });
                }
            }
            Body::RunEnd { end, .. } => {
                let state = match end {
                    RunEnd::Done => TaskState::Done,
                    RunEnd::Cancelled { .. } | RunEnd::Limit { .. } => TaskState::Stopped,
                    RunEnd::Failed { .. } => TaskState::Failed,
                };
                let of_run = self.tasks.iter_mut().filter(|(run, _)| run.is_some() && *run == entry.run);
                of_run.for_each(|(_, task)| task.state = state);
            }
            _ => {}
        }
    }

    /// What a call that was started named.
    fn touch(&mut self, start: &CallStart) {
        let Some((seq, call)) = self.calls.get(&start.call) else { return };
        let Ok(arguments) = call.input() else { return };
        for name in named(&arguments) {
            self.resources.retain(|known| known.name != name);
            self.resources.push_back(Resource { name: name.to_owned(), tool: call.name.clone(), seq: *seq });
        }
        while self.resources.len() > RESOURCES {
            self.resources.pop_front();
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    fn end(&mut self, id: &CallId, status: ToolStatus, content: &[Part]) {
        let (Some((seq, call)), Some(start)) = (self.calls.get(id), self.starts.get(id)) else { return };
        if start.effect == Effect::ReadOnly || !status.was_started() {
            return;
        }
        let texts: Vec<&str> = content.iter().filter_map(Part::as_text).collect();
        self.effects.push(EffectFact {
            seq: *seq,
            tool: call.name.clone(),
            arguments: shorten(&call.arguments, ARGUMENTS),
            effect: start.effect,
            key: start.key.to_string(),
            status,
            result: shorten(&texts.join(" "), RESULT),
        });
    }

    fn finish(self) -> Facts {
        let mut left_out = self.left_out;
        let tasks = self.tasks.into_iter().map(|(_, mut task)| {
            let most = if task.state == TaskState::Open { GOES_ON } else { OVER };
            task.text = shorten(&task.text, most);
            task
        });
        let tasks = newest(tasks.collect(), TASKS, &mut left_out);
        let effects = newest(self.effects, EFFECTS, &mut left_out);
        let decisions = newest(self.decisions, DECISIONS, &mut left_out);
        Facts { tasks, effects, decisions, resources: self.resources.into(), left_out }
    }
}

fn in_words(decision: &Decision) -> String {
    match decision {
        Decision::Approve => "approved".into(),
        Decision::Deny { reason } if reason.is_empty() => "denied".into(),
        Decision::Deny { reason } => format!("denied ({})", shorten(reason, RESULT)),
        Decision::Retry => "let it run again".into(),
        Decision::Give { content } => {
            let texts: Vec<&str> = content.iter().filter_map(Part::as_text).collect();
            format!("gave the result ({})", shorten(&texts.join(" "), RESULT))
        }
        Decision::TellUnknown => "left the outcome unknown".into(),
    }
}

#[cfg(test)]
mod tests;
