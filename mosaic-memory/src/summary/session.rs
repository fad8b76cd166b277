//! From a session's log to episodes, and to a summary of the whole.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{Change, Memory, MemoryId, MemoryStore};
use mosaic_core::queue::{Again, Handler, JobContext, JobError};
use mosaic_core::session::{Body, path, read_entries};
use mosaic_core::summary::{PassageOptions, Summarizer};
use mosaic_core::{
    Embedder, EndedRun, ErrorKind, ErrorReport, RunEntries, Runtime, Seq, SessionError, SessionStore,
    StoreError,
};

use super::job::{SUMMARIZE, SummarizeSession, SummarizeWhen, SummaryJobError};
use super::runs::{Measure, ended_after, parts};
use super::work::{AtWork, Confirm, Unbound, span};
use crate::write::{PatternRedactor, Redactor};

/// How sessions are summarised.
#[derive(Debug, Clone)]
pub struct SessionSummaryOptions {
    /// An episode stands for so many runs ... 4.
    pub every_runs: usize,
    /// ... or for those that come to so many tokens, whichever is sooner. 4,000.
    pub every_tokens: u64,
    /// About so many tokens may an episode have. 300.
    pub episode_tokens: u64,
    /// About so many tokens may the summary of the whole session have; 0 for none. 600.
    pub session_tokens: u64,
    /// How important an episode is, from 0 to 1. 0.5.
    pub importance: f32,
    /// How long passages may be.
    pub passages: PassageOptions,
    /// What takes secrets out, of what is summarised and of what is stored: [`PatternRedactor`] as it comes.
    pub redactor: Arc<dyn Redactor>,
    /// So long the job waits before it looks again at a run that has not ended. 30 s.
    pub look_again: Duration,
    /// So long may one summary take. Two minutes.
    pub timeout: Duration,
}

impl Default for SessionSummaryOptions {
    fn default() -> Self {
        Self {
            every_runs: 4,
            every_tokens: 4_000,
            episode_tokens: 300,
            session_tokens: 600,
            importance: 0.5,
            passages: PassageOptions::default(),
            redactor: Arc::new(PatternRedactor::default()),
            look_again: Duration::from_secs(30),
            timeout: Duration::from_secs(120),
        }
    }
}

/// What summarising a session came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summarized {
    /// The episodes that were added.
    pub episodes: Vec<MemoryId>,
    /// The summary of the whole, where it is a new one.
    pub session: Option<MemoryId>,
    /// Summaries of what a rewind left behind, which are no longer believed.
    pub closed: Vec<MemoryId>,
}

/// Makes episodes of sessions, and a summary of each session on top of them: the handler of jobs `session.summarize`.
///
/// An episode is a [`Memory`] with the `span` of the log that it stands for and the entries that its claims rest on as its sources;
/// [`summary_of`](super::summary_of) gives the claims back. It lies in the scope of [`EndedRun::scope`], so whoever erases that
/// scope erases it too. What a rewind left behind is no longer believed: its episodes are closed, and what took its place is
/// summarised.
///
/// An attempt may be cut short, or killed, anywhere, and run twice: each part is stored whole, with its vector, under an id that
/// follows from the session and the span, and the next attempt begins behind it.
///
/// ```
/// use std::sync::Arc;
/// use mosaic_core::queue::{Budget, Queue, RamQueue};
/// use mosaic_core::testing::{Answer, ScriptedModel, TestRuntime};
/// use mosaic_core::memory::{MemoryPage, MemoryStore};
/// use mosaic_core::{Agent, EndedRun, Engine, Seq, Session};
/// use mosaic_memory::embed::HashingEmbedder;
/// use mosaic_memory::summary::{ExtractiveSummarizer, SessionSummaries, SummarizeSession};
/// use mosaic_storage::RamStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Arc::new(TestRuntime::new(1));
/// let sessions = Arc::new(RamStore::new());
/// let memories = Arc::new(sessions.memories());
/// let embedder = Arc::new(HashingEmbedder::new(256));
/// let summaries =
///     SessionSummaries::new(sessions.clone(), memories.clone(), Arc::new(ExtractiveSummarizer::default()), embedder);
/// let queue = Queue::new(Arc::new(RamQueue::new()), runtime.clone()).handler(summaries);
///
/// let model = ScriptedModel::new([Answer::text("The ferry leaves Kiel at 14:00.")]);
/// let agent = Agent::builder("guide").model(model).build()?;
/// let session = Engine::new(sessions, runtime, None).session("trip", &agent).await?;
/// let run = session.send("When does the ferry to Oslo leave?").await?;
/// let id = run.id();
/// run.finish().await?;
///
/// let ended = EndedRun { session: "trip".into(), user: Some("ann".into()), agent: "guide".into(), run: id, from: Seq(3) };
/// queue.add(SummarizeSession::end(ended.clone()).job()).await?;
/// queue.run_due_jobs(Budget::jobs(1)).await?;
///
/// let found = memories.list(&ended.scope(), MemoryPage::default()).await?;
/// assert_eq!(found.len(), 2, "an episode, and the whole session");
/// assert_eq!(found[0].text(), "- User: When does the ferry to Oslo leave?\n- Assistant: The ferry leaves Kiel at 14:00.");
/// assert_eq!(found[0].source.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SessionSummaries {
    pub(super) sessions: Arc<dyn SessionStore>,
    pub(super) memories: Arc<dyn MemoryStore>,
    pub(super) summarizer: Arc<dyn Summarizer>,
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) options: SessionSummaryOptions,
}

impl fmt::Debug for SessionSummaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSummaries")
            .field("summarizer", &self.summarizer)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl SessionSummaries {
    /// Over the stores of sessions and memories.
    #[must_use]
    pub fn new(
        sessions: Arc<dyn SessionStore>,
        memories: Arc<dyn MemoryStore>,
        summarizer: Arc<dyn Summarizer>,
        embedder: Arc<dyn Embedder>,
    ) -> Self {
        Self { sessions, memories, summarizer, embedder, options: SessionSummaryOptions::default() }
    }

    /// With other options.
    #[must_use]
    pub fn options(mut self, change: impl FnOnce(&mut SessionSummaryOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// Summarises what is new in a session, without a job: for hosts that have no queue.
    ///
    /// # Errors
    /// What was stored before the failure stays.
    pub async fn summarize(
        &self,
        ended: &EndedRun,
        when: SummarizeWhen,
        runtime: &dyn Runtime,
    ) -> Result<Summarized, SummaryJobError> {
        self.work(ended, when, runtime, &Unbound).await
    }

    async fn work(
        &self,
        ended: &EndedRun,
        when: SummarizeWhen,
        runtime: &dyn Runtime,
        confirm: &dyn Confirm,
    ) -> Result<Summarized, SummaryJobError> {
        let entries = match read_entries(self.sessions.as_ref(), &ended.session, Seq(1)).await {
            Ok(entries) => entries,
            Err(SessionError::Store(StoreError::NotFound { .. })) => return Ok(Summarized::default()),
            Err(error) => return Err(error.into()),
        };
        let path = path(&entries);
        let mut rewinds = entries.iter().filter(|entry| matches!(entry.body, Body::Rewind { .. }));
        let rewound = rewinds.next_back().map_or(Seq::ZERO, |entry| entry.seq);
        let at_work = AtWork { of: self, ended, scope: ended.scope(), rewound, runtime, confirm };
        let (mut stands, left_behind) = at_work.standing(&path).await?;
        let mut report = Summarized {
            closed: left_behind.iter().map(|memory| memory.id).collect(),
            ..Summarized::default()
        };
        if !left_behind.is_empty() {
            let close = |memory: &Arc<Memory>| Change::Close { id: memory.id, at: runtime.now(), kept: None };
            at_work.apply(left_behind.iter().map(close).collect()).await?;
        }
        let covered = stands.episodes.iter().filter_map(|memory| span(memory)).map(|(_, to)| to).max();
        let runs = ended_after(&path, covered.unwrap_or_default(), &self.options.passages);
        let measure = Measure { runs: self.options.every_runs, tokens: self.options.every_tokens };
        let (mut whole, rest) = parts(runs, measure);
        if when == SummarizeWhen::End {
            whole.extend(rest);
        }
        for part in whole {
            if let Some(memory) = at_work.episode(part).await? {
                report.episodes.push(memory.id);
                stands.episodes.push(memory);
            }
        }
        report.session = at_work.whole(&stands).await?;
        Ok(report)
    }
}

#[async_trait::async_trait]
impl Handler for SessionSummaries {
    fn kind(&self) -> &str {
        SUMMARIZE
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let SummarizeSession { ended, when } = ctx.payload()?;
        match ended.read(self.sessions.as_ref()).await.map_err(SummaryJobError::from)? {
            RunEntries::Ended(_) => {}
            RunEntries::Gone => return Ok(()),
            // Whoever ends the run tells of it once more.
            RunEntries::Open if ctx.job.attempt >= ctx.job.rules.max_attempts => return Ok(()),
            RunEntries::Open => {
                let message = format!("run {} of session `{}` has not ended yet", ended.run, ended.session);
                let report = ErrorReport::new(ErrorKind::Conflict, message);
                return Err(JobError { report, again: Again::After(self.options.look_again) });
            }
        }
        match self.work(&ended, when, ctx.runtime.as_ref(), ctx).await {
            Ok(_) => Ok(()),
            // The session was erased meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
