//! What follows from where the machine stands, whatever led there: starting calls, ending runs.
//!
//! Because this looks at the state alone, a crash between any two entries needs no special case: settling goes on from
//! what the log says.

use super::decide::Draft;
use super::state::{Call, CallState, CompactionPolicy, Gathers, Phase, Run};
use crate::error::{ErrorKind, ErrorReport};
use crate::message::{Part, ToolStatus};
use crate::session::entry::{About, Body, CallStart, CancelReason, Decision, LimitKind, NoticeKind, RunEnd};
use crate::tool::{Approval, Effect};

/// What must happen to a call before anything else can.
enum Due {
    End(ToolStatus, Vec<Part>),
    Ask(Body),
    Start(CallStart),
}

impl Draft<'_> {
    /// Appends what follows, until nothing does.
    pub(super) fn settle(&mut self) {
        while let Some(run) = self.machine.run.as_deref() {
            let bodies = match run.phase {
                Phase::Idle | Phase::Gathering | Phase::Compacting => self.limit(run).into_iter().collect(),
                Phase::Thinking => self.thinking(run),
                Phase::Tools => match self.limit(run) {
                    Some(cancel) => vec![cancel],
                    None => self.calls(run),
                },
                Phase::Cancelling => cancelling(run),
            };
            if bodies.is_empty() {
                break;
            }
            bodies.into_iter().for_each(|body| self.push(body));
        }
    }

    fn limits<'a>(&'a self, run: &'a Run) -> &'a crate::agent::Limits {
        run.limits.as_ref().unwrap_or(self.env.limits)
    }

    fn limit(&self, run: &Run) -> Option<Body> {
        let limits = self.limits(run);
        let limit = if self.now >= run.started.max(self.env.since).after(limits.run_timeout) {
            LimitKind::Time
        } else if run.phase == Phase::Thinking && run.steps >= limits.max_steps {
            LimitKind::Steps
        } else if run.phase == Phase::Thinking
            && limits.max_tokens.is_some_and(|max| run.usage.input.saturating_add(run.usage.output) >= max)
        {
            LimitKind::Tokens
        } else {
            return None;
        };
        Some(Body::Cancel { reason: CancelReason::Limit { limit } })
    }

    fn thinking(&self, run: &Run) -> Vec<Body> {
        let end = |end| vec![Body::RunEnd { end, usage: run.usage, cost: run.cost }];
        let tries_left = |max| run.compact_tries < max;
        if let Some(last) = &run.concluded {
            return match self.judge(run, last) {
                Ok(()) => end(RunEnd::Done),
                Err(Verdict::Again(parts)) => {
                    vec![Body::Notice { parts, why: NoticeKind::OutputInvalid }]
                }
                Err(Verdict::Failed(error)) => end(RunEnd::Failed { error }),
            };
        }
        if let Some(error) = &run.failed {
            return match self.env.compaction {
                CompactionPolicy::At { max_tries, .. }
                    if error.kind == ErrorKind::ContextOverflow && tries_left(max_tries) =>
                {
                    vec![self.compact_start()]
                }
                _ => end(RunEnd::Failed { error: error.clone() }),
            };
        }
        if let Some(cancel) = self.limit(run) {
            return vec![cancel];
        }
        if self.env.gathers == Gathers::Context && !run.gathered {
            return vec![Body::ContextStart { step: self.machine.contexts.saturating_add(1) }];
        }
        match self.env.compaction {
            CompactionPolicy::At { threshold, max_tries }
                if self.machine.context >= threshold.max(self.machine.floor) && tries_left(max_tries) =>
            {
                vec![self.compact_start()]
            }
            _ => Vec::new(),
        }
    }

    fn compact_start(&self) -> Body {
        Body::CompactStart { step: self.machine.compactions.saturating_add(1) }
    }

    /// Whether the model's last word is an answer.
    fn judge(&self, run: &Run, last: &super::state::Concluded) -> Result<(), Verdict> {
        if last.filtered {
            return Err(Verdict::Failed(ErrorReport::new(
                ErrorKind::ContentFiltered,
                "the provider's filter stopped the answer; rephrase the input, or ask another model",
            )));
        }
        let Some(output) = &run.output else { return Ok(()) };
        let problem = match parse_json(&last.text) {
            Err(error) => format!("it is not JSON: {error}"),
            Ok(value) => match self.env.tools.check().check(&output.schema, &value) {
                Ok(()) => return Ok(()),
                Err(mismatch) => format!("it does not fit the schema {mismatch}"),
            },
        };
        let tries = run.output_tries.saturating_add(1);
        if tries >= self.limits(run).max_output_tries {
            return Err(Verdict::Failed(ErrorReport::new(
                ErrorKind::Decode,
                format!(
                    "the model gave no answer of the shape `{}` in {tries} tries: {problem}",
                    output.name
                ),
            )));
        }
        Err(Verdict::Again(vec![Part::text(format!(
            "Your last answer was not accepted: {problem}. Answer again with JSON that fits the schema of `{}`, and nothing else.",
            output.name
        ))]))
    }

    /// What is due for the open calls: ends first, then questions, then as many starts as may run at once.
    fn calls(&self, run: &Run) -> Vec<Body> {
        let running = run.calls.iter().filter(|call| call.is_running()).count();
        let limit = usize::try_from(self.limits(run).parallel_tools).unwrap_or(usize::MAX).max(1);
        let (mut bodies, mut starts) = (Vec::new(), Vec::new());
        for call in run.calls.iter().filter(|call| call.state == CallState::Ready) {
            match self.due(run, call) {
                Due::End(status, content) => bodies.push(Body::ToolEnd {
                    call: call.call.id.clone(),
                    attempt: call.attempt,
                    status,
                    content,
                }),
                Due::Ask(question) => bodies.push(question),
                Due::Start(start) if running.saturating_add(starts.len()) < limit => starts.push(start),
                Due::Start(_) => {}
            }
        }
        if !starts.is_empty() {
            bodies.push(Body::ToolStart { calls: starts });
        }
        bodies
    }

    fn due(&self, run: &Run, call: &Call) -> Due {
        let end = |status, text: String| Due::End(status, vec![Part::text(text)]);
        let name = &call.call.name;
        if run.cut {
            return end(
                ToolStatus::NotRun,
                "Your answer was cut off by its length limit, so this call was not run. Write less at once."
                    .into(),
            );
        }
        match &call.decision {
            Some(Decision::Deny { reason }) => {
                return end(ToolStatus::Denied, format!("The call was denied. {reason}").trim_end().into());
            }
            Some(Decision::Give { content }) => return Due::End(ToolStatus::Ok, content.clone()),
            Some(Decision::TellUnknown) => return unknown(),
            Some(Decision::Approve | Decision::Retry) | None => {}
        }
        let Some(spec) = self.env.tools.specs().get(name) else {
            return if call.attempt > 0 {
                unknown()
            } else {
                end(ToolStatus::Rejected, self.no_such_tool(name))
            };
        };
        let input = match call.call.input() {
            Ok(input) => input,
            Err(error) => {
                return end(
                    ToolStatus::Rejected,
                    format!("The arguments are not JSON: {error}. The call was not run."),
                );
            }
        };
        if let Err(mismatch) = self.env.tools.check().check(&spec.input_schema, &input) {
            return end(
                ToolStatus::Rejected,
                format!("The arguments do not fit the tool's schema {mismatch}. The call was not run."),
            );
        }
        if spec.approval == Approval::Always && !call.may_run_unasked() {
            return Due::Ask(self.question(
                run,
                About::Approval {
                    call: call.call.id.clone(),
                    args_digest: crate::agent::digest(&[name, &call.call.arguments]),
                },
            ));
        }
        Due::Start(CallStart {
            call: call.call.id.clone(),
            attempt: call.attempt.saturating_add(1),
            // The stricter of what was recorded and what the tool says now.
            effect: call.effect.unwrap_or(spec.effect).max(spec.effect),
            key: format!("{}:{}", run.id, call.call.id).into(),
        })
    }

    fn no_such_tool(&self, name: &str) -> String {
        let names: Vec<&str> = self.env.tools.specs().iter().map(|spec| &*spec.name).collect();
        match names.as_slice() {
            [] => format!("There is no tool `{name}`; there are no tools at all."),
            names => format!("There is no tool `{name}`. The tools are: {}.", names.join(", ")),
        }
    }

    pub(super) fn question(&self, run: &Run, about: About) -> Body {
        let default = match &about {
            About::Approval { .. } => Decision::Deny { reason: "Nobody answered in time.".into() },
            About::Recovery { .. } => Decision::TellUnknown,
        };
        let expires = Some(self.now.after(self.limits(run).question_timeout));
        Body::Question { about, expires, default }
    }

    /// What becomes of the calls of a driver that is gone.
    pub(super) fn recover(&mut self) {
        let Some(run) = self.machine.run.as_deref() else { return };
        let cancelling = run.phase == Phase::Cancelling;
        let mut bodies = Vec::new();
        let mut again = Vec::new();
        for call in run.calls.iter().filter(|call| call.is_running()) {
            let id = || call.call.id.clone();
            let CallState::Running { key } = &call.state else { continue };
            let spec = self.env.tools.specs().get(&call.call.name);
            let recorded = call.effect.unwrap_or_default();
            let effect = spec.map_or(Effect::Once, |spec| recorded.max(spec.effect));
            if !cancelling && effect != Effect::Once {
                again.push(CallStart {
                    call: id(),
                    attempt: call.attempt.saturating_add(1),
                    effect,
                    key: key.clone(),
                });
            } else if !cancelling && spec.is_some() && self.env.recovery == super::RecoveryPolicy::Ask {
                bodies.push(self.question(run, About::Recovery { call: id() }));
            } else if let Due::End(status, content) = unknown() {
                bodies.push(Body::ToolEnd { call: id(), attempt: call.attempt, status, content });
            }
        }
        if !again.is_empty() {
            bodies.push(Body::ToolStart { calls: again });
        }
        bodies.into_iter().for_each(|body| self.push(body));
    }
}

enum Verdict {
    Again(Vec<Part>),
    Failed(ErrorReport),
}

fn unknown() -> Due {
    Due::End(
        ToolStatus::Unknown,
        vec![Part::text(
            "The program was interrupted while this call was running. Whether it had an effect is unknown. \
             Find out before you call it again.",
        )],
    )
}

fn cancelling(run: &Run) -> Vec<Body> {
    if run.calls.iter().any(Call::is_running) {
        return Vec::new();
    }
    let mut bodies: Vec<Body> = run
        .calls
        .iter()
        .filter(|call| call.is_open())
        .map(|call| Body::ToolEnd {
            call: call.call.id.clone(),
            attempt: call.attempt,
            status: ToolStatus::NotRun,
            content: vec![Part::text("The run was stopped before this call was run.")],
        })
        .collect();
    let end = match run.cancel.clone() {
        Some(CancelReason::Host { reason }) => RunEnd::Cancelled { reason },
        Some(CancelReason::Limit { limit }) => RunEnd::Limit { limit },
        Some(CancelReason::Fatal { error }) => RunEnd::Failed { error },
        None => RunEnd::Cancelled { reason: String::new() },
    };
    bodies.push(Body::RunEnd { end, usage: run.usage, cost: run.cost });
    bodies
}

/// The JSON of an answer, also where the model put it into a fence.
pub(in crate::session) fn parse_json(text: &str) -> Result<serde_json::Value, serde_json::Error> {
    let text = text.trim();
    let bare = text
        .strip_prefix("```json")
        .or_else(|| text.strip_prefix("```"))
        .and_then(|rest| rest.strip_suffix("```"))
        .unwrap_or(text);
    serde_json::from_str(bare.trim())
}
