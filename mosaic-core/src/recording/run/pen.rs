//! Writes down what happens in one session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clean;
use super::hold::{Held, Holding};
use super::line::Write;
use super::recorder::RunRecorder;
use super::request::{Digester, RequestDigest};
use crate::agent::Agent;
use crate::error::{BoxError, ErrorReport};
use crate::id::{Seq, SessionKey, StepId};
use crate::model::{ModelEvent, ModelRequest};
use crate::recording::lines::to_line;
use crate::runtime::Timestamp;
use crate::session::machine::{Outcome, Step};
use crate::session::{CompactionPolicy, Entry};
use crate::transport::record::Secrets;

/// Writes down what happens in one session, for its driver. Nothing here fails: what goes wrong ends the recording.
#[derive(Debug)]
pub(crate) struct Pen {
    recorder: RunRecorder,
    session: u64,
    key: SessionKey,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last entry that is in the recording.
    known: Seq,
    /// A driver has begun, and not ended.
    open: bool,
    /// The agent that was bound since then, and the steps that were wanted last.
    bound: Option<(String, String, CompactionPolicy)>,
    steps: Vec<StepId>,
    digester: Digester,
    holding: Holding,
    /// Lines that are still to be written, in one go.
    out: Vec<u8>,
}

impl Pen {
    pub(super) fn new(recorder: RunRecorder, session: u64, key: SessionKey) -> Self {
        Self { recorder, session, key, state: Mutex::default() }
    }

    /// From where on the recording does not know the log.
    pub(crate) fn unknown(&self, last: Seq) -> Option<Seq> {
        let known = self.lock().known;
        (known < last).then(|| known.next())
    }

    /// A driver has become the writer. `entries` are those that the recording does not know yet.
    pub(crate) fn begin(&self, at: Timestamp, since: Timestamp, entries: &[Entry]) {
        let session = self.session;
        self.write(|state, put| {
            (state.open, state.bound) = (true, None);
            state.steps.clear();
            put(state, &Write::Begin { session, at, key: &self.key, since });
            for entry in entries {
                put(state, &Write::History { session, entry });
                state.known = entry.seq;
            }
        });
    }

    /// An agent is bound; `noted` when an entry says so.
    pub(crate) fn bind(
        &self,
        at: Timestamp,
        agent: &Agent,
        model: &str,
        user: Option<&str>,
        compaction: CompactionPolicy,
        noted: bool,
    ) {
        let session = self.session;
        self.write(|state, put| {
            let bound = (agent.digest().to_owned(), model.to_owned(), compaction);
            if noted || state.bound.as_ref() != Some(&bound) {
                let (agent, digest) = (agent.name(), agent.digest());
                put(state, &Write::Bind { session, at, agent, digest, model, user, compaction, noted });
                state.bound = Some(bound);
            }
        });
    }

    /// The machine is told something.
    pub(crate) fn outcome(&self, at: Timestamp, outcome: &Outcome) {
        let session = self.session;
        self.write(|state, put| put(state, &Write::Outcome { session, at, outcome }));
    }

    /// Entries were appended.
    pub(crate) fn entries(&self, entries: &[Arc<Entry>]) {
        let session = self.session;
        self.write(|state, put| {
            for entry in entries {
                put(state, &Write::Entry { session, entry });
                state.known = entry.seq;
            }
        });
    }

    pub(crate) fn digest(&self, request: &ModelRequest) -> RequestDigest {
        self.lock().digester.of(request, &self.recorder.secrets())
    }

    /// What is wanted now, and what a model is asked where that begins with it.
    pub(crate) fn steps(&self, at: Timestamp, steps: &[Step], request: Option<&RequestDigest>) {
        let session = self.session;
        let steps: Vec<StepId> = steps.iter().map(Step::id).collect();
        self.write(|state, put| {
            if request.is_some() || state.steps != steps {
                put(state, &Write::Steps { session, at, steps: &steps, request });
                state.steps = steps;
            }
        });
    }

    /// A model said something. Written by the next [`flush`](Pen::flush), or with the next other line.
    pub(crate) fn event(&self, at: Timestamp, step: u64, event: &ModelEvent) {
        if self.recorder.lines.is_closed() {
            return;
        }
        let secrets = self.recorder.secrets();
        let state = &mut *self.lock();
        if secrets.is_empty() {
            state.put(&Write::Event { session: self.session, at, step, event }, &secrets, &self.recorder);
        } else if state.holding.event(at, step, event, &secrets) {
            self.release(state, &secrets);
        }
    }

    /// Hands on what was written to the system.
    pub(crate) fn flush(&self) {
        self.send(&mut self.lock());
    }

    /// The driver has done what there was to do, or failed.
    pub(crate) fn end(&self, at: Timestamp, error: Option<&ErrorReport>) {
        let session = self.session;
        self.write(|state, put| {
            if std::mem::take(&mut state.open) {
                put(state, &Write::End { session, at, error });
            }
        });
    }

    /// The recording cannot go on.
    pub(crate) fn fail(&self, error: impl Into<BoxError>) {
        self.recorder.lines.fail(std::io::Error::other(error));
    }

    /// Writes lines that are no events: whatever waits goes before them, for no more pieces can come that would make it a
    /// secret. Only what is said while a model answers has to wait as well.
    fn write(&self, lines: impl FnOnce(&mut State, &dyn Fn(&mut State, &Write<'_>))) {
        if self.recorder.lines.is_closed() {
            return;
        }
        let secrets = self.recorder.secrets();
        let state = &mut *self.lock();
        lines(state, &|state, line| {
            if line.ends_an_answer() {
                self.release(state, &secrets);
            }
            state.put(line, &secrets, &self.recorder);
        });
        self.send(state);
    }

    fn release(&self, state: &mut State, secrets: &Secrets) {
        for held in state.holding.release(secrets) {
            match held {
                Held::Line(line) => state.out.extend(line),
                Held::Event { at, step, event } => {
                    let line = Write::Event { session: self.session, at, step, event: &event };
                    state.put(&line, secrets, &self.recorder);
                }
            }
        }
    }

    fn send(&self, state: &mut State) {
        if !state.out.is_empty() {
            self.recorder.lines.write_all(&state.out);
            state.out.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, line: &Write<'_>, secrets: &Secrets, recorder: &RunRecorder) {
        let made = if secrets.is_empty() {
            to_line(line)
        } else {
            serde_json::to_value(line).map_err(std::io::Error::other).and_then(|mut value| {
                clean(&mut value, secrets);
                to_line(&value)
            })
        };
        match made {
            Ok(line) if self.holding.is_empty() => self.out.extend(line),
            Ok(line) => self.holding.line(line),
            Err(error) => recorder.lines.fail(error),
        }
    }
}

impl Write<'_> {
    /// Whether a model that was answering is not any more.
    fn ends_an_answer(&self) -> bool {
        match self {
            Self::Outcome { outcome, .. } => matches!(
                outcome,
                // While a model answers, time alone does nothing but end the run.
                Outcome::Reply { .. }
                    | Outcome::ModelFailed { .. }
                    | Outcome::Cancel { .. }
                    | Outcome::Tick { .. }
            ),
            // Steps are written when other ones are wanted.
            Self::Steps { .. } | Self::Begin { .. } | Self::End { .. } => true,
            _ => false,
        }
    }
}
