//! One session that is being summarised.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::{Either, select};
use mosaic_core::memory::{Change, Filter, Memory, MemoryBody, MemoryId, MemoryKind, MemoryPage, Scope};
use mosaic_core::model::{Estimate, TextTokens};
use mosaic_core::queue::{JobContext, JobError};
use mosaic_core::session::Entry;
use mosaic_core::summary::{Summary, SummaryError, SummaryRequest, SummaryUse};
use mosaic_core::{EndedRun, ErrorKind, Runtime, Seq, StoreError};

use super::episode::{Level, Made, id, joined, level, of_session};
use super::job::SummaryJobError;
use super::runs::Part;
use super::session::SessionSummaries;
use crate::recall::embed_memories;
use crate::write::Redacted;

/// Whether effects may still be committed.
#[async_trait::async_trait]
pub(super) trait Confirm: Send + Sync {
    async fn confirm(&self) -> Result<(), JobError>;
}

/// Nobody else can be at it.
pub(super) struct Unbound;

#[async_trait::async_trait]
impl Confirm for Unbound {
    async fn confirm(&self) -> Result<(), JobError> {
        Ok(())
    }
}

#[async_trait::async_trait]
impl Confirm for JobContext {
    async fn confirm(&self) -> Result<(), JobError> {
        JobContext::confirm(self).await
    }
}

/// The summaries of a session that we believe.
#[derive(Default)]
pub(super) struct Standing {
    /// In the order of the log.
    pub(super) episodes: Vec<Arc<Memory>>,
    pub(super) session: Option<Arc<Memory>>,
}

/// One session that is being summarised.
pub(super) struct AtWork<'a> {
    pub(super) of: &'a SessionSummaries,
    pub(super) ended: &'a EndedRun,
    pub(super) scope: Scope,
    pub(super) rewound: Seq,
    pub(super) runtime: &'a dyn Runtime,
    pub(super) confirm: &'a dyn Confirm,
}

/// The part of the log that a summary stands for.
pub(super) fn span(memory: &Memory) -> Option<(Seq, Seq)> {
    match &memory.body {
        MemoryBody::Episode { span: Some(span), .. } => Some((span.from, span.to)),
        _ => None,
    }
}

impl AtWork<'_> {
    /// The summaries that stand, and those of what a rewind left behind.
    pub(super) async fn standing(
        &self,
        path: &[&Entry],
    ) -> Result<(Standing, Vec<Arc<Memory>>), SummaryJobError> {
        let there: HashSet<Seq> = path.iter().map(|entry| entry.seq).collect();
        let kinds = vec![MemoryKind::Episode];
        let filter = Filter { kinds, metadata: of_session(&self.ended.session), ..Filter::default() };
        let mut page = MemoryPage { filter, after: None, limit: 500 };
        let (mut stands, mut left_behind) = (Standing::default(), Vec::new());
        loop {
            let found = self.of.memories.list(&self.scope, page.clone()).await?;
            let Some(last) = found.last() else { break };
            page.after = Some(last.id);
            for memory in found {
                // Another session's of the same name cannot be: names are of the tenant. A narrower scope's may.
                let Some(level) = level(&memory).filter(|_| memory.scope == self.scope) else { continue };
                let stays = memory.source.iter().all(|source| there.contains(&source.seq))
                    && span(&memory).is_some_and(|(_, to)| there.contains(&to));
                match (stays, level) {
                    (false, _) => left_behind.push(memory),
                    (true, Level::Episode) => stands.episodes.push(memory),
                    (true, Level::Session) => stands.session = Some(memory),
                }
            }
        }
        stands.episodes.sort_by_key(|memory| span(memory));
        Ok((stands, left_behind))
    }

    /// An episode of a part; `None` where nothing of it may be stored.
    pub(super) async fn episode(&self, part: Part) -> Result<Option<Arc<Memory>>, SummaryJobError> {
        let id = id(&self.ended.session, Level::Episode, [part.from, part.to, self.rewound], part.at);
        if self.of.memories.get(&self.scope, &[id]).await?.iter().any(Option::is_some) {
            // It was made, and is no longer believed: it has faded, for one. It is not made again.
            return Ok(None);
        }
        let mut passages = Vec::with_capacity(part.passages.len());
        for mut passage in part.passages {
            if let Some(text) = self.clean(passage.text).await? {
                passage.text = text;
                passages.push(passage);
            }
        }
        if passages.is_empty() {
            return Ok(None);
        }
        let request =
            SummaryRequest::new(passages, SummaryUse::Episode).max_tokens(self.of.options.episode_tokens);
        let Some(summary) = self.summary(request).await? else { return Ok(None) };
        let made = Made {
            level: Level::Episode,
            session: &self.ended.session,
            scope: self.scope.clone(),
            from: part.from,
            to: part.to,
            rewound: self.rewound,
            at: part.at,
            runs: part.runs,
            summary: &summary,
        };
        let mut memory = made.memory(self.runtime.now());
        memory.importance = self.of.options.importance;
        let vectors = embed_memories(self.of.embedder.as_ref(), std::slice::from_ref(&memory)).await?;
        self.apply(vec![Change::add(memory.clone(), vectors)]).await?;
        Ok(Some(Arc::new(memory)))
    }

    /// The summary of the whole session, if it is behind its episodes.
    pub(super) async fn whole(&self, stands: &Standing) -> Result<Option<MemoryId>, SummaryJobError> {
        let options = &self.of.options;
        let reached = stands.session.as_ref().and_then(|memory| span(memory)).map(|(_, to)| to);
        let new: Vec<&Arc<Memory>> =
            stands.episodes.iter().filter(|memory| span(memory).map(|(_, to)| to) > reached).collect();
        let (Some(first), Some(last)) = (stands.episodes.first(), new.last()) else { return Ok(None) };
        if options.session_tokens == 0 {
            return Ok(None);
        }
        let known = joined(stands.session.iter().chain(new.iter().copied()));
        let summary = if Estimate.tokens(&known.text()) <= options.session_tokens {
            // There is nothing to leave out yet.
            Some(known)
        } else {
            let request = SummaryRequest::new(Vec::new(), SummaryUse::Session).earlier(known);
            self.summary(request.max_tokens(options.session_tokens)).await?
        };
        let (Some(summary), Some((from, _)), Some((_, to))) = (summary, span(first), span(last)) else {
            return Ok(None);
        };
        let runs = stands.episodes.len();
        let made = Made {
            level: Level::Session,
            session: &self.ended.session,
            scope: self.scope.clone(),
            from,
            to,
            rewound: self.rewound,
            at: last.told_at(),
            runs,
            summary: &summary,
        };
        let mut memory = made.memory(self.runtime.now());
        memory.importance = options.importance;
        let id = memory.id;
        let vectors = embed_memories(self.of.embedder.as_ref(), std::slice::from_ref(&memory)).await?;
        let change = match &stands.session {
            Some(before) => Change::supersede(before.id, memory, vectors, None),
            None => Change::add(memory, vectors),
        };
        self.apply(vec![change]).await?;
        Ok(Some(id))
    }

    /// A summary, checked and clean; `None` where nothing of it may be stored.
    async fn summary(&self, request: SummaryRequest) -> Result<Option<Summary>, SummaryJobError> {
        let deadline = self.runtime.now().after(self.of.options.timeout);
        let request = request.deadline(deadline);
        let work = self.of.summarizer.summarize(&request);
        let mut summary = match select(work, self.runtime.sleep_until(deadline)).await {
            Either::Left((made, _)) => made?,
            Either::Right(_) => return Err(SummaryError::Late.into()),
        };
        request.check(&summary).map_err(SummaryError::from)?;
        let mut claims = Vec::with_capacity(summary.claims.len());
        for mut claim in std::mem::take(&mut summary.claims) {
            if let Some(text) = self.clean(claim.text).await? {
                claim.text = text;
                claims.push(claim);
            }
        }
        summary.claims = claims;
        Ok((!summary.claims.is_empty()).then_some(summary))
    }

    /// A text without what must not be stored; `None` if it must not be stored at all.
    async fn clean(&self, text: String) -> Result<Option<String>, SummaryJobError> {
        Ok(match self.of.options.redactor.redact(&text).await.map_err(SummaryJobError::Redact)? {
            Redacted::Clean => Some(text),
            Redacted::Changed { text } => Some(text).filter(|text| !text.trim().is_empty()),
            Redacted::Refused { .. } => None,
        })
    }

    /// Stores what was made, if the session is still there and the job still ours. What is there already was stored by another
    /// attempt, or by another worker at the same moment.
    pub(super) async fn apply(&self, changes: Vec<Change>) -> Result<(), SummaryJobError> {
        self.confirm.confirm().await?;
        if self.of.sessions.find(&self.ended.session).await?.is_none() {
            let error =
                StoreError::NotFound { store: "sessions".into(), key: self.ended.session.to_string() };
            return Err(error.into());
        }
        match self.of.memories.apply(&self.scope, changes).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                tracing::debug!(session = %self.ended.session, %error, "a summary was stored already");
                Ok(())
            }
            other => Ok(other?),
        }
    }
}
