//! From the entries of a run to its rows. Pure, so that recording a run twice gives the same rows.

use std::collections::HashMap;
use std::sync::Arc;

use super::check::MAX_FIGURE;
use super::{LogError, LogKind, LogRow, LogRowId, LogStatus};
use crate::error::ErrorKind;
use crate::id::{CallId, Seq};
use crate::memory::Scope;
use crate::message::{Cost, Part, ToolStatus, Usage};
use crate::model::StopReason;
use crate::router::{AttemptOutcome, RouteDecision};
use crate::runtime::Timestamp;
use crate::session::{About, Body, Decision, EndedRun, Entry, RunEnd};

/// Characters that the name of a tool may have in a row; a model that made up a longer one is not quoted.
const MAX_TOOL: usize = 128;

/// The rows of a run, in the order of their ids, from its entries: those of [`RunEntries::Ended`](crate::RunEntries::Ended).
///
/// | entries | row |
/// | --- | --- |
/// | `Input` ... `RunEnd` | `run`, with the sums of its calls |
/// | `Assistant`, `ModelFailed` | `model`; and an `attempt` for each candidate that its router asked in vain |
/// | `ToolStart` ... `ToolEnd` | `tool` |
/// | `ToolStart`, and again a `ToolStart` of the call | `tool`, `unknown`: the process died in between |
/// | `Question` ... `Answer` | `question` |
/// | `CompactStart` ... `Compaction`, `CompactFailed` | `compaction` |
///
/// ```
/// use mosaic_core::agent_log::{LogKind, rows};
/// # use mosaic_core::{EndedRun, Entry};
/// fn spent(run: &EndedRun, entries: &[Entry]) -> u64 {
///     rows(run, entries).iter().filter(|row| row.kind == LogKind::Model).map(|row| row.usage.output).sum()
/// }
/// ```
#[must_use]
pub fn rows(run: &EndedRun, entries: &[Entry]) -> Vec<LogRow> {
    let mut fold = Fold::of(run);
    entries.iter().filter(|entry| entry.run == Some(run.run)).for_each(|entry| fold.take(entry));
    fold.rows.iter_mut().for_each(cap);
    fold.rows.sort_by_key(|row| row.id);
    fold.rows
}

/// What a provider reports is not to make a row that no store takes.
fn cap(row: &mut LogRow) {
    let usage = &mut row.usage;
    for figure in [
        &mut row.duration_ms,
        &mut usage.input,
        &mut usage.output,
        &mut usage.cached_input,
        &mut usage.cache_write,
        &mut usage.cache_write_1h,
        &mut usage.reasoning,
    ] {
        *figure = (*figure).min(MAX_FIGURE);
    }
    row.cost = row.cost.map(|cost| Cost(cost.0.min(MAX_FIGURE)));
}

/// What is known so far.
struct Fold<'a> {
    run: &'a EndedRun,
    scope: Scope,
    rows: Vec<LogRow>,
    /// When the run began.
    began: Option<Timestamp>,
    /// When the next model call can begin: after the last step, or when a failed one is tried again.
    ready: Timestamp,
    /// The names of calls.
    names: HashMap<CallId, Arc<str>>,
    started: HashMap<CallId, (u32, Timestamp)>,
    questions: HashMap<Seq, (Timestamp, &'static str)>,
    compacting: Option<Timestamp>,
}

impl<'a> Fold<'a> {
    fn of(run: &'a EndedRun) -> Self {
        let scope = Scope {
            tenant: run.session.tenant.clone(),
            user: run.user.clone(),
            agent: Some(run.agent.clone()),
            session: Some(run.session.name.clone()),
        };
        Self {
            run,
            scope,
            rows: Vec::new(),
            began: None,
            ready: Timestamp::default(),
            names: HashMap::new(),
            started: HashMap::new(),
            questions: HashMap::new(),
            compacting: None,
        }
    }

    /// Adds a row that an entry ends, of something that began at a time, with what there is to say of it.
    fn row(
        &mut self,
        entry: &Entry,
        kind: LogKind,
        at: Timestamp,
        status: LogStatus,
        say: impl FnOnce(&mut LogRow),
    ) {
        let place = self.rows.iter().rev().take_while(|row| row.seq == entry.seq).count();
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let mut row = LogRow {
            id: LogRowId::derive(at, &self.scope, self.run.run, entry.seq, place),
            scope: self.scope.clone(),
            run: self.run.run,
            seq: entry.seq,
            kind,
            at,
            duration_ms: entry.at.0.saturating_sub(at.0),
            provider: None,
            name: None,
            status,
            error: None,
            usage: Usage::default(),
            cost: None,
            call: None,
            attempt: 0,
        };
        say(&mut row);
        self.rows.push(row);
    }

    fn take(&mut self, entry: &Entry) {
        let began = *self.began.get_or_insert_with(|| {
            self.ready = entry.at;
            entry.at
        });
        match &entry.body {
            Body::Assistant { parts, stop, usage, cost, origin, route, .. } => {
                for call in parts.iter().filter_map(Part::as_call) {
                    if let Some(name) = tool_name(&call.name) {
                        self.names.insert(call.id.clone(), name);
                    }
                }
                let status =
                    if *stop == StopReason::Cancelled { LogStatus::Cancelled } else { LogStatus::Ok };
                let at = self.model_began(entry, route.as_deref());
                self.row(entry, LogKind::Model, at, status, |row| {
                    (row.usage, row.cost) = (*usage, *cost);
                    row.provider = origin.as_ref().map(|origin| origin.provider.clone());
                    row.name = origin.as_ref().map(|origin| origin.model.clone());
                });
                self.attempts(entry, route.as_deref());
            }
            Body::ModelFailed { error, route, retry_at, .. } => {
                let at = self.model_began(entry, route.as_deref());
                let status = match error.kind {
                    ErrorKind::Cancelled => LogStatus::Cancelled,
                    ErrorKind::Timeout => LogStatus::TimedOut,
                    _ => LogStatus::Error,
                };
                self.row(entry, LogKind::Model, at, status, |row| {
                    row.error = Some(error.into());
                    row.provider = error.provider.as_deref().map(Into::into);
                });
                self.attempts(entry, route.as_deref());
                self.ready = retry_at.unwrap_or_default().max(entry.at);
                return;
            }
            Body::ToolStart { calls } => {
                for start in calls {
                    let before = self.started.insert(start.call.clone(), (start.attempt, entry.at));
                    if let Some((attempt, at)) = before {
                        self.tool(entry, &start.call, (attempt, at), ToolStatus::Unknown);
                    }
                }
                return;
            }
            Body::ToolEnd { call, attempt, status, .. } => {
                let started = self.started.remove(call).map(|(_, at)| at);
                self.tool(entry, call, (*attempt, started.unwrap_or(entry.at)), *status);
            }
            Body::Question { about, .. } => {
                let about = match about {
                    About::Approval { .. } => "approval",
                    About::Recovery { .. } => "recovery",
                };
                self.questions.insert(entry.seq, (entry.at, about));
                return;
            }
            Body::Answer { question, by, decision } => {
                if let Some((at, about)) = self.questions.remove(question) {
                    let status = match decision {
                        _ if by == "deadline" => LogStatus::TimedOut,
                        Decision::Deny { .. } => LogStatus::Denied,
                        _ => LogStatus::Ok,
                    };
                    self.row(entry, LogKind::Question, at, status, |row| row.name = Some(about.into()));
                }
            }
            Body::CompactStart { .. } => self.compacting = Some(entry.at),
            // The model is asked when it is known what it should know.
            Body::Context { .. } => {}
            Body::Compaction { usage, cost, .. } => {
                let at = self.compacting.take().unwrap_or(entry.at);
                self.row(entry, LogKind::Compaction, at, LogStatus::Ok, |row| {
                    (row.usage, row.cost) = (*usage, *cost);
                });
            }
            Body::CompactFailed { error, usage, cost, .. } => {
                let at = self.compacting.take().unwrap_or(entry.at);
                self.row(entry, LogKind::Compaction, at, LogStatus::Error, |row| {
                    (row.usage, row.cost, row.error) = (*usage, *cost, Some(error.into()));
                });
            }
            Body::RunEnd { end, usage, cost } => self.ended(entry, began, end, *usage, *cost),
            // An input that steers comes while the model is being asked.
            _ => return,
        }
        self.ready = entry.at;
    }

    /// When the model call that an entry ends began: its router says so; else when it could.
    fn model_began(&self, entry: &Entry, route: Option<&RouteDecision>) -> Timestamp {
        let asked = route.and_then(|route| route.attempts.first()).map(|first| first.started);
        asked.unwrap_or(self.ready).min(entry.at)
    }

    /// The candidates that were asked in vain. The one that answered is the model call itself.
    fn attempts(&mut self, entry: &Entry, route: Option<&RouteDecision>) {
        for attempt in route.iter().flat_map(|route| &route.attempts) {
            let (status, error) = match &attempt.outcome {
                AttemptOutcome::Failed { kind } => (LogStatus::Error, Some(LogError::of(*kind))),
                AttemptOutcome::Outrun => (LogStatus::Outrun, None),
                AttemptOutcome::Answered { .. } | AttemptOutcome::Running => continue,
            };
            let ended = attempt.ended.unwrap_or(entry.at);
            self.row(entry, LogKind::Attempt, attempt.started, status, |row| {
                row.duration_ms = ended.0.saturating_sub(attempt.started.0);
                row.name = Some(attempt.candidate.clone());
                row.error = error;
            });
        }
    }

    fn tool(&mut self, entry: &Entry, call: &CallId, (attempt, at): (u32, Timestamp), status: ToolStatus) {
        let name = self.names.get(call).cloned();
        let error = match status {
            ToolStatus::Error | ToolStatus::Rejected => Some(LogError::of(ErrorKind::Tool)),
            ToolStatus::TimedOut => Some(LogError::of(ErrorKind::Timeout)),
            _ => None,
        };
        self.row(entry, LogKind::Tool, at, status.into(), |row| {
            (row.name, row.error, row.call, row.attempt) = (name, error, Some(call.clone()), attempt);
        });
    }

    fn ended(&mut self, entry: &Entry, began: Timestamp, end: &RunEnd, usage: Usage, cost: Option<Cost>) {
        let (status, error) = match end {
            RunEnd::Done => (LogStatus::Ok, None),
            RunEnd::Cancelled { .. } => (LogStatus::Cancelled, None),
            RunEnd::Limit { .. } => (LogStatus::Limit, Some(LogError::of(ErrorKind::Budget))),
            RunEnd::Failed { error } => (LogStatus::Error, Some(error.into())),
        };
        self.row(entry, LogKind::Run, began, status, |row| {
            (row.usage, row.cost, row.error) = (usage, cost, error);
        });
    }
}

/// The name of a tool, if it is one: a model may write anything there, and no row quotes what a model says.
fn tool_name(name: &str) -> Option<Arc<str>> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/');
    (!name.is_empty() && name.len() <= MAX_TOOL && name.chars().all(fits)).then(|| name.into())
}

#[cfg(test)]
mod tests;
