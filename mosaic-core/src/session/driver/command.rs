//! What a host asks of the driver.

use tokio::sync::oneshot;

use crate::agent::Limits;
use crate::id::{RunId, Seq};
use crate::message::Part;
use crate::model::OutputSpec;
use crate::session::entry::{Body, Decision, InputDelivery};
use crate::session::error::SessionError;

type Answer<T> = oneshot::Sender<Result<T, SessionError>>;

/// What a host asks of the driver. Each is answered once, when what it asks for is safe.
pub(crate) enum Command {
    /// Say something.
    Input { input: NewInput, answer: Answer<(RunId, Seq)> },
    /// Go on with what was interrupted.
    Resume { answer: Answer<Option<(RunId, Seq)>> },
    /// Stop a run.
    Cancel { run: RunId, reason: String, answer: Answer<()> },
    /// Answer a question.
    Answer { question: Seq, by: String, decision: Decision, answer: Answer<()> },
    /// Write something down: a label, something of the host, a rewind.
    Note { body: Body, answer: Answer<Seq> },
}

/// An input as the host gives it.
#[derive(Debug)]
pub(crate) struct NewInput {
    pub(crate) parts: Vec<Part>,
    pub(crate) delivery: InputDelivery,
    pub(crate) output: Option<OutputSpec>,
    pub(crate) limits: Option<Limits>,
}

impl Command {
    /// Answers with an error. Nobody may be listening any more.
    pub(super) fn refuse(self, error: SessionError) {
        match self {
            Self::Input { answer, .. } => drop(answer.send(Err(error))),
            Self::Resume { answer } => drop(answer.send(Err(error))),
            Self::Cancel { answer, .. } | Self::Answer { answer, .. } => drop(answer.send(Err(error))),
            Self::Note { answer, .. } => drop(answer.send(Err(error))),
        }
    }
}
