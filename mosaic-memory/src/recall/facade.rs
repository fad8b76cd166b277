//! A store, an embedder and a ranking put together.

use std::collections::BTreeMap;
use std::sync::Arc;

use mosaic_core::memory::{
    AsOf, Change, Filter, Memory, MemoryError, MemoryId, MemoryStore, Reach, Scope, SearchQuery, Vector,
};
use mosaic_core::model::{Estimate, TextTokens};
use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderExt, Purpose, Timestamp};

use super::error::RecallError;
use super::question::Question;
use super::rank::{Ranking, rank};
use super::recalled::{Recalled, fit};
use crate::embed::Embedders;
use crate::text::Words;

/// What to do when the question cannot be embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WithoutVectors {
    /// Search by words, and by the vectors of the models that could be asked, and say so in [`Recalled::without_vectors`].
    #[default]
    WordsAlone,
    /// Fail.
    Fail,
}

/// How a [`Recall`] works.
#[derive(Debug, Clone)]
pub struct RecallOptions {
    /// How candidates are ranked.
    pub ranking: Ranking,
    /// The words of which language.
    pub words: Arc<Words>,
    /// So many candidates of each arm of the store.
    pub candidates: u32,
    /// So many neighbours of each on either side; ranking looks at two.
    pub neighbours: u32,
    /// What counts the tokens of the budget.
    pub counter: Arc<dyn TextTokens>,
    /// What to do when the question cannot be embedded.
    pub without_vectors: WithoutVectors,
}

impl Default for RecallOptions {
    fn default() -> Self {
        Self {
            ranking: Ranking::default(),
            words: Arc::new(Words::english()),
            candidates: 50,
            neighbours: 2,
            counter: Arc::new(Estimate),
            without_vectors: WithoutVectors::default(),
        }
    }
}

/// What is to be recalled.
#[derive(Debug, Clone, PartialEq)]
pub struct RecallRequest {
    /// Where.
    pub scope: Scope,
    /// How far around.
    pub reach: Reach,
    /// The question, or whatever the memories are to bear on.
    pub question: String,
    /// Which memories are meant: kinds, times, metadata, and as of when.
    pub filter: Filter,
    /// At most so many hits.
    pub limit: usize,
    /// At most so many tokens of text.
    pub budget: Option<u64>,
    /// The time now: what is no longer so is left out then, unless the filter names a time of its own; and recency may count.
    /// Without it, what was so at any time is found.
    pub now: Option<Timestamp>,
    /// Embedding the question must have ended by then.
    pub deadline: Option<Timestamp>,
}

impl RecallRequest {
    /// A question in a scope: ten hits, without a budget.
    pub fn new(scope: Scope, question: impl Into<String>) -> Self {
        Self {
            scope,
            reach: Reach::Within,
            question: question.into(),
            filter: Filter::default(),
            limit: 10,
            budget: None,
            now: None,
            deadline: None,
        }
    }

    /// At most so many hits.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// At most so many tokens of text.
    #[must_use]
    pub fn budget(mut self, tokens: u64) -> Self {
        self.budget = Some(tokens);
        self
    }

    /// Only some memories.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Also what is filed more widely.
    #[must_use]
    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// The time now: only what is so now, and recency may count. A prompt wants this.
    #[must_use]
    pub fn now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }
}

/// Recalls what bears on a question. Cheap to clone.
///
/// ```
/// use std::sync::Arc;
/// use mosaic_core::Timestamp;
/// use mosaic_core::memory::{Change, Memory, MemoryBody, MemoryId, MemoryStore, Place, Scope};
/// use mosaic_memory::embed::HashingEmbedder;
/// use mosaic_memory::recall::{Recall, RecallOptions, RecallRequest, embed_memories};
/// use mosaic_storage::RamStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (store, embedder) = (Arc::new(RamStore::new().memories()), Arc::new(HashingEmbedder::new(256)));
/// let scope = Scope::of("acme").user("ada");
///
/// let said = [
///     ("Ann", "What did you do on the weekend?"),
///     ("Bob", "I was in the mountains, and it snowed!"),
///     ("Ann", "My brother has bought a boat."),
/// ];
/// let mut memories = Vec::new();
/// for (number, (speaker, text)) in (0..).zip(said) {
///     let body = MemoryBody::Episode { text: text.into(), span: None };
///     let id = MemoryId(uuid::Uuid::from_u128(number));
///     let mut memory = Memory::new(id, scope.clone(), body, Timestamp(1_700_000_000_000));
///     memory.place = Some(Place { speaker: Some(speaker.into()), ..Place::new("chat", number as u64) });
///     memories.push(memory);
/// }
/// let vectors = embed_memories(&*embedder, &memories).await?;
/// let changes = memories.into_iter().zip(vectors).map(|(memory, vector)| Change::add(memory, vec![vector]));
/// store.apply(&scope, changes.collect()).await?;
///
/// let recall = Recall::new(store, embedder, RecallOptions::default());
/// let request = RecallRequest::new(scope, "What did Bob do on the weekend?").limit(1).budget(200);
/// let recalled = recall.recall(&request).await?;
/// // He answers a question that asks the same; it is not the line that shares the most words.
/// assert_eq!(recalled.text(), "- Bob: I was in the mountains, and it snowed!\n");
/// assert!(recalled.explanation().contains("reply"), "{}", recalled.explanation());
/// assert!(recalled.tokens <= 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Recall {
    store: Arc<dyn MemoryStore>,
    embedders: Embedders,
    options: Arc<RecallOptions>,
}

impl Recall {
    /// Recalls from a store. With one embedder, as a rule; with [`Embedders`] while memories are embedded anew.
    #[must_use]
    pub fn new(store: Arc<dyn MemoryStore>, embedders: impl Into<Embedders>, options: RecallOptions) -> Self {
        Self { store, embedders: embedders.into(), options: Arc::new(options) }
    }

    /// The memories that bear on a question, the best first. A question without a word finds nothing.
    ///
    /// # Errors
    /// [`RecallError::Store`] when the store fails or refuses the request; [`RecallError::Embed`] when the question cannot be
    /// embedded and [`WithoutVectors::Fail`] is set.
    pub async fn recall(&self, request: &RecallRequest) -> Result<Recalled, RecallError> {
        let mut recalled =
            Recalled { hits: Vec::new(), tokens: 0, too_long: 0, admitted: 0, without_vectors: None };
        let text = request.question.trim();
        if text.is_empty() {
            return Ok(recalled);
        }
        let mut query = SearchQuery::new(request.scope.clone()).text(text);
        query.reach = request.reach;
        query.filter = request.filter.clone();
        if let (Some(now), true) = (request.now, query.filter.as_of == AsOf::default()) {
            query.filter.as_of = AsOf::valid(now);
        }
        query.limit = self.options.candidates;
        query.neighbours = self.options.neighbours;
        let mut asked = EmbedRequest::new([text], Purpose::Query).owner(request.scope.clone());
        asked.deadline = request.deadline;
        let (vectors, errors) = self.embedders.vectors(&asked, 1).await;
        query.vectors = vectors.into_iter().next().unwrap_or_default();
        if let Some(error) = errors.into_iter().next().map(EmbedError::from) {
            if self.options.without_vectors == WithoutVectors::Fail {
                return Err(error.into());
            }
            tracing::warn!(%error, models = query.vectors.len(), "recalling without the vectors of a model");
            recalled.without_vectors = Some(error.report());
        }
        let found = self.store.search(query).await?;
        recalled.admitted = found.admitted;
        let options = &*self.options;
        let question = Question::read(&options.words, text);
        let ranking = Ranking { now: request.now.or(options.ranking.now), ..options.ranking };
        let hits = rank(&options.words, &question, &found.candidates, &ranking);
        Ok(fit(hits, request.limit, request.budget, &*options.counter, recalled))
    }

    /// Counts that what was recalled was used: shown to a model, or to a user. What is used fades less
    /// ([`Decay`](crate::upkeep::Decay)).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn touch(&self, recalled: &Recalled, now: Timestamp) -> Result<(), MemoryError> {
        let mut tenants: BTreeMap<&Arc<str>, Vec<MemoryId>> = BTreeMap::new();
        for hit in &recalled.hits {
            tenants.entry(&hit.memory.scope.tenant).or_default().push(hit.memory.id);
        }
        for (tenant, ids) in tenants {
            // What was recalled may be filed more widely than where it was asked.
            self.store.apply(&Scope::of(tenant.clone()), vec![Change::Touch { ids, at: now }]).await?;
        }
        Ok(())
    }
}

/// The vectors of memories, in their order, four requests at a time: of their
/// [`embedding_text`](Memory::embedding_text)s.
///
/// # Errors
/// Those of the embedder.
pub async fn embed_memories(embedder: &dyn Embedder, memories: &[Memory]) -> Result<Vec<Vector>, EmbedError> {
    let mut request = EmbedRequest::documents(memories.iter().map(Memory::embedding_text));
    request.owner = owner(memories.iter());
    let answer = embedder.embed_all(request, 4).await?;
    let vector = |values: Vec<f32>| Vector { model: answer.model.clone(), values };
    Ok(answer.vectors.into_iter().map(vector).collect())
}

/// Whose memories they are; nobody's where they are of several.
pub(crate) fn owner<'m>(mut memories: impl Iterator<Item = &'m Memory>) -> Option<Scope> {
    let of = |memory: &Memory| Scope {
        agent: None,
        session: None,
        tenant: memory.scope.tenant.clone(),
        user: memory.scope.user.clone(),
    };
    let first = of(memories.next()?);
    memories.all(|memory| of(memory) == first).then_some(first)
}
