//! A run that has ended, for the jobs that follow it: extraction, summaries, logs.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::{Body, Entry};
use super::error::SessionError;
use super::shared::read;
use crate::id::{RunId, Seq, SessionKey};
use crate::memory::Scope;
use crate::store::{SessionStore, StoreError};

/// A run that has ended, or is about to: what the jobs that follow it are given.
///
/// A job that is told of a run may find that it has not ended: its process died before it could write the end. Then
/// [`read`](Self::read) says so, and the job tries again later; whoever ends the run tells of it once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndedRun {
    /// The session.
    pub session: SessionKey,
    /// Whose session it is, where the host said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
    /// The agent that ran.
    pub agent: Arc<str>,
    /// The run.
    pub run: RunId,
    /// The entry that began it: its input.
    pub from: Seq,
}

/// What the log says of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEntries {
    /// All its entries, from its input to its end, and those of nobody in between.
    Ended(Vec<Entry>),
    /// It goes on, or waits to be resumed.
    Open,
    /// There is no such session any more, or no such run in it.
    Gone,
}

impl EndedRun {
    /// Where what is learnt from the run is kept: see [`Scope::of_session`].
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::of_session(&self.session, self.user.as_ref())
    }

    /// The entries of the run.
    ///
    /// # Errors
    /// What the store says, and entries that cannot be read.
    pub async fn read(&self, store: &dyn SessionStore) -> Result<RunEntries, SessionError> {
        let mut entries = match read(store, &self.session, self.from).await {
            Ok(entries) => entries,
            Err(SessionError::Store(StoreError::NotFound { .. })) => return Ok(RunEntries::Gone),
            Err(error) => return Err(error),
        };
        // A session that was erased and made anew may be shorter, or hold something else at that place.
        if entries.first().is_none_or(|entry| entry.run != Some(self.run)) {
            return Ok(RunEntries::Gone);
        }
        let ends = |entry: &Entry| entry.run == Some(self.run) && matches!(entry.body, Body::RunEnd { .. });
        let Some(end) = entries.iter().position(ends) else { return Ok(RunEntries::Open) };
        entries.truncate(end.saturating_add(1));
        entries.retain(|entry| entry.run.is_none_or(|run| run == self.run));
        Ok(RunEntries::Ended(entries))
    }
}
