//! A run, as the host holds it.

use std::sync::Arc;

use crate::error::{ErrorKind, ErrorReport};
use crate::event::{Cursor, Event};
use crate::id::{RunId, Seq};
use crate::message::{Cost, Part, Usage};
use crate::session::driver::Command;
use crate::session::entry::{Body, Entry, RunEnd};
use crate::session::error::SessionError;
use crate::session::feed::Reader;
use crate::session::shared::Shared;
use crate::tool::FatalToken;

/// One turn of work, from an input to its end. Dropping it detaches from the run, which goes on; [`cancel`](Run::cancel)
/// stops it.
#[derive(Debug)]
pub struct Run {
    shared: Arc<Shared>,
    id: RunId,
    reader: Reader,
    so_far: Reply,
    end: Option<RunEnd>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The text of the last answer.
    pub text: String,
    /// The parts of the last answer.
    pub parts: Vec<Part>,
    /// How the run ended; `None` while it has not.
    pub end: Option<RunEnd>,
    /// What all its model calls took.
    pub usage: Usage,
    /// What they cost, where prices are known.
    pub cost: Option<Cost>,
    /// Its first and its last entry, as far as they were read.
    pub entries: (Seq, Seq),
}

impl Reply {
    fn new(first: Seq) -> Self {
        let (text, parts) = (String::new(), Vec::new());
        Self { text, parts, end: None, usage: Usage::default(), cost: None, entries: (first, first) }
    }

    fn take(&mut self, entry: &Entry) {
        self.entries = (self.entries.0.min(entry.seq), entry.seq);
        match &entry.body {
            Body::Assistant { parts, .. } => {
                self.text = parts.iter().filter_map(Part::as_text).collect();
                self.parts.clone_from(parts);
            }
            Body::RunEnd { end, usage, cost } => {
                self.end = Some(end.clone());
                self.usage = *usage;
                self.cost = *cost;
            }
            _ => {}
        }
    }
}

impl Run {
    pub(super) fn new(shared: Arc<Shared>, id: RunId, input: Seq) -> Self {
        // The input itself is the first event.
        let before = Seq(input.0.saturating_sub(1));
        Self::from(shared, id, Cursor::after(before), input)
    }

    pub(super) fn from(shared: Arc<Shared>, id: RunId, cursor: Cursor, first: Seq) -> Self {
        let reader = Reader::new(cursor, Some(id));
        Self { shared, id, reader, so_far: Reply::new(first), end: None }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id
    }

    /// How far its events were read. [`Session::follow`](super::Session::follow) goes on from there, in any process.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.reader.cursor()
    }

    /// The next event; `None` after the run's end. An interruption (the store failed, say) ends the events, too:
    /// [`finish`](Run::finish) says why. [`try_next`](Run::try_next) says it at once.
    pub async fn next(&mut self) -> Option<Event> {
        self.try_next().await.ok().flatten()
    }

    /// The next event; `None` after the run's end.
    ///
    /// # Errors
    /// When the run was interrupted.
    pub async fn try_next(&mut self) -> Result<Option<Event>, SessionError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let shared = &self.shared;
        let event = self.reader.next(&shared.feed, shared.around.store.as_ref(), &shared.key).await?;
        Ok(Some(self.seen(event)))
    }

    /// The next event if it is there already: for hosts that take events in batches.
    pub fn ready(&mut self) -> Option<Event> {
        if self.end.is_some() {
            return None;
        }
        let event = self.reader.try_next(&self.shared.feed)?;
        Some(self.seen(event))
    }

    fn seen(&mut self, event: Event) -> Event {
        if let Event::Entry { entry } = &event
            && entry.run == Some(self.id)
        {
            self.know(entry);
        }
        event
    }

    /// Takes in an entry of the run.
    pub(super) fn know(&mut self, entry: &Entry) {
        self.so_far.take(entry);
        self.end.clone_from(&self.so_far.end);
    }

    /// Waits for the run's end.
    ///
    /// # Errors
    /// [`SessionError::Run`] when it failed or met a limit, with what it had reached; [`SessionError::Stopped`] when it
    /// was interrupted and can be resumed. A run that the host cancelled is no error: [`Reply::end`] says so.
    pub async fn finish(mut self) -> Result<Reply, SessionError> {
        self.reader.only_entries();
        while self.try_next().await?.is_some() {}
        let report = match &self.end {
            Some(RunEnd::Failed { error }) => error.clone(),
            Some(RunEnd::Limit { limit }) => ErrorReport::new(
                ErrorKind::Budget,
                format!(
                    "the run met its limit of {limit:?} before it was done; raise it in the agent's limits"
                )
                .to_lowercase(),
            ),
            _ => return Ok(self.so_far),
        };
        Err(SessionError::Run { report, reply: Box::new(self.so_far) })
    }

    /// What the host's own tool ended the run with, untouched.
    #[must_use]
    pub fn fatal(&self) -> Option<FatalToken> {
        self.shared.fatal(self.id)
    }

    /// Stops the run: model, tools and host calls are cancelled, what was said is kept and marked. Returns when that is
    /// decided and safe; [`finish`](Run::finish) waits until nothing runs.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub async fn cancel(&self, reason: impl Into<String>) -> Result<(), SessionError> {
        let (run, reason) = (self.id, reason.into());
        self.shared.ask(|answer| Command::Cancel { run, reason, answer }).await
    }

    /// A handle that can cancel the run while somebody else reads its events.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller { shared: self.shared.clone(), run: self.id }
    }
}

/// Cancels a run while somebody else reads its events.
#[derive(Debug, Clone)]
pub struct Canceller {
    shared: Arc<Shared>,
    run: RunId,
}

impl Canceller {
    /// As [`Run::cancel`].
    ///
    /// # Errors
    /// When it cannot be written down.
    pub async fn cancel(&self, reason: impl Into<String>) -> Result<(), SessionError> {
        let (run, reason) = (self.run, reason.into());
        self.shared.ask(|answer| Command::Cancel { run, reason, answer }).await
    }
}
