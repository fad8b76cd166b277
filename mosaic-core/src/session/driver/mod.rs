//! The driver: makes happen what the machine wants, and reports how it ended.
//!
//! One task a session, and only while there is something to do. It holds the log and, while it writes, the lease. Its loop:
//! take commands and outcomes, let the machine decide, append, apply, and reconcile what is going on with
//! [`Machine::steps`](super::machine::Machine::steps).

mod answer;
mod command;
mod compact_step;
mod ending;
mod gather;
mod model_step;
mod tool_step;
mod wait;
mod writer;

pub(crate) use answer::{Answer, request};
pub(crate) use command::{Command, NewInput};

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::entry::{Body, CancelReason, Entry};
use super::error::SessionError;
use super::log::{self, Log};
use super::machine::{Env, Gathers, Outcome, Phase, Step};
use super::shared::{Bound, Shared};
use crate::engine::Active;
use crate::id::{CallId, StepId};
use crate::recording::run::Pen;
use crate::runtime::{BoxFuture, Timestamp};
use tool_step::{Running, ToolDone};
use wait::Woken;
use writer::Writer;

/// Drives one session until nothing is left to do.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    mailbox: mpsc::UnboundedReceiver<Command>,
    /// Keeps `close` waiting; not while the run waits for nothing but answers, which may be given after a restart.
    active: Option<Active>,
    /// The agent of the run that is going on.
    bound: Bound,
    /// When this driver began.
    since: Timestamp,
    work: Work,
    /// Writes down what happens, while runs are recorded.
    pen: Option<Arc<Pen>>,
}

/// What is going on.
struct Work {
    tools: HashMap<(CallId, u32), Running>,
    done: mpsc::UnboundedSender<ToolDone>,
    ended: mpsc::UnboundedReceiver<ToolDone>,
    model: Option<(StepId, BoxFuture<Outcome>)>,
    timer: Option<(Timestamp, BoxFuture<()>)>,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        mailbox: mpsc::UnboundedReceiver<Command>,
        active: Active,
    ) -> Self {
        let (done, ended) = mpsc::unbounded_channel();
        let work = Work { tools: HashMap::new(), done, ended, model: None, timer: None };
        let since = shared.around.runtime.now();
        let bound = shared.bound();
        Self { shared, mailbox, active: Some(active), bound, since, work, pen: None }
    }

    /// Runs until nothing is left to do, or the store fails.
    pub(crate) async fn run(mut self) {
        let mut log = self.shared.log.clone().lock_owned().await;
        let mut writer = Writer::new(self.shared.clone());
        let mut next = None;
        loop {
            let failed = self.drive(next, &mut log, &mut writer).await.err().map(|error| error.report());
            self.end_recording(failed.as_ref());
            if let Some(error) = failed {
                self.shared.feed.fail(error);
            }
            self.stop_all();
            writer.release().await;
            // Only now may somebody start another driver: the lease is free, and the log is ours until we drop it.
            next = self.shared.retire(&mut self.mailbox);
            if next.is_none() {
                break;
            }
        }
    }

    async fn drive(
        &mut self,
        mut next: Option<Command>,
        log: &mut Log,
        writer: &mut Writer,
    ) -> Result<(), SessionError> {
        loop {
            while let Some(command) = next.take().or_else(|| self.mailbox.try_recv().ok()) {
                if !writer.is_leased()
                    && let Err(error) = self.begin(log, writer).await
                {
                    command.refuse(error);
                    continue;
                }
                self.obey(command, log, writer).await?;
            }
            if !writer.is_leased() && !log.machine.is_parked() {
                return Ok(());
            }
            self.reconcile(log);
            if log.machine.phase() == Phase::Idle && self.work.tools.is_empty() {
                return Ok(());
            }
            if log.machine.is_parked() && self.work.tools.is_empty() {
                // Any process may answer meanwhile.
                writer.release().await;
                self.end_recording(None);
                self.active = None;
            }
            match self.wait().await {
                Woken::Command(None) => return Ok(()),
                Woken::Command(command) => next = command,
                Woken::Outcome(outcome) => self.decide(outcome, log, writer).await?,
                Woken::Tool(done) => {
                    self.work.tools.remove(&(done.call.clone(), done.attempt));
                    if let (Some(token), Some(run)) = (&done.fatal, log.machine.run()) {
                        self.shared.set_fatal(run, token.clone());
                    }
                    self.decide(done.into_outcome(), log, writer).await?;
                }
                Woken::Tick => {
                    if !writer.is_leased() {
                        self.begin(log, writer).await?;
                    }
                    let partial = self.shared.feed.partial();
                    self.decide(Outcome::Tick { partial }, log, writer).await?;
                }
            }
        }
    }

    /// Becomes the writer, takes in what others wrote, and takes over what they left. All or nothing: without the lease
    /// nothing is driven, so a call that somebody else has started is never taken for one of ours.
    async fn begin(&mut self, log: &mut Log, writer: &mut Writer) -> Result<(), SessionError> {
        let begun = self.take_over(log, writer).await;
        if let Err(error) = &begun {
            writer.release().await;
            self.end_recording(Some(&error.report()));
        }
        begun
    }

    async fn take_over(&mut self, log: &mut Log, writer: &mut Writer) -> Result<(), SessionError> {
        if self.active.is_none() {
            self.active = Some(self.shared.around.activity.enter()?);
        }
        writer.lease(log).await?;
        self.shared.feed.begin(log.last());
        self.begin_recording(log, writer).await;
        self.bind(log, writer).await?;
        // What is going on in this task is not lost.
        if self.work.tools.is_empty() {
            self.decide(Outcome::Recovered, log, writer).await?;
        }
        Ok(())
    }

    /// Takes the agent that the session was opened with last, and writes it down when it is another one.
    async fn bind(&mut self, log: &mut Log, writer: &mut Writer) -> Result<(), SessionError> {
        self.bound = self.shared.bound();
        let agent = &self.bound.agent;
        let user = self.shared.user();
        let known = log.bound.as_deref() == Some(agent.digest()) && (user.is_none() || log.user == user);
        if known && self.pen.is_none() {
            return Ok(());
        }
        let model = self.bound.model.info();
        let model = format!("{}:{}", model.provider, model.model);
        let at = self.shared.around.runtime.now();
        if let Some(pen) = &self.pen {
            pen.bind(at, agent, &model, user.as_deref(), self.bound.policy, !known);
        }
        if known {
            return Ok(());
        }
        writer.note(log, None, at, log::bound(agent, model, user)).await
    }

    /// Takes up the pen, if runs are recorded. What the recording does not know of the log is read for it; that this fails
    /// ends the recording, and not the run.
    async fn begin_recording(&mut self, log: &Log, writer: &mut Writer) {
        self.pen = self.shared.around.recording.pen(&self.shared.key);
        writer.pen.clone_from(&self.pen);
        let Some(pen) = &self.pen else { return };
        let unknown = match pen.unknown(log.last()) {
            Some(from) => self.shared.read(from).await,
            None => Ok(Vec::new()),
        };
        match unknown {
            Ok(entries) => pen.begin(self.shared.around.runtime.now(), self.since, &entries),
            Err(error) => pen.fail(error),
        }
    }

    fn end_recording(&self, error: Option<&crate::error::ErrorReport>) {
        if let Some(pen) = &self.pen {
            pen.end(self.shared.around.runtime.now(), error);
        }
    }

    async fn obey(
        &mut self,
        command: Command,
        log: &mut Log,
        writer: &mut Writer,
    ) -> Result<(), SessionError> {
        match command {
            Command::Input { input, answer } => {
                // A driver may still be there from the run before, with the agent of that one.
                if log.machine.phase() == Phase::Idle
                    && let Err(error) = self.bind(log, writer).await
                {
                    return reply(answer, Err(error));
                }
                let run = self.shared.new_run();
                let NewInput { parts, delivery, output, limits } = input;
                let outcome = Outcome::Input { run, parts, delivery, output, limits };
                let result = self.decided(outcome, log, writer).await.map(|entries| {
                    let entry = entries.iter().find(|entry| matches!(entry.body, Body::Input { .. }));
                    entry.map_or((run, log.last()), |entry| (entry.run.unwrap_or(run), entry.seq))
                });
                reply(answer, result)
            }
            Command::Resume { answer } => reply(answer, Ok(log.machine.run().zip(log.machine.input()))),
            Command::Cancel { run, reason, answer } if log.machine.run() == Some(run) => {
                // The model's call ends here and now; what it said is kept.
                self.work.model = None;
                let partial = self.shared.feed.partial();
                let outcome = Outcome::Cancel { reason: CancelReason::Host { reason }, partial };
                reply(answer, self.decide(outcome, log, writer).await)
            }
            // It has ended already.
            Command::Cancel { answer, .. } => reply(answer, Ok(())),
            Command::Answer { question, by, decision, answer } => {
                let outcome = Outcome::Answered { question, by, decision };
                match self.decided(outcome, log, writer).await {
                    Ok(entries) if entries.is_empty() => {
                        let reason = format!(
                            "there is no open question {question} in this session that this decision answers"
                        );
                        let _ = answer.send(Err(SessionError::Invalid { reason }));
                        Ok(())
                    }
                    result => reply(answer, result.map(drop)),
                }
            }
            Command::Note { body, answer } => match self.note(body, log, writer).await {
                Err(error @ SessionError::Invalid { .. }) => {
                    let _ = answer.send(Err(error));
                    Ok(())
                }
                result => reply(answer, result),
            },
        }
    }

    async fn note(
        &mut self,
        body: Body,
        log: &mut Log,
        writer: &mut Writer,
    ) -> Result<crate::id::Seq, SessionError> {
        if let Body::Rewind { to } = body {
            return writer.rewind(log, to).await;
        }
        let (run, at) = (log.machine.run(), self.shared.around.runtime.now());
        writer.note(log, run, at, body).await?;
        Ok(log.last())
    }

    async fn decide(
        &mut self,
        outcome: Outcome,
        log: &mut Log,
        writer: &mut Writer,
    ) -> Result<(), SessionError> {
        self.decided(outcome, log, writer).await.map(drop)
    }

    async fn decided(
        &mut self,
        outcome: Outcome,
        log: &mut Log,
        writer: &mut Writer,
    ) -> Result<Vec<Arc<Entry>>, SessionError> {
        let bound = &self.bound;
        let env = Env {
            tools: bound.agent.tools(),
            limits: bound.agent.limits(),
            gathers: Gathers::of(&bound.agent),
            compaction: bound.policy,
            recovery: bound.agent.recovery(),
            since: self.since,
        };
        let now = self.shared.around.runtime.now();
        if let Some(pen) = &self.pen {
            pen.outcome(now, &outcome);
        }
        let decided = log.machine.decide(outcome, &env, now);
        ending::tell(&self.shared, &self.bound, log, &decided.entries).await;
        writer.append(log, decided.entries).await
    }

    /// Starts what is wanted and not going on, and stops what is going on and not wanted.
    fn reconcile(&mut self, log: &Log) {
        let bound = &self.bound;
        let now = self.shared.around.runtime.now();
        let limits = log.machine.limits().unwrap_or(bound.agent.limits());
        let steps = log.machine.steps(now);
        if let Some((id, _)) = &self.work.model
            && !steps.iter().any(|step| step.id() == *id)
        {
            self.work.model = None;
        }
        let mut asked = None;
        for step in &steps {
            match step {
                Step::CallModel { number } if self.work.model.is_none() => {
                    let request = request(&bound.agent, log);
                    let pen = self.pen.clone();
                    asked = pen.as_ref().map(|pen| pen.digest(&request));
                    let start = model_step::Start { run: log.machine.run(), number: *number, request, pen };
                    self.work.model = Some((step.id(), model_step::start(&self.shared, bound, start)));
                }
                Step::Gather { number } if self.work.model.is_none() => {
                    self.work.model = Some((step.id(), gather::start(&self.shared, bound, log, *number)));
                }
                Step::Compact { number } if self.work.model.is_none() => {
                    let (tries, context) = (log.machine.compact_tries(), log.context.clone());
                    let start = compact_step::Start { number: *number, tries, context };
                    self.work.model = Some((step.id(), compact_step::start(&self.shared, bound, start)));
                }
                Step::RunTool { call, attempt, key } => {
                    let id = (call.id.clone(), *attempt);
                    if !self.work.tools.contains_key(&id)
                        && let Some(run) = log.machine.run()
                    {
                        let input = log.machine.input().unwrap_or_default();
                        let start = tool_step::Start { run, input, call, attempt: *attempt, key, limits };
                        let running = tool_step::start(&self.shared, bound, start, self.work.done.clone());
                        self.work.tools.insert(id, running);
                    }
                }
                _ => {}
            }
        }
        if let Some(pen) = &self.pen {
            pen.steps(now, &steps, asked.as_ref());
        }
        if log.machine.phase() == Phase::Cancelling {
            self.work.tools.values().for_each(Running::cancel);
        }
        let wake = log.machine.wake_at(limits, self.since, now);
        if self.work.timer.as_ref().map(|(at, _)| *at) != wake {
            let sleep = |at| (at, self.shared.around.runtime.sleep_until(at));
            self.work.timer = wake.map(sleep);
        }
    }

    /// Lets go of everything, without waiting: the log says what was going on.
    fn stop_all(&mut self) {
        self.work.model = None;
        self.work.timer = None;
        for (_, running) in self.work.tools.drain() {
            running.abandon();
        }
        while self.work.ended.try_recv().is_ok() {}
    }
}

/// Answers a command. When the store failed, the driver must stop as well: what it knows of the log may be wrong.
fn reply<T>(
    answer: tokio::sync::oneshot::Sender<Result<T, SessionError>>,
    result: Result<T, SessionError>,
) -> Result<(), SessionError> {
    let stopped = match &result {
        Ok(_) => Ok(()),
        Err(error) => Err(SessionError::Stopped { report: error.report() }),
    };
    // Nobody may be listening any more.
    let _ = answer.send(result);
    stopped
}
