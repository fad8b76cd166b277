//! A store, an embedder and a ranking together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};

use mosaic_core::memory::{
    AsOf, Change, Filter, Kept, Memory, MemoryBody, MemoryError, MemoryId, MemoryKind, MemoryStore, Place,
    Reach, Scope,
};
use mosaic_core::testing::TestRuntime;
use mosaic_core::{EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, ErrorKind, Timestamp};
use mosaic_memory::embed::{Embedders, HashingEmbedder};
use mosaic_memory::recall::{
    Recall, RecallError, RecallOptions, RecallRequest, Recalled, Signal, WithoutVectors, embed_memories,
};
use mosaic_memory::write::{Draft, Writer, WriterOptions};
use mosaic_storage::RamStore;

fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

fn id(number: u128) -> MemoryId {
    MemoryId(uuid::Uuid::from_u128(number))
}

fn insight(number: u128, scope: Scope, text: &str) -> Memory {
    Memory::new(
        id(number),
        scope,
        MemoryBody::Insight { text: text.into() },
        Timestamp(1_000 * number as u64),
    )
}

async fn store(memories: Vec<Memory>) -> Arc<dyn MemoryStore> {
    let store = RamStore::new().memories();
    let vectors = embed_memories(&HashingEmbedder::new(64), &memories).await.unwrap();
    for (memory, vector) in memories.into_iter().zip(vectors) {
        store.apply(&memory.scope.clone(), vec![Change::add(memory, vec![vector])]).await.unwrap();
    }
    Arc::new(store)
}

fn recall(store: &Arc<dyn MemoryStore>) -> Recall {
    Recall::new(Arc::clone(store), Arc::new(HashingEmbedder::new(64)), RecallOptions::default())
}

fn ids(recalled: &Recalled) -> Vec<u128> {
    recalled.hits.iter().map(|hit| hit.memory.id.0.as_u128()).collect()
}

#[tokio::test]
async fn nobody_recalls_what_is_others() {
    let bob = Scope::of("acme").user("bob");
    let store = store(vec![
        insight(1, ann(), "The tea is in the cupboard"),
        insight(2, bob, "The tea is under the bed"),
        insight(3, Scope::of("other").user("ann"), "The tea is gone"),
        insight(4, Scope::of("acme"), "Tea costs two dollars"),
    ])
    .await;
    let request = RecallRequest::new(ann(), "Where is the tea?");
    assert_eq!(ids(&recall(&store).recall(&request).await.unwrap()), [1]);
    let more = ids(&recall(&store).recall(&request.reach(Reach::Inherited)).await.unwrap());
    assert_eq!(more, [1, 4]);
}

#[tokio::test]
async fn one_can_ask_what_was_believed_in_may_and_for_one_kind_only() {
    let (may, june) = (Timestamp(5_000), Timestamp(6_000));
    let store = store(vec![insight(1, ann(), "Ann drinks tea")]).await;
    let mut coffee = insight(6, ann(), "Ann drinks coffee");
    coffee.valid_from = june;
    let kept = Kept { id: id(7), until: june };
    store.apply(&ann(), vec![Change::supersede(id(1), coffee, vec![], Some(kept))]).await.unwrap();

    let asked = RecallRequest::new(ann(), "What does Ann drink?");
    let texts = async |filter: Filter| {
        let recalled = recall(&store).recall(&asked.clone().filter(filter)).await.unwrap();
        recalled.hits.iter().map(|hit| hit.memory.text().into_owned()).collect::<Vec<_>>()
    };
    let as_of = |as_of| Filter { as_of, ..Filter::default() };
    assert_eq!(texts(as_of(AsOf::valid(june))).await, ["Ann drinks coffee"]);
    assert_eq!(texts(as_of(AsOf::then(may))).await, ["Ann drinks tea"]);
    let preferences = Filter { kinds: vec![MemoryKind::Preference], ..Filter::default() };
    assert_eq!(texts(preferences).await, [""; 0]);
}

#[tokio::test]
async fn the_text_keeps_the_budget_and_what_is_long_does_not_keep_out_what_is_short() {
    let long = format!("Tea, {}", "and a very long story about it ".repeat(40));
    let mut memories = vec![insight(1, ann(), &long)];
    memories.extend((2..9).map(|n| insight(n, ann(), &format!("Note {n}: the tea was good"))));
    let store = store(memories).await;
    for budget in [0, 1, 5, 15, 40, 100, 100_000] {
        let request = RecallRequest::new(ann(), "tea, a very long story").budget(budget);
        let recalled = recall(&store).recall(&request).await.unwrap();
        assert!(recalled.tokens <= budget, "{} of {budget}", recalled.tokens);
        assert_eq!(recalled.text().lines().count(), recalled.hits.len());
        assert_eq!(recalled.hits.is_empty(), budget < 15, "{budget}: {}", recalled.text());
        if budget == 40 {
            assert!(recalled.too_long > 0 && !ids(&recalled).contains(&1) && recalled.hits.len() > 1);
        }
    }
    let two = recall(&store).recall(&RecallRequest::new(ann(), "tea").limit(2)).await.unwrap();
    assert_eq!((two.hits.len(), two.admitted), (2, 8));
}

/// An embedder whose provider is away.
#[derive(Debug)]
struct Away(EmbedderInfo);

#[async_trait::async_trait]
impl Embedder for Away {
    fn info(&self) -> &EmbedderInfo {
        &self.0
    }

    async fn embed(&self, _: EmbedRequest) -> Result<Embeddings, EmbedError> {
        Err(EmbedError::new(ErrorKind::Overloaded, "try later"))
    }
}

#[tokio::test]
async fn without_an_embedder_words_are_enough_and_it_is_said() {
    let store = store(vec![insight(1, ann(), "Ann drinks tea"), insight(2, ann(), "It rains")]).await;
    let away = Arc::new(Away(EmbedderInfo::new("test", "away")));
    let request = RecallRequest::new(ann(), "Who drinks tea?");
    let recalled =
        Recall::new(store.clone(), away.clone(), RecallOptions::default()).recall(&request).await.unwrap();
    assert_eq!(ids(&recalled), [1]);
    assert_eq!(recalled.without_vectors.unwrap().kind, ErrorKind::Overloaded);

    let strict = RecallOptions { without_vectors: WithoutVectors::Fail, ..RecallOptions::default() };
    let error = Recall::new(store, away, strict).recall(&request).await.unwrap_err();
    assert!(matches!(error, RecallError::Embed(_)) && error.is_retryable());
}

#[tokio::test]
async fn an_older_embedder_that_is_away_costs_its_vectors_only() {
    let store = store(vec![insight(1, ann(), "Ann drinks tea"), insight(2, ann(), "It rains")]).await;
    let away = Arc::new(Away(EmbedderInfo::new("test", "away")));
    let both = Embedders::from(Arc::new(HashingEmbedder::new(64))).older(away);
    let request = RecallRequest::new(ann(), "Who drinks tea?").limit(1);
    let recalled =
        Recall::new(store.clone(), both.clone(), RecallOptions::default()).recall(&request).await.unwrap();
    assert!(recalled.hits[0].shares.iter().any(|share| share.signal == Signal::Meaning), "{recalled:?}");
    assert_eq!(recalled.without_vectors.unwrap().kind, ErrorKind::Overloaded);
    let strict = RecallOptions { without_vectors: WithoutVectors::Fail, ..RecallOptions::default() };
    assert!(Recall::new(store.clone(), both, strict).recall(&request).await.is_err());

    // Two that answer by one model are asked as one.
    let twice = Embedders::from(Arc::new(HashingEmbedder::new(64))).older(Arc::new(HashingEmbedder::new(64)));
    let recalled = Recall::new(store, twice, RecallOptions::default()).recall(&request).await.unwrap();
    assert_eq!((ids(&recalled), recalled.without_vectors), (vec![1], None));
}

#[tokio::test]
async fn what_was_used_is_counted_wherever_it_is_filed() {
    let store =
        store(vec![insight(1, ann(), "Ann drinks tea"), insight(2, Scope::of("acme"), "Tea is cheap")]).await;
    let request = RecallRequest::new(ann(), "tea").reach(Reach::Inherited);
    let recall = recall(&store);
    let recalled = recall.recall(&request).await.unwrap();
    assert_eq!(recalled.hits.len(), 2);
    recall.touch(&recalled, Timestamp(77)).await.unwrap();
    let got = store.get(&Scope::of("acme"), &[id(1), id(2)]).await.unwrap();
    for memory in got.into_iter().flatten() {
        assert_eq!((memory.accessed, memory.accessed_at), (1, Some(Timestamp(77))));
    }
}

#[tokio::test]
async fn what_is_embedded_is_known_to_be_of_whom() {
    /// Notes whose texts it is asked to embed.
    #[derive(Debug)]
    struct Noting(HashingEmbedder, Mutex<Vec<(Option<Scope>, String)>>);
    #[async_trait::async_trait]
    impl Embedder for Noting {
        fn info(&self) -> &EmbedderInfo {
            self.0.info()
        }
        async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
            self.1.lock().unwrap().push((request.owner.clone(), request.inputs.join("; ")));
            self.0.embed(request).await
        }
    }
    let noting = Arc::new(Noting(HashingEmbedder::new(64), Mutex::default()));
    let store = store(vec![insight(1, ann(), "Ann drinks tea")]).await;
    let recall = Recall::new(store.clone(), noting.clone(), RecallOptions::default());
    recall.recall(&RecallRequest::new(ann(), "tea")).await.unwrap();
    let runtime = Arc::new(TestRuntime::new(1));
    let writer = Writer::new(store.clone(), noting.clone(), runtime, WriterOptions::default());
    writer.write_drafts(&ann(), vec![Draft::insight("Ann sails")]).await.unwrap();
    let mut said = insight(3, ann().agent("cook"), "b");
    let (speaker, said_at) = (Some("Bob".into()), Some(Timestamp(1_683_554_160_000)));
    said.place = Some(Place { speaker, said_at, ..Place::new("c", 1) });
    embed_memories(&*noting, &[insight(2, ann(), "a"), said.clone()]).await.unwrap();
    said.scope = Scope::of("acme");
    embed_memories(&*noting, &[insight(2, ann(), "a"), said]).await.unwrap();
    let noted = noting.1.lock().unwrap();
    let hers = |text: &str| (Some(ann()), text.to_owned());
    assert_eq!(
        noted[..3],
        [hers("tea"), hers("Ann sails"), hers("a; Bob: b")],
        "who said it, and not the day"
    );
    assert_eq!(noted[3].0, None, "of several, and so nobody's");
}

#[tokio::test]
async fn what_the_store_refuses_is_an_error_and_no_question_finds_nothing() {
    let store = store(vec![insight(1, ann(), "Ann drinks tea")]).await;
    let empty = recall(&store).recall(&RecallRequest::new(ann(), "  ")).await.unwrap();
    assert!(empty.hits.is_empty() && empty.text().is_empty() && empty.without_vectors.is_none());
    let nul = recall(&store).recall(&RecallRequest::new(ann(), "tea\0")).await.unwrap_err();
    assert!(matches!(nul, RecallError::Store(MemoryError::Invalid { .. })), "{nul}");
    assert_eq!(nul.report().kind, ErrorKind::InvalidRequest);
}
