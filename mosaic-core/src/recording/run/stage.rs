//! One session of a replay: the machine, told what was recorded, and what it makes of it compared with what was recorded.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::clean;
use super::divergence::Recorded;
use super::line::Read;
use super::replay::ReplayedSession;
use super::request::Digester;
use crate::agent::Agent;
use crate::id::{SessionKey, StepId};
use crate::model::{ModelEnd, ModelEvent};
use crate::recording::Difference;
use crate::runtime::Timestamp;
use crate::session::machine::{Env, Outcome, Step};
use crate::session::{self, Answer, Body, CompactionPolicy, Entry, Feed, Log};
use crate::transport::record::{MASK, Secrets};

/// What is wrong with a line.
pub(super) enum Fault {
    Diverged(Recorded, Difference),
    Misplaced(&'static str),
    Damaged(serde_json::Error),
    NoAgent(String),
}

type Taken = Result<(), Fault>;

/// One session of a replay.
pub(super) struct Stage<'a> {
    key: SessionKey,
    agents: &'a [Agent],
    secrets: &'a Secrets,
    ignored: &'a [String],
    agent: Option<&'a Agent>,
    /// When conversations were compacted: it hangs on the window of a model that need not be there.
    compaction: CompactionPolicy,
    /// What the driver would hold.
    log: Log,
    feed: Feed,
    since: Timestamp,
    asked: Option<Asked>,
    digester: Digester,
    /// Entries that the machine decided on, and that have not come yet.
    due: VecDeque<Entry>,
    /// The clock when the machine last read it, and the steps that it wanted last; none since its driver began.
    at: Timestamp,
    wanted: Option<Vec<StepId>>,
    /// A call's arguments were changed by leaving out a secret, so their digest is another one.
    masked: bool,
    replayed: ReplayedSession,
}

/// A model that is answering.
struct Asked {
    step: u64,
    answer: Answer,
    end: Option<ModelEnd>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        key: SessionKey,
        agents: &'a [Agent],
        secrets: &'a Secrets,
        ignored: &'a [String],
    ) -> Self {
        let replayed = ReplayedSession {
            key: key.clone(),
            entries: Vec::new(),
            history: 0,
            steps: Vec::new(),
            complete: true,
        };
        Self {
            key,
            agents,
            secrets,
            ignored,
            agent: None,
            compaction: CompactionPolicy::Never,
            log: Log::default(),
            feed: Feed::default(),
            since: Timestamp::default(),
            asked: None,
            digester: Digester::default(),
            due: VecDeque::new(),
            at: Timestamp::default(),
            wanted: None,
            masked: false,
            replayed,
        }
    }

    pub(super) fn key(&self) -> &SessionKey {
        &self.key
    }

    pub(super) fn into_replayed(self) -> ReplayedSession {
        self.replayed
    }

    pub(super) fn take(&mut self, line: &Read) -> Taken {
        if !matches!(line, Read::Entry { .. } | Read::End { error: Some(_), .. }) {
            self.nothing_is_due()?;
        }
        match line {
            Read::Begin { at, key, since, .. } => self.begin(*at, key, *since),
            Read::History { entry, .. } => {
                self.replayed.history += 1;
                self.apply(entry.clone())
            }
            Read::Bind { at, agent, model, user, compaction, noted, .. } => {
                self.compaction = *compaction;
                self.bind(*at, agent, (model, user.clone()), *noted)
            }
            Read::Outcome { at, outcome, .. } => self.outcome(*at, outcome),
            Read::Entry { entry, .. } => self.entry(entry),
            Read::Steps { at, steps, request, .. } => self.steps(*at, steps, request.as_ref()),
            Read::Event { step, event, .. } => self.event(*step, event),
            Read::End { error, .. } => {
                if error.is_none() && self.agent.is_some() {
                    self.has_what_it_wants(self.wanted.clone().unwrap_or_default())?;
                }
                // What could not be appended is not part of the log.
                self.due.clear();
                (self.asked, self.wanted, self.replayed.complete) = (None, None, true);
                Ok(())
            }
        }
    }

    fn begin(&mut self, at: Timestamp, key: &SessionKey, since: Timestamp) -> Taken {
        if *key != self.key {
            return Err(Fault::Misplaced("its session has another key"));
        }
        self.feed.begin(self.log.last());
        (self.at, self.since, self.agent) = (at, since, None);
        (self.asked, self.wanted, self.replayed.complete) = (None, None, false);
        Ok(())
    }

    /// Whether another agent would be noted is not compared: what is another one about it shows where it counts.
    fn bind(&mut self, at: Timestamp, name: &str, bound: (&str, Option<Arc<str>>), noted: bool) -> Taken {
        let (model, user) = bound;
        let agent = self.agents.iter().find(|agent| agent.name() == name);
        let agent = agent.ok_or_else(|| Fault::NoAgent(name.to_owned()))?;
        (self.at, self.agent) = (at, Some(agent));
        if noted {
            let (seq, v, body) =
                (self.log.last().next(), session::FORMAT, session::bound(agent, model.to_owned(), user));
            self.due.push_back(Entry { seq, v, at, run: None, body });
        }
        Ok(())
    }

    fn agent(&self) -> Result<&'a Agent, Fault> {
        self.agent.ok_or(Fault::Misplaced("no line before it binds an agent"))
    }

    fn outcome(&mut self, at: Timestamp, recorded: &Value) -> Taken {
        let agent = self.agent()?;
        let outcome: Outcome = serde_json::from_value(recorded.clone()).map_err(Fault::Damaged)?;
        self.is_wanted(&outcome)?;
        let outcome = match outcome {
            Outcome::Reply { step, .. } => {
                let asked = self.asked.take().filter(|asked| asked.step == step);
                let Some((answer, Some(end))) = asked.map(|asked| (asked.answer, asked.end)) else {
                    return Err(diverged(Recorded::Outcome, Some(recorded), None));
                };
                Outcome::Reply { step, reply: answer.into_reply(end) }
            }
            Outcome::ModelFailed { step, error, .. } => {
                let Some(asked) = self.asked.take().filter(|asked| asked.step == step) else {
                    return Err(diverged(Recorded::Outcome, Some(recorded), None));
                };
                let (partial, route) = (self.feed.partial(), asked.answer.route);
                Outcome::ModelFailed { step, error, partial, route }
            }
            Outcome::Cancel { reason, .. } => {
                self.asked = None;
                Outcome::Cancel { reason, partial: self.feed.partial() }
            }
            Outcome::Tick { .. } => Outcome::Tick { partial: self.feed.partial() },
            given => given,
        };
        if let Outcome::Reply { reply, .. } = &outcome {
            let calls = reply.parts.iter().filter_map(|part| part.as_call());
            self.masked |= calls.into_iter().any(|call| call.arguments.contains(MASK));
        }
        self.compare(Recorded::Outcome, recorded, &outcome)?;
        let env = Env {
            tools: agent.tools(),
            limits: agent.limits(),
            gathers: session::machine::Gathers::of(agent),
            compaction: self.compaction,
            recovery: agent.recovery(),
            since: self.since,
        };
        self.at = at;
        self.due.extend(self.log.machine.decide(outcome, &env, at).entries);
        Ok(())
    }

    /// What ends by itself had begun: before such an outcome, the driver has made happen what the machine wanted.
    fn is_wanted(&self, outcome: &Outcome) -> Taken {
        let told = matches!(
            outcome,
            Outcome::Input { .. } | Outcome::Answered { .. } | Outcome::Cancel { .. } | Outcome::Recovered
        );
        // A question may expire while nobody drives the run: that is the first thing that its driver hears.
        let first = self.wanted.is_none() && matches!(outcome, Outcome::Tick { .. });
        match &self.wanted {
            _ if told || first => Ok(()),
            Some(wanted) => self.has_what_it_wants(wanted.clone()),
            None => self.has_what_it_wants(Vec::new()),
        }
    }

    /// Whether the steps that were recorded last are those that are wanted now.
    fn has_what_it_wants(&self, recorded: Vec<StepId>) -> Taken {
        let wants = self.wants(self.at);
        if recorded == wants {
            return Ok(());
        }
        let recorded = json!({ "steps": recorded });
        Err(diverged(Recorded::Steps, Some(&recorded), Some(json!({ "steps": wants }))))
    }

    fn wants(&self, at: Timestamp) -> Vec<StepId> {
        self.log.machine.steps(at).iter().map(Step::id).collect()
    }

    fn steps(&mut self, at: Timestamp, steps: &Value, request: Option<&Value>) -> Taken {
        let agent = self.agent()?;
        let wants = self.wants(at);
        let is_going_on = |asked: &Asked| wants.contains(&StepId::Model { number: asked.step });
        self.asked = self.asked.take().filter(is_going_on);
        let begins = wants.iter().find_map(|step| match step {
            StepId::Model { number } if self.asked.is_none() => Some(*number),
            _ => None,
        });
        self.compare(Recorded::Steps, &json!({ "steps": steps }), &json!({ "steps": wants }))?;
        let mut asks = Value::Null;
        if let Some(step) = begins {
            let request = self.digester.of(&session::request(agent, &self.log), self.secrets);
            asks = json!({ "request": request });
            self.feed.step(self.log.machine.run(), step);
            self.asked = Some(Asked { step, answer: Answer::default(), end: None });
        }
        let asked = request.map_or(Value::Null, |request| json!({ "request": request }));
        self.compare(Recorded::Steps, &asked, &asks)?;
        self.at = at;
        let known = self.wanted.replace(wants).unwrap_or_default();
        let wanted = self.wanted.iter().flatten();
        self.replayed.steps.extend(wanted.filter(|step| !known.contains(step)).cloned());
        Ok(())
    }

    fn event(&mut self, step: u64, event: &ModelEvent) -> Taken {
        let asked = self.asked.as_mut().filter(|asked| asked.step == step && asked.end.is_none());
        let asked = asked.ok_or(Fault::Misplaced("no model is answering this step"))?;
        match event {
            ModelEvent::Done(end) => asked.end = Some(end.clone()),
            event => {
                self.feed.model(event);
                asked.answer.take(event.clone());
            }
        }
        Ok(())
    }

    fn entry(&mut self, recorded: &Value) -> Taken {
        if let Some(entry) = self.due.pop_front() {
            self.compare(Recorded::Entry, recorded, &entry)?;
            return self.apply(entry);
        }
        // What the host writes into the log is told to nobody else.
        let entry: Entry = serde_json::from_value(recorded.clone()).map_err(Fault::Damaged)?;
        match entry.body {
            Body::Label { .. } | Body::Custom { .. } | Body::Rewind { .. } => self.apply(entry),
            _ => Err(diverged(Recorded::Entry, Some(recorded), None)),
        }
    }

    fn apply(&mut self, entry: Entry) -> Taken {
        if entry.seq != self.log.last().next() {
            return Err(Fault::Misplaced("the entry is not the next one of its session"));
        }
        let is_rewind = matches!(entry.body, Body::Rewind { .. });
        self.replayed.entries.push(entry.clone());
        if is_rewind {
            self.log = Log::fold(&self.replayed.entries);
        } else {
            self.log.apply(&entry);
        }
        self.feed.entries([Arc::new(entry)]);
        Ok(())
    }

    fn nothing_is_due(&self) -> Taken {
        match self.due.front() {
            None => Ok(()),
            Some(entry) => Err(diverged(Recorded::Entry, None, Some(self.cleaned(entry)?))),
        }
    }

    fn compare(&self, what: Recorded, recorded: &Value, found: &impl Serialize) -> Taken {
        let found = self.cleaned(found)?;
        let mut ignored: Vec<&str> = self.ignored.iter().map(String::as_str).collect();
        if self.masked {
            ignored.push(ARGUMENTS_DIGEST);
        }
        // A digest says that there is a difference; anything else says which.
        let by_digest = Difference::first(recorded, &found, &ignored);
        ignored.push(AGENT_DIGEST);
        match Difference::first(recorded, &found, &ignored).or(by_digest) {
            Some(difference) => Err(Fault::Diverged(what, difference)),
            None => Ok(()),
        }
    }

    fn cleaned(&self, found: &impl Serialize) -> Result<Value, Fault> {
        let mut found = serde_json::to_value(found).map_err(Fault::Damaged)?;
        clean(&mut found, self.secrets);
        Ok(found)
    }
}

/// Where an entry about an agent keeps it.
const AGENT_DIGEST: &str = "/body/digest";
/// Where the question about a call keeps it.
const ARGUMENTS_DIGEST: &str = "/body/about/args_digest";

fn diverged(what: Recorded, recorded: Option<&Value>, found: Option<Value>) -> Fault {
    let recorded = recorded.cloned();
    Fault::Diverged(what, Difference { pointer: String::new(), recorded, found })
}
