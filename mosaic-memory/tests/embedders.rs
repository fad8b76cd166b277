//! The cache and the tries around an embedder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mosaic_core::memory::Scope;
use mosaic_core::testing::TestRuntime;
use mosaic_core::{
    BoxError, Cost, EmbedError, EmbedRequest, Embedder, EmbedderExt, EmbedderInfo, Embeddings, ErrorKind,
    Purpose, Runtime, Usage,
};
use mosaic_memory::embed::{
    CacheKey, CachedEmbedder, CachedVector, PatientEmbedder, RamCache, Tries, VectorCache, cache_key,
};

/// An embedder that notes what it is asked, and fails as it is told.
#[derive(Debug)]
struct Noting {
    info: EmbedderInfo,
    asked: Mutex<Vec<Vec<String>>>,
    failures: Mutex<VecDeque<EmbedError>>,
    model: Mutex<Arc<str>>,
}

impl Noting {
    fn new() -> Arc<Self> {
        let info = EmbedderInfo::new("test", "noting");
        let model = Mutex::new(info.model.clone());
        Arc::new(Self { info, asked: Mutex::default(), failures: Mutex::default(), model })
    }

    fn failing(failures: impl IntoIterator<Item = EmbedError>) -> Arc<Self> {
        let this = Self::new();
        this.failures.lock().unwrap().extend(failures);
        this
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl Embedder for Noting {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        self.asked.lock().unwrap().push(request.inputs.iter().map(ToString::to_string).collect());
        if let Some(failure) = self.failures.lock().unwrap().pop_front() {
            return Err(failure);
        }
        let vectors = request.inputs.iter().map(|text| vec![text.len() as f32, 1.0]).collect();
        let usage = Usage { input: request.inputs.len() as u64, ..Usage::default() };
        Ok(Embeddings {
            vectors,
            usage,
            cost: Some(Cost::default()),
            model: self.model.lock().unwrap().clone(),
        })
    }
}

fn documents<const N: usize>(texts: [&str; N]) -> EmbedRequest {
    EmbedRequest::documents(texts)
}

#[tokio::test]
async fn only_what_is_new_is_asked_and_once() {
    let inner = Noting::new();
    let cached = CachedEmbedder::new(inner.clone(), Arc::new(RamCache::new(100)));
    let first = cached.embed(documents(["a", "bb", "a"])).await.unwrap();
    assert_eq!(first.vectors, [[1.0, 1.0], [2.0, 1.0], [1.0, 1.0]]);
    assert_eq!(first.usage.input, 2, "what was paid for");
    let second = cached.embed(documents(["ccc", "bb"])).await.unwrap();
    assert_eq!(second.vectors, [[3.0, 1.0], [2.0, 1.0]]);
    assert_eq!(cached.embed(documents(["bb"])).await.unwrap().usage.input, 0);
    assert_eq!(inner.asked(), [vec!["a", "bb"], vec!["ccc"]]);
}

#[tokio::test]
async fn a_query_and_a_document_of_one_text_are_two() {
    let inner = Noting::new();
    let cached = CachedEmbedder::new(inner.clone(), Arc::new(RamCache::new(100)));
    cached.embed_one("a", Purpose::Query).await.unwrap();
    cached.embed_one("a", Purpose::Document).await.unwrap();
    cached.embed(documents(["a"]).dimensions(2)).await.unwrap();
    assert_eq!(inner.asked().len(), 3);
    let keys = ["ab", "a"].map(|model| {
        let text = if model == "ab" { "c" } else { "bc" };
        cache_key(&EmbedderInfo::new("p", model), &documents(["x"]), text)
    });
    assert_ne!(keys[0], keys[1], "names and texts run into one another");
}

#[tokio::test]
async fn vectors_of_two_models_are_never_mixed() {
    let inner = Noting::new();
    let cached = CachedEmbedder::new(inner.clone(), Arc::new(RamCache::new(100)));
    cached.embed(documents(["a", "b"])).await.unwrap();
    *inner.model.lock().unwrap() = "noting-2".into();
    let answer = cached.embed(documents(["a", "c"])).await.unwrap();
    assert_eq!(&*answer.model, "noting-2");
    assert_eq!(inner.asked()[1..], [vec!["c"], vec!["a", "c"]], "all of it anew");
    assert_eq!(&*cached.embed(documents(["a", "c"])).await.unwrap().model, "noting-2");
    assert_eq!(inner.asked().len(), 3);
}

#[tokio::test]
async fn a_full_cache_forgets_what_was_not_used_for_the_longest_time() {
    let (inner, cache) = (Noting::new(), Arc::new(RamCache::new(2)));
    let cached = CachedEmbedder::new(inner.clone(), cache.clone());
    for text in ["a", "b", "a", "c", "a", "b"] {
        cached.embed_one(text, Purpose::Document).await.unwrap();
    }
    assert_eq!(inner.asked().concat(), ["a", "b", "c", "b"]);
    assert_eq!(cache.len(), 2);
    let none = CachedEmbedder::new(inner, Arc::new(RamCache::new(0)));
    assert_eq!(none.embed(documents(["x", "y"])).await.unwrap().vectors.len(), 2);
}

#[tokio::test]
async fn what_is_somebodys_is_kept_for_them_alone_and_forgotten_with_them() {
    let (inner, cache) = (Noting::new(), Arc::new(RamCache::new(100)));
    let cached = CachedEmbedder::new(inner.clone(), cache.clone());
    let [acme, globex] = ["acme", "globex"].map(Scope::of);
    let [ann, bob] = ["ann", "bob"].map(|user| acme.clone().user(user));
    let owners = [None, Some(&acme), Some(&ann), Some(&bob), Some(&globex)];
    let embed = async |owner: Option<&Scope>| {
        let before = inner.asked().len();
        let mut request = documents(["secret"]);
        request.owner = owner.cloned();
        cached.embed(request).await.unwrap();
        inner.asked().len() > before
    };
    for owner in owners {
        assert!(embed(owner).await, "{owner:?} learns what others have said");
        assert!(!embed(owner).await, "{owner:?}");
    }
    // Whichever of her agents: one of them may have said it.
    assert!(!embed(Some(&ann.clone().agent("cook"))).await);
    assert_eq!(cache.forget(&ann.clone().agent("cook")).await.unwrap(), 1);
    assert!(embed(Some(&ann)).await && !embed(Some(&bob)).await && !embed(Some(&acme)).await);
    assert_eq!(cache.forget(&acme).await.unwrap(), 3);
    assert!(embed(Some(&acme)).await && embed(Some(&bob)).await);
    assert!(!embed(Some(&globex)).await && !embed(None).await);
    // What was forgotten gave its place back.
    assert_eq!((cache.len(), cache.forget(&globex).await.unwrap(), cache.len()), (4, 1, 3));
}

#[tokio::test]
async fn a_broken_cache_costs_time_and_nothing_else() {
    #[derive(Debug)]
    struct Broken;
    #[async_trait::async_trait]
    impl VectorCache for Broken {
        async fn get(&self, _: &[CacheKey]) -> Result<Vec<Option<CachedVector>>, BoxError> {
            Ok(vec![])
        }
        async fn put(&self, _: Option<&Scope>, _: Vec<(CacheKey, CachedVector)>) -> Result<(), BoxError> {
            Err("full".into())
        }
        async fn forget(&self, _: &Scope) -> Result<u64, BoxError> {
            Err("stuck".into())
        }
    }
    let cached = CachedEmbedder::new(Noting::new(), Arc::new(Broken));
    assert_eq!(cached.embed(documents(["a", "b"])).await.unwrap().vectors.len(), 2);
    assert_eq!(cached.embed(documents([])).await.unwrap_err().kind, ErrorKind::InvalidRequest);
}

fn rate_limited(after: Option<u64>) -> EmbedError {
    let mut error = EmbedError::new(ErrorKind::RateLimited, "slow down");
    error.retry_after = after.map(Duration::from_secs);
    error
}

/// Embeds one text, turning the clock as long as somebody sleeps; and how long it took.
async fn patiently(inner: Arc<Noting>, deadline: Option<u64>) -> (Result<Embeddings, EmbedError>, Duration) {
    let runtime = TestRuntime::new(1);
    let patient = PatientEmbedder::new(inner, Arc::new(runtime.clone()), Tries::default());
    let mut request = documents(["a"]);
    request.deadline = deadline.map(|seconds| TestRuntime::START.after(Duration::from_secs(seconds)));
    let task = tokio::spawn(async move { patient.embed(request).await });
    while runtime.advance_to_next().await {}
    (task.await.unwrap(), TestRuntime::START.until(runtime.now()))
}

#[tokio::test]
async fn what_can_go_away_is_tried_again_as_long_as_the_provider_asks() {
    let inner = Noting::failing([rate_limited(Some(7)), EmbedError::new(ErrorKind::Server, "oops")]);
    let (answer, took) = patiently(inner.clone(), None).await;
    assert_eq!(answer.unwrap().vectors.len(), 1);
    assert_eq!(inner.asked().len(), 3);
    assert!(took >= Duration::from_millis(7_500) && took <= Duration::from_secs(8), "{took:?}");
}

#[tokio::test]
async fn what_stays_is_given_at_once() {
    let inner = Noting::failing([EmbedError::new(ErrorKind::Auth, "no key")]);
    let (answer, took) = patiently(inner.clone(), None).await;
    assert_eq!((answer.unwrap_err().kind, took, inner.asked().len()), (ErrorKind::Auth, Duration::ZERO, 1));
}

#[tokio::test]
async fn tries_end_by_number_by_wish_and_by_deadline() {
    let endless = || (0..99).map(|_| rate_limited(None));
    let inner = Noting::failing(endless());
    assert!(patiently(inner.clone(), None).await.0.is_err());
    assert_eq!(inner.asked().len(), 4);
    let (answer, took) = patiently(Noting::failing([rate_limited(Some(3600))]), None).await;
    assert_eq!(
        (answer.unwrap_err().retry_after.map(|after| after.as_secs()), took),
        (Some(3600), Duration::ZERO)
    );
    let (answer, took) = patiently(Noting::failing([rate_limited(Some(7))]), Some(5)).await;
    assert!(answer.is_err() && took == Duration::ZERO, "a wait beyond the deadline is no use");
}
