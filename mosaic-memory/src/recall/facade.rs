//! A store, an embedder and a ranking put together.

use std::sync::Arc;

use mosaic_core::memory::{AsOf, Filter, Memory, MemoryStore, Reach, Scope, SearchQuery, Vector};
use mosaic_core::model::{Estimate, TextTokens};
use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderExt, Purpose, Timestamp};

use super::error::RecallError;
use super::question::Question;
use super::rank::{Ranking, rank};
use super::recalled::{Recalled, fit};
use crate::text::Words;

/// What to do when the question cannot be embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WithoutVectors {
    /// Search by words alone, and say so in [`Recalled::without_vectors`].
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
    embedder: Arc<dyn Embedder>,
    options: Arc<RecallOptions>,
}

impl Recall {
    /// Recalls from a store.
    #[must_use]
    pub fn new(store: Arc<dyn MemoryStore>, embedder: Arc<dyn Embedder>, options: RecallOptions) -> Self {
        Self { store, embedder, options: Arc::new(options) }
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
        match self.vector(text, request.deadline).await {
            Ok(vector) => query.vectors.push(vector),
            Err(error) if self.options.without_vectors == WithoutVectors::Fail => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "recalling by words alone");
                recalled.without_vectors = Some(error.report());
            }
        }
        let found = self.store.search(query).await?;
        recalled.admitted = found.admitted;
        let options = &*self.options;
        let question = Question::read(&options.words, text);
        let ranking = Ranking { now: request.now.or(options.ranking.now), ..options.ranking };
        let hits = rank(&options.words, &question, &found.candidates, &ranking);
        Ok(fit(hits, request.limit, request.budget, &*options.counter, recalled))
    }

    async fn vector(&self, text: &str, deadline: Option<Timestamp>) -> Result<Vector, EmbedError> {
        let mut request = EmbedRequest::new([text], Purpose::Query);
        request.deadline = deadline;
        let info = self.embedder.info().clone();
        let answer = self.embedder.embed(request.clone()).await?.check(&request, &info)?;
        let model = answer.model;
        let values = answer.vectors.into_iter().next().unwrap_or_default();
        Ok(Vector { model, values })
    }
}

/// The vectors of memories, in their order, four requests at a time: of what was said and who said it.
///
/// The day is left out, for a vector cannot tell one from another: with it, turns of conversations are found less well by
/// their vectors alone (recall@10 of .49 instead of .52). The words of the [document](Memory::document) have it.
///
/// # Errors
/// Those of the embedder.
pub async fn embed_memories(embedder: &dyn Embedder, memories: &[Memory]) -> Result<Vec<Vector>, EmbedError> {
    let request = EmbedRequest::documents(memories.iter().map(undated));
    let answer = embedder.embed_all(request, 4).await?;
    let vector = |values: Vec<f32>| Vector { model: answer.model.clone(), values };
    Ok(answer.vectors.into_iter().map(vector).collect())
}

fn undated(memory: &Memory) -> String {
    let text = memory.text();
    let Some(place) = &memory.place else { return text.into_owned() };
    let speaker = place.speaker.as_ref().map(|speaker| format!("{speaker}: ")).unwrap_or_default();
    let caption = place.caption.as_ref().map(|caption| format!(" ({caption})")).unwrap_or_default();
    format!("{speaker}{text}{caption}")
}
