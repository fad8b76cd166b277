//! A session, as the host holds it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::driver::{Command, NewInput};
use super::entry::{Body, Decision, Entry, InputDelivery};
use super::error::SessionError;
use super::machine::parse_json;
use super::run::{Reply, Run};
use super::shared::Shared;
use crate::agent::Limits;
use crate::event::Cursor;
use crate::id::{RunId, Seq, SessionKey};
use crate::message::Part;
use crate::model::OutputSpec;
use crate::runtime::RuntimeExt;

/// What is said to a session.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// What.
    pub parts: Vec<Part>,
    /// How it meets a run that is going on.
    pub delivery: InputDelivery,
    /// The shape that the answer must have.
    pub output: Option<OutputSpec>,
    /// Limits of this run, instead of the agent's.
    pub limits: Option<Limits>,
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self { parts: vec![Part::text(text)], ..Self::default() }
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Vec<Part>> for Input {
    fn from(parts: Vec<Part>) -> Self {
        Self { parts, ..Self::default() }
    }
}

/// A session: an append-only log that an agent is bound to. Cheap to clone; all handles of a session in a process are the
/// same session.
#[derive(Debug, Clone)]
pub struct Session(Arc<Shared>);

impl Session {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &SessionKey {
        &self.0.key
    }

    /// Whose session it is, where the host said so.
    #[must_use]
    pub fn user(&self) -> Option<Arc<str>> {
        self.0.user()
    }

    /// Says something. When this returns it is safe, and a run works on it.
    ///
    /// A run that a crash interrupted goes on first, and the new input waits in line.
    ///
    /// # Errors
    /// `conflict` when another process runs the session; what the store says.
    pub async fn send(&self, input: impl Into<Input>) -> Result<Run, SessionError> {
        let Input { parts, delivery, output, limits } = input.into();
        let input = NewInput { parts, delivery, output, limits };
        let (run, seq) = self.0.ask(|answer| Command::Input { input, answer }).await?;
        Ok(Run::new(self.0.clone(), run, seq))
    }

    /// Says something and waits for an answer of a shape.
    ///
    /// # Errors
    /// As [`send`](Session::send) and [`Run::finish`]; [`SessionError::Output`] when the answer fits the schema but not
    /// the type.
    pub async fn ask<T: DeserializeOwned + JsonSchema>(
        &self,
        input: impl Into<Input>,
    ) -> Result<T, SessionError> {
        let output =
            OutputSpec { name: T::schema_name().into_owned(), schema: schemars::schema_for!(T).into() };
        let (value, _) = self.ask_for(input, output).await?;
        serde_json::from_value(value).map_err(|source| SessionError::Output { source })
    }

    /// As [`ask`](Session::ask), with a schema made at run time.
    ///
    /// # Errors
    /// As [`ask`](Session::ask).
    pub async fn ask_for(
        &self,
        input: impl Into<Input>,
        output: OutputSpec,
    ) -> Result<(Value, Reply), SessionError> {
        let input = Input { output: Some(output), ..input.into() };
        let reply = self.send(input).await?.finish().await?;
        let value = parse_json(&reply.text).map_err(|source| SessionError::Output { source })?;
        Ok((value, reply))
    }

    /// Goes on with what a crash or a restart interrupted; `None` when nothing was.
    ///
    /// # Errors
    /// `conflict` when another process runs the session; what the store says.
    pub async fn resume(&self) -> Result<Option<Run>, SessionError> {
        let resumed = self.0.ask(|answer| Command::Resume { answer }).await?;
        Ok(resumed.map(|(run, input)| Run::new(self.0.clone(), run, input)))
    }

    /// Follows a run from a cursor on: one that was begun elsewhere, or whose reader was lost. Entries that another process
    /// writes meanwhile are seen when this process next runs the session.
    ///
    /// # Errors
    /// What the store says.
    pub async fn follow(&self, run: RunId, cursor: Cursor) -> Result<Run, SessionError> {
        let mut following = Run::from(self.0.clone(), run, cursor, cursor.seq.next());
        // A cursor at the run's end or behind it has nothing to wait for.
        for entry in self.0.read(Seq(1)).await?.iter().filter(|entry| entry.run == Some(run)) {
            if entry.seq <= cursor.seq {
                following.know(entry);
            }
        }
        Ok(following)
    }

    /// Answers a question that a run waits for.
    ///
    /// # Errors
    /// `invalid_request` when there is no such open question, or the decision is none that [answers](crate::About::takes) it.
    pub async fn answer(
        &self,
        question: Seq,
        by: impl Into<String>,
        decision: Decision,
    ) -> Result<(), SessionError> {
        let by = by.into();
        self.0.ask(|answer| Command::Answer { question, by, decision, answer }).await
    }

    /// Undo: the conversation goes on from an earlier point between two runs. Nothing is removed from the log.
    ///
    /// # Errors
    /// `invalid_request` while a run goes on, or when `to` is no such point.
    pub async fn rewind(&self, to: Seq) -> Result<Seq, SessionError> {
        self.note(Body::Rewind { to }).await
    }

    /// Writes a note on an entry.
    ///
    /// # Errors
    /// What the store says.
    pub async fn label(&self, on: Seq, text: impl Into<String>) -> Result<Seq, SessionError> {
        self.note(Body::Label { on, text: text.into() }).await
    }

    /// Writes something of the host into the log. The model does not see it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn record(&self, kind: impl Into<String>, data: Value) -> Result<Seq, SessionError> {
        self.note(Body::Custom { kind: kind.into(), data }).await
    }

    async fn note(&self, body: Body) -> Result<Seq, SessionError> {
        self.0.ask(|answer| Command::Note { body, answer }).await
    }

    /// The log from an entry on, as it is stored.
    ///
    /// # Errors
    /// What the store says.
    pub async fn entries(&self, from: Seq) -> Result<Vec<Entry>, SessionError> {
        self.0.read(from).await
    }
}

impl Shared {
    pub(super) fn new_run(&self) -> RunId {
        RunId(self.around.runtime.uuid())
    }
}
