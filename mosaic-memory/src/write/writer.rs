//! From a turn to the store.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use mosaic_core::memory::{
    AsOf, Change, Filter, Memory, MemoryBody, MemoryError, MemoryId, MemoryKind, MemoryPage, MemoryStore,
    Scope, SearchQuery, Vector,
};
use mosaic_core::{Cost, EmbedError, EmbedRequest, ErrorKind, Purpose, Runtime, RuntimeExt, Usage};
use tokio::sync::Mutex;

use super::reconcile::{Existing, Incoming, ReconcileOptions, Reconciled, reconcile};
use super::{
    Action, Decision, Draft, DraftBody, Extraction, Extractor, Nonsense, PatternRedactor, Reason, Redacted,
    Redactor, Turn, WriteError, normalise,
};
use crate::embed::{Embedders, Missed};

/// How a [`Writer`] writes.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// What takes secrets out: [`PatternRedactor`] as it comes.
    pub redactor: Arc<dyn Redactor>,
    /// When two memories are the same, and when one gives way.
    pub reconcile: ReconcileOptions,
    /// So many memories near to a draft are compared with it. 16.
    pub near: u32,
    /// So many memories near to a turn are shown to the extractor. 12. An extractor that does not look at them, as that by rules,
    /// is as good with 0, which saves an embedding and a search a turn.
    pub known: u32,
    /// How often it is tried when others change the same memories. 4; 0 counts as 1.
    pub tries: u32,
}

impl Default for WriterOptions {
    fn default() -> Self {
        let redactor = Arc::new(PatternRedactor::default());
        Self { redactor, reconcile: ReconcileOptions::default(), near: 16, known: 12, tries: 4 }
    }
}

/// What writing came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteReport {
    /// One a draft.
    pub decisions: Vec<Decision>,
    /// How many messages had something in them that must not be stored.
    pub redacted: usize,
    /// Answers of the model that made no sense, before one that did.
    pub nonsense: Vec<Nonsense>,
    /// What extraction took.
    pub usage: Usage,
    /// What extraction cost, where that is known.
    pub cost: Option<Cost>,
    /// How often the store was tried: more than once, when others wrote at the same time.
    pub tries: u32,
}

impl fmt::Display for WriteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decisions.iter().try_for_each(|decision| writeln!(f, "{decision}"))
    }
}

/// Writes what was said into memory. See the [module](super) for an example. Cheap to clone.
///
/// One writer writes one thing at a time, so that two turns of a user that end together do not both add the same. Writers in
/// other processes are noticed when they close the same memories, and all is compared anew; when both *add* the same at the same
/// moment, there are two until
/// the next time that it is said.
///
/// Memories are compared within exactly the scope that is written: what is filed under the user stays as it is when something is
/// written for one of the user's sessions.
#[derive(Clone)]
pub struct Writer {
    pub(super) store: Arc<dyn MemoryStore>,
    embedders: Embedders,
    pub(super) runtime: Arc<dyn Runtime>,
    options: Arc<WriterOptions>,
    turn: Arc<Mutex<()>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("store", &self.store)
            .field("embedders", &self.embedders)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer into a store. With one embedder, as a rule; with [`Embedders`] while memories are embedded anew: what is new is
    /// compared by all of them then, and gets vectors of the newest.
    #[must_use]
    pub fn new(
        store: Arc<dyn MemoryStore>,
        embedders: impl Into<Embedders>,
        runtime: Arc<dyn Runtime>,
        options: WriterOptions,
    ) -> Self {
        Self { store, embedders: embedders.into(), runtime, options: Arc::new(options), turn: Arc::default() }
    }

    /// Extracts from a turn what is worth remembering, and writes it.
    ///
    /// # Errors
    /// Nothing has been written then. See [`WriteError::is_retryable`].
    pub async fn write(
        &self,
        scope: &Scope,
        mut turn: Turn,
        extractor: &dyn Extractor,
    ) -> Result<WriteReport, WriteError> {
        let redacted;
        (turn, redacted) = self.redacted(turn).await?;
        if turn.messages.is_empty() {
            return Ok(WriteReport { redacted, ..WriteReport::default() });
        }
        let Extraction { drafts, usage, cost, nonsense } = self.extracted(scope, turn, extractor).await?;
        let report = self.write_drafts(scope, drafts).await?;
        Ok(WriteReport { redacted, usage, cost, nonsense, ..report })
    }

    /// A turn without what must not be stored, and how many of its messages had something of that.
    pub(crate) async fn redacted(&self, mut turn: Turn) -> Result<(Turn, usize), WriteError> {
        let mut redacted = 0;
        let mut messages = Vec::with_capacity(turn.messages.len());
        for mut message in std::mem::take(&mut turn.messages) {
            match self.redact(&message.text).await? {
                Redacted::Clean => {}
                Redacted::Changed { text } => {
                    redacted += 1;
                    message.text = text;
                }
                Redacted::Refused { .. } => {
                    redacted += 1;
                    continue;
                }
            }
            messages.push(message);
        }
        turn.messages = messages;
        Ok((turn, redacted))
    }

    /// What an extractor finds in a redacted turn, and in what is known that bears on it.
    pub(crate) async fn extracted(
        &self,
        scope: &Scope,
        mut turn: Turn,
        extractor: &dyn Extractor,
    ) -> Result<Extraction, WriteError> {
        turn.known = self.known(scope, &turn).await?;
        Ok(extractor.extract(&turn).await?)
    }

    /// Writes drafts that somebody else made.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_drafts(&self, scope: &Scope, drafts: Vec<Draft>) -> Result<WriteReport, WriteError> {
        self.write_drafts_and(scope, drafts, Vec::new()).await
    }

    /// Writes drafts, and makes some other changes with them: all or nothing.
    pub(crate) async fn write_drafts_and(
        &self,
        scope: &Scope,
        drafts: Vec<Draft>,
        others: Vec<Change>,
    ) -> Result<WriteReport, WriteError> {
        let mut decided: BTreeMap<usize, Decision> = BTreeMap::new();
        let mut clean: Vec<(usize, Draft)> = Vec::new();
        for (index, draft) in drafts.into_iter().enumerate() {
            match self.clean(draft).await? {
                Ok(draft) => clean.push((index, draft)),
                Err(decision) => drop(decided.insert(index, decision)),
            }
        }
        let (places, drafts): (Vec<usize>, Vec<Draft>) = clean.into_iter().unzip();
        let vectors = self.embed(scope, &drafts).await?;
        let _turn = self.turn.lock().await;
        let mut tries = 0;
        let decisions = loop {
            tries += 1;
            let Reconciled { mut changes, decisions } = self.reconcile(scope, &drafts, &vectors).await?;
            changes.extend(others.iter().cloned());
            if changes.is_empty() {
                break decisions;
            }
            match self.store.apply(scope, changes).await {
                Ok(()) => break decisions,
                Err(MemoryError::Exists { id }) if adds(&others, id) => {
                    return Err(MemoryError::Exists { id }.into());
                }
                // Somebody else closed or removed what was compared.
                Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound) => {
                    if tries >= self.options.tries.max(1) {
                        return Err(WriteError::Contended { tries, last: error });
                    }
                }
                Err(error) => return Err(error.into()),
            }
        };
        for decision in &decisions {
            tracing::debug!(action = decision.action.as_str(), reason = %decision.reason, "memory");
        }
        decided.extend(places.into_iter().zip(decisions));
        Ok(WriteReport { decisions: decided.into_values().collect(), tries, ..WriteReport::default() })
    }

    async fn reconcile(
        &self,
        scope: &Scope,
        drafts: &[Draft],
        vectors: &[Vec<Vector>],
    ) -> Result<Reconciled, MemoryError> {
        let mut existing = self.preferences(scope, drafts).await?;
        for (index, (draft, vectors)) in drafts.iter().zip(vectors).enumerate() {
            if let DraftBody::Insight { text } = &draft.body {
                existing.extend(self.near(scope, index, text, vectors).await?);
            }
        }
        let replaced: Vec<MemoryId> =
            drafts.iter().flat_map(|draft| draft.replaces.iter().copied()).collect();
        if !replaced.is_empty() {
            let found = self.store.get(scope, &replaced).await?.into_iter().flatten();
            existing.extend(found.map(|memory| Existing { memory, likeness: BTreeMap::new() }));
        }
        let pairs = drafts.iter().zip(vectors);
        // The newest model's first.
        let incoming =
            pairs.map(|(draft, vectors)| Incoming { draft: draft.clone(), vector: vectors.first().cloned() });
        let mut new_id = || MemoryId(self.runtime.uuid());
        let (options, now) = (&self.options.reconcile, self.runtime.now());
        Ok(reconcile(options, scope, now, incoming.collect(), existing, &mut new_id))
    }

    /// All preferences of the scope with a key of the drafts. A search might miss one.
    async fn preferences(&self, scope: &Scope, drafts: &[Draft]) -> Result<Vec<Existing>, MemoryError> {
        let keys: Vec<String> = drafts
            .iter()
            .filter_map(|draft| match &draft.body {
                DraftBody::Preference { key, .. } => Some(normalise(key)),
                DraftBody::Insight { .. } => None,
            })
            .collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let of_key = |memory: &Memory| match &memory.body {
            MemoryBody::Preference { key, .. } => keys.contains(&normalise(key)),
            _ => false,
        };
        let all = preferences(&*self.store, scope).await?.into_iter();
        let found = all.filter(|memory| of_key(memory));
        Ok(found.map(|memory| Existing { memory, likeness: BTreeMap::new() }).collect())
    }

    async fn near(
        &self,
        scope: &Scope,
        index: usize,
        text: &str,
        vectors: &[Vector],
    ) -> Result<Vec<Existing>, MemoryError> {
        // By words too: what has no vector yet, or one of another model, can still be the same text.
        let mut query = SearchQuery::new(scope.clone()).text(text);
        query.vectors = vectors.to_vec();
        query.filter.kinds = vec![MemoryKind::Insight];
        query.limit = self.options.near;
        let found = self.store.search(query).await?.candidates.into_iter();
        let likeness = |dense: Option<f64>| dense.into_iter().map(|dense| (index, dense)).collect();
        Ok(found.map(|found| Existing { likeness: likeness(found.dense), memory: found.memory }).collect())
    }

    /// Memories near to a turn, for the extractor.
    async fn known(&self, scope: &Scope, turn: &Turn) -> Result<Vec<Arc<Memory>>, WriteError> {
        if self.options.known == 0 {
            return Ok(Vec::new());
        }
        let mut text = String::new();
        for message in &turn.messages {
            // The beginnings are enough to find what it is about.
            text.extend(message.text.chars().take(1_000));
            text.push('\n');
        }
        let text: String = text.chars().take(4_000).collect();
        let mut query = SearchQuery::new(scope.clone()).text(text.clone());
        if !text.trim().is_empty() {
            let asked = EmbedRequest::new([text], Purpose::Query).owner(scope.clone());
            query.vectors = self.vectors(&asked, 1).await?.into_iter().next().unwrap_or_default();
        }
        query.filter.kinds = vec![MemoryKind::Preference, MemoryKind::Insight];
        // What has ended cannot be replaced any more.
        query.filter.as_of = AsOf::valid(self.runtime.now());
        query.limit = self.options.known;
        let mut found = self.store.search(query).await?.candidates;
        found.retain(|found| found.memory.scope == *scope);
        // Each arm gives its best; the nearest in meaning first, then those that share words.
        found.sort_by(|a, b| {
            let score = |score: Option<f64>| score.unwrap_or(f64::NEG_INFINITY);
            let dense = score(b.dense).total_cmp(&score(a.dense));
            dense
                .then_with(|| score(b.lexical).total_cmp(&score(a.lexical)))
                .then(a.memory.id.cmp(&b.memory.id))
        });
        let most = usize::try_from(self.options.known).unwrap_or(usize::MAX);
        Ok(found.into_iter().take(most).map(|found| found.memory).collect())
    }

    /// The vectors of each draft, the newest model's first.
    async fn embed(&self, scope: &Scope, drafts: &[Draft]) -> Result<Vec<Vec<Vector>>, WriteError> {
        // What is empty has no vector, and will be dropped.
        let texts: Vec<(usize, String)> = drafts
            .iter()
            .enumerate()
            .filter(|(_, draft)| !draft.memory_body_text().trim().is_empty())
            .map(|(index, draft)| (index, text(draft)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        let mut vectors = vec![Vec::new(); drafts.len()];
        if texts.is_empty() {
            return Ok(vectors);
        }
        let request = EmbedRequest::documents(texts.iter().map(|(_, text)| text.as_str()));
        let found = self.vectors(&request.owner(scope.clone()), 4).await?;
        for ((index, _), found) in texts.iter().zip(found) {
            if let Some(vectors) = vectors.get_mut(*index) {
                *vectors = found;
            }
        }
        Ok(vectors)
    }

    /// Vectors of all models. Without those of the newest nothing is written; an older one may be gone for good, and is missed
    /// only where memories have no other vector yet.
    async fn vectors(&self, request: &EmbedRequest, at_once: usize) -> Result<Vec<Vec<Vector>>, EmbedError> {
        let (vectors, errors) = self.embedders.vectors(request, at_once).await;
        for error in errors {
            match error {
                Missed::Newest(error) => return Err(error),
                Missed::Older(error) => {
                    tracing::warn!(%error, "written without looking at the vectors of an older model")
                }
            }
        }
        Ok(vectors)
    }

    pub(super) async fn redact(&self, text: &str) -> Result<Redacted, WriteError> {
        self.options.redactor.redact(text).await.map_err(WriteError::Redact)
    }

    /// A draft without what must not be stored, or why there is none.
    async fn clean(&self, mut draft: Draft) -> Result<Result<Draft, Decision>, WriteError> {
        let parts: Vec<&mut String> = match &mut draft.body {
            DraftBody::Insight { text } => vec![text],
            // The value after its key: `password: hunter2` is found only together.
            DraftBody::Preference { key, value, .. } => {
                let joined = format!("{key}: {value}");
                match self.redact(&joined).await? {
                    Redacted::Clean => {}
                    Redacted::Changed { text } => match text.strip_prefix(&format!("{key}: ")) {
                        Some(cleaned) => *value = cleaned.to_owned(),
                        None => return Ok(Err(refused(draft, "its key holds a secret".into()))),
                    },
                    Redacted::Refused { why } => return Ok(Err(refused(draft, why))),
                }
                vec![key, value]
            }
        };
        let mut why = None;
        for part in parts {
            match self.redact(part).await? {
                Redacted::Clean => {}
                Redacted::Changed { text } => *part = text,
                Redacted::Refused { why: refused } => why = Some(refused),
            }
        }
        Ok(match why {
            Some(why) => Err(refused(draft, why)),
            None => Ok(draft),
        })
    }
}

/// Whether one of the changes adds a memory.
fn adds(changes: &[Change], id: MemoryId) -> bool {
    changes.iter().any(|change| matches!(change, Change::Add { memory, .. } if memory.id == id))
}

/// The text of the memory that a draft would become.
fn text(draft: &Draft) -> String {
    let at = mosaic_core::Timestamp::default();
    Memory::new(MemoryId(Default::default()), Scope::default(), draft.memory_body(), at).embedding_text()
}

fn refused(mut draft: Draft, why: String) -> Decision {
    match &mut draft.body {
        DraftBody::Insight { text } => text.clear(),
        DraftBody::Preference { key, value, .. } => {
            key.clear();
            value.clear();
        }
    }
    let reason = Reason::Redacted { why };
    Decision { draft, action: Action::Drop, reason, memory: None, closed: Vec::new() }
}

/// All preferences of exactly a scope that are believed.
pub(super) async fn preferences(
    store: &dyn MemoryStore,
    scope: &Scope,
) -> Result<Vec<Arc<Memory>>, MemoryError> {
    let filter = Filter { kinds: vec![MemoryKind::Preference], ..Filter::default() };
    let mut page = MemoryPage { filter, after: None, limit: 500 };
    let mut all = Vec::new();
    loop {
        let found = store.list(scope, page.clone()).await?;
        let Some(last) = found.last() else { return Ok(all) };
        page.after = Some(last.id);
        all.extend(found.into_iter().filter(|memory| memory.scope == *scope));
    }
}
