//! Replaying a recording.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::divergence::{Divergence, RunReplayError};
use super::line::Read;
use super::read::File;
use super::stage::{Fault, Stage};
use crate::agent::Agent;
use crate::id::{SessionKey, StepId};
use crate::recording::RecordingError;
use crate::session::Entry;
use crate::transport::record::Secrets;

/// A recording of runs, to be replayed: the machine is told what it was told then, and must want and write the same.
///
/// No model is asked and no tool is run, so the agent's model need not be there: `.model("any:name")` will do, and its tools
/// need only have the same specs.
pub struct RunReplay {
    file: File,
    secrets: Secrets,
    ignored: Vec<String>,
}

/// What a replay came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The sessions, in the order in which they were first recorded.
    pub sessions: Vec<ReplayedSession>,
    /// The last line, from 1, if it was cut off: the process died while it wrote. All before it was replayed.
    pub torn: Option<usize>,
}

/// What a session came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedSession {
    /// Its key.
    pub key: SessionKey,
    /// Its log: what it held before, and what the replay made again.
    pub entries: Vec<Entry>,
    /// How many of the entries were there before, or were written by another process meanwhile.
    pub history: usize,
    /// The steps that were wanted, in the order in which they first were.
    pub steps: Vec<StepId>,
    /// Whether the recording goes on to where its work ended. It does not when the process died or the recording stopped.
    pub complete: bool,
}

impl Replayed {
    /// The session of that key.
    #[must_use]
    pub fn session(&self, key: impl Into<SessionKey>) -> Option<&ReplayedSession> {
        let key = key.into();
        self.sessions.iter().rev().find(|session| session.key == key)
    }

    /// Whether nothing was cut off: the file is whole, and so is every session in it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.torn.is_none() && self.sessions.iter().all(|session| session.complete)
    }
}

impl RunReplay {
    /// From a file.
    ///
    /// # Errors
    /// When the file cannot be read, is no recording, or was written by a newer version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let file = fs::File::open(path).map_err(|source| RecordingError::Read { source })?;
        Self::read(BufReader::new(file))
    }

    /// From any reader: `&bytes[..]`, for one.
    ///
    /// # Errors
    /// As [`open`](RunReplay::open).
    pub fn read(reader: impl BufRead) -> Result<Self, RecordingError> {
        Ok(Self { file: File::read(reader)?, secrets: Secrets::default(), ignored: Vec::new() })
    }

    /// The version of the library that recorded it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.file.version
    }

    /// A value that the [recorder](super::RunRecorder::secret) left out: what the agent says of it is left out alike before it
    /// is compared.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.secrets.learn(secret.into().expose_secret());
        self
    }

    /// Does not compare this place: a JSON pointer into entries (`/body/cost`), outcomes (`/reply/cost`) or steps
    /// (`/request/params`), in which `*` stands for any member or element.
    #[must_use]
    pub fn ignore(mut self, pointer: impl Into<String>) -> Self {
        self.ignored.push(pointer.into());
        self
    }

    /// Replays all of it with one agent.
    ///
    /// # Errors
    /// The first divergence; a damaged line; an agent of another name.
    pub fn replay(&self, agent: &Agent) -> Result<Replayed, RunReplayError> {
        self.replay_all(std::slice::from_ref(agent))
    }

    /// Replays a recording of several agents, which are told apart by their names.
    ///
    /// # Errors
    /// As [`replay`](RunReplay::replay).
    pub fn replay_all(&self, agents: &[Agent]) -> Result<Replayed, RunReplayError> {
        let mut stages: BTreeMap<u64, Stage<'_>> = BTreeMap::new();
        for (number, line) in &self.file.lines {
            let misplaced = |reason| RecordingError::Misplaced { line: *number, reason };
            if let Read::Begin { session, key, .. } = line {
                let stage = || Stage::new(key.clone(), agents, &self.secrets, &self.ignored);
                stages.entry(*session).or_insert_with(stage);
            }
            let stage = stages
                .get_mut(&line.session())
                .ok_or_else(|| misplaced("no line before it begins its session"))?;
            stage.take(line).map_err(|fault| match fault {
                Fault::Diverged(what, difference) => {
                    let session = stage.key().clone();
                    Divergence { line: *number, session, what, difference }.into()
                }
                Fault::Misplaced(reason) => misplaced(reason).into(),
                Fault::Damaged(source) => RecordingError::Line { line: *number, source }.into(),
                Fault::NoAgent(agent) => {
                    RunReplayError::NoAgent { line: *number, session: stage.key().clone(), agent }
                }
            })?;
        }
        let sessions = stages.into_values().map(Stage::into_replayed).collect();
        Ok(Replayed { sessions, torn: self.file.torn })
    }
}

impl fmt::Debug for RunReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunReplay")
            .field("version", &self.file.version)
            .field("lines", &self.file.lines.len())
            .field("torn", &self.file.torn)
            .field("ignored", &self.ignored)
            .finish_non_exhaustive()
    }
}
