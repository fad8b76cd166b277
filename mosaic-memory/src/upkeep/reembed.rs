//! Embedding anew, with another model.

mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::memory::{Change, Memory, MemoryId, MemoryStore, Scope, Vector};
use mosaic_core::queue::{Handler, JobContext, JobError, NewJob};
use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderExt, ErrorKind, ErrorReport};
use serde::{Deserialize, Serialize};

use super::step::{go_on, key, stored, unless_stopped};
use crate::recall::owner;

pub use report::{Progress, ReembedReport, Skipped, progress};

/// The kind of the job.
pub const REEMBED: &str = "memory.reembed";

/// So many memories are embedded, and their vectors stored, at once.
const PAGE: u32 = 64;

/// What is to be embedded anew: the payload of the job.
///
/// ```
/// use mosaic_core::memory::Scope;
/// use mosaic_memory::upkeep::Reembedding;
///
/// let job = Reembedding::new(Scope::of("acme"), "text-embedding-3-small").instead_of("all-MiniLM-L6-v2").job();
/// assert_eq!((&*job.kind, &*job.tenant), ("memory.reembed", "acme"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reembedding {
    /// Whose memories.
    pub scope: Scope,
    /// The model, as its embedder's [`EmbedderInfo`](mosaic_core::EmbedderInfo) names it. Where the provider answers by a closer name,
    /// vectors are stored under that one.
    pub to: Arc<str>,
    /// The model that it takes the place of: its vectors are dropped when all others are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Arc<str>>,
}

impl Reembedding {
    /// Gives what is in a scope vectors of a model, and leaves others as they are.
    pub fn new(scope: Scope, to: impl Into<Arc<str>>) -> Self {
        Self { scope, to: to.into(), from: None }
    }

    /// Drops the vectors of another model at the end. All processes should write with the new one by then.
    #[must_use]
    pub fn instead_of(mut self, from: impl Into<Arc<str>>) -> Self {
        self.from = Some(from.into());
        self
    }

    /// The job. One for a scope and a model waits or runs at a time. Each attempt goes on where the last one stopped, so there are
    /// many, and they may take long.
    #[must_use]
    pub fn job(&self) -> NewJob {
        let payload = serde_json::to_value(self).unwrap_or_default();
        NewJob::new(REEMBED, payload)
            .tenant(self.scope.tenant.clone())
            .dedup(key(&self.scope, &self.to))
            .max_attempts(20)
            .timeout(Duration::from_secs(24 * 3600))
    }
}

type Observer = Arc<dyn Fn(&ReembedReport) + Send + Sync>;

/// Embeds memories anew: the handler of [`REEMBED`].
///
/// While it works both models serve, where [`Recall`](crate::recall::Recall) and [`Writer`](crate::write::Writer) are given both
/// [`Embedders`](crate::embed::Embedders). Closed memories are embedded too, for questions about the past. What a model refuses (too
/// long, or not to its taste) is skipped, and does not keep the rest; it is found by its words, stays in what
/// [`missing_vectors`](MemoryStore::missing_vectors) tells, and is tried again by the next job. An embedder that fails otherwise ends
/// the attempt; put a [`PatientEmbedder`](crate::embed::PatientEmbedder) before one that does so often.
#[derive(Clone)]
pub struct Reembed {
    store: Arc<dyn MemoryStore>,
    embedder: Arc<dyn Embedder>,
    page: u32,
    observer: Option<Observer>,
}

impl fmt::Debug for Reembed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reembed")
            .field("store", &self.store)
            .field("embedder", &self.embedder)
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

impl Reembed {
    /// Embeds with the new embedder.
    #[must_use]
    pub fn new(store: Arc<dyn MemoryStore>, embedder: Arc<dyn Embedder>) -> Self {
        Self { store, embedder, page: PAGE, observer: None }
    }

    /// So many memories at once. 64; 0 counts as 1. What a kill loses is at most one such page.
    #[must_use]
    pub fn page(mut self, page: u32) -> Self {
        self.page = page.max(1);
        self
    }

    /// Tells how far it is, after every page and at the end. [`progress`] tells it to other processes.
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(&ReembedReport) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    fn tell(&self, report: &ReembedReport) {
        if let Some(observer) = &self.observer {
            observer(report);
        }
    }

    /// The model's name as its answers have it, which is what vectors are stored under; and proof that it answers at all, so that
    /// what it refuses later is refused for what it is.
    async fn model(&self, ctx: &JobContext, job: &Reembedding) -> Result<Arc<str>, JobError> {
        let named = &self.embedder.info().model;
        if *named != job.to {
            // Another process may have it: during a deployment the old program sees the new one's jobs.
            let (wanted, here) = (&job.to, named);
            return Err(JobError::retry(format!(
                "the job wants `{wanted}`, this process embeds with `{here}`; run it where that embedder is"
            )));
        }
        let probe = EmbedRequest::documents(["memory"]).owner(job.scope.clone());
        let answer = unless_stopped(ctx, self.embedder.embed_all(probe, 1)).await?;
        let model = answer.map_err(|error| JobError::from(error.report()))?.model;
        if job.from.as_ref() == Some(&model) {
            let message =
                format!("`{model}` is to take the place of itself; vectors of one model need no replacing");
            return Err(JobError::dead(ErrorReport::new(ErrorKind::InvalidRequest, message)));
        }
        Ok(model)
    }

    /// One pass over what has no vector yet. Says how many got one.
    async fn pass(&self, ctx: &JobContext, scope: &Scope, run: &mut Run) -> Result<u64, JobError> {
        let (before, mut after) = (run.report.embedded, None);
        loop {
            go_on(ctx)?;
            let page = self.store.missing_vectors(scope, &run.report.model, after, self.page);
            let page = page.await.map_err(|error| stored(&error))?;
            let Some(last) = page.last() else { return Ok(run.report.embedded - before) };
            after = Some(last.id);
            let fresh: Vec<&Memory> = page
                .iter()
                .map(|memory| &**memory)
                .filter(|memory| !run.refused.contains(&memory.id))
                .collect();
            let changes = self.embed(ctx, fresh, run).await?;
            let embedded = changes.len() as u64;
            if embedded > 0 {
                ctx.confirm().await?;
                self.store.apply(scope, changes).await.map_err(|error| stored(&error))?;
                run.report.embedded += embedded;
            }
            self.tell(&run.report);
        }
    }

    /// Vectors of a page. Where a text is refused, each half of the page is tried for itself, down to the text.
    async fn embed(
        &self,
        ctx: &JobContext,
        page: Vec<&Memory>,
        run: &mut Run,
    ) -> Result<Vec<Change>, JobError> {
        let mut changes = Vec::with_capacity(page.len());
        let mut left = vec![page.as_slice()];
        while let Some(some) = left.pop().filter(|some| !some.is_empty()) {
            let mut request = EmbedRequest::documents(some.iter().map(|memory| memory.embedding_text()));
            request.owner = owner(some.iter().copied());
            match unless_stopped(ctx, self.embedder.embed_all(request, 1)).await? {
                Ok(answer) if answer.model == run.report.model => {
                    let put = |(memory, values): (&&Memory, Vec<f32>)| Change::PutVectors {
                        id: memory.id,
                        vectors: vec![Vector { model: answer.model.clone(), values }],
                    };
                    changes.extend(some.iter().zip(answer.vectors).map(put));
                    run.report.usage += answer.usage;
                    run.report.cost = run.report.cost.take().zip(answer.cost).map(|(mut sum, more)| {
                        sum += more;
                        sum
                    });
                }
                Ok(answer) => {
                    let (now, before) = (answer.model, &run.report.model);
                    return Err(JobError::retry(format!(
                        "the provider answers by `{now}` now, and by `{before}` a moment ago; it is begun anew"
                    )));
                }
                Err(error) if !is_of_the_text(&error) => return Err(error.report().into()),
                Err(error) => match some {
                    [memory] => run.skip(memory.id, &error),
                    some => {
                        let (first, second) = some.split_at(some.len() / 2);
                        left.extend([second, first]);
                    }
                },
            }
        }
        Ok(changes)
    }

    /// Drops what was replaced; not when nothing has taken its place.
    async fn drop_old(
        &self,
        ctx: &JobContext,
        scope: &Scope,
        from: &Arc<str>,
        run: &mut Run,
    ) -> Result<(), JobError> {
        let counts = self.store.counts(scope).await.map_err(|error| stored(&error))?;
        if !counts.vectors.contains_key(&run.report.model) && run.report.refused > 0 {
            let model = &run.report.model;
            let message = format!(
                "`{model}` has refused all {} memories, so the vectors of `{from}` were kept; is it the right model?",
                run.report.refused
            );
            return Err(JobError::dead(ErrorReport::new(ErrorKind::InvalidRequest, message)));
        }
        ctx.confirm().await?;
        let change = Change::DropVectors { model: from.clone() };
        self.store.apply(scope, vec![change]).await.map_err(|error| stored(&error))?;
        run.report.dropped = Some(from.clone());
        Ok(())
    }
}

#[async_trait::async_trait]
impl Handler for Reembed {
    fn kind(&self) -> &str {
        REEMBED
    }

    async fn run(&self, ctx: &JobContext) -> Result<(), JobError> {
        let job: Reembedding = ctx.payload()?;
        let model = self.model(ctx, &job).await?;
        let mut run = Run { report: ReembedReport::of(job.scope.clone(), model), refused: BTreeSet::new() };
        // Once more until nothing is found: others write meanwhile, and may write with the old model.
        while self.pass(ctx, &job.scope, &mut run).await? > 0 {}
        if let Some(from) = &job.from {
            self.drop_old(ctx, &job.scope, from, &mut run).await?;
        }
        run.report.finished = Some(ctx.runtime.now());
        self.tell(&run.report);
        let ReembedReport { model, embedded, refused, .. } = &run.report;
        if *refused > 0 {
            tracing::warn!(%model, embedded, refused, "memories were embedded anew; some were refused");
        } else {
            tracing::info!(%model, embedded, "memories were embedded anew");
        }
        Ok(())
    }
}

/// One attempt.
struct Run {
    report: ReembedReport,
    refused: BTreeSet<MemoryId>,
}

impl Run {
    fn skip(&mut self, id: MemoryId, error: &EmbedError) {
        if self.refused.insert(id) {
            self.report.refused += 1;
            if self.report.skipped.len() < report::MOST_SKIPPED {
                self.report.skipped.push(Skipped { memory: id, error: error.report() });
            }
        }
    }
}

/// Whether another text might have been embedded.
fn is_of_the_text(error: &EmbedError) -> bool {
    matches!(error.kind, ErrorKind::InvalidRequest | ErrorKind::ContextOverflow | ErrorKind::ContentFiltered)
}
