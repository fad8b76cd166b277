//! A text that was embedded once is not embedded again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mosaic_core::message::Usage;
use mosaic_core::{BoxError, Cost, EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, Purpose};
use sha2::{Digest, Sha256};

/// What a vector is kept under: a SHA-256 of all that it depends on (provider, model, length, purpose and text). It does not
/// give the text away to whoever does not know it already.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(pub [u8; 32]);

impl CacheKey {
    /// The key of a text.
    #[must_use]
    pub fn of(info: &EmbedderInfo, dimensions: Option<usize>, purpose: Purpose, text: &str) -> Self {
        let mut hash = Sha256::new();
        let purpose = match purpose {
            Purpose::Query => "query",
            Purpose::Document => "document",
            // A purpose that is new is kept apart by its name.
            other => &format!("{other:?}"),
        };
        let dimensions = dimensions.map_or_else(String::new, |dimensions| dimensions.to_string());
        for part in [&*info.provider, &*info.model, &dimensions, purpose, text] {
            // The length first, so that no two lists of parts look alike.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A vector as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedVector {
    /// The model that made it, as [`Embeddings::model`] says it. It may be a closer name than the one that was asked.
    pub model: Arc<str>,
    /// The vector.
    pub values: Arc<[f32]>,
}

/// Where vectors are kept.
///
/// # Contract
/// * What was put may be forgotten at any time; what is given is what was put, whole.
/// * An error costs time and nothing else: the embedder is asked, and the error is logged.
#[async_trait::async_trait]
pub trait VectorCache: fmt::Debug + Send + Sync {
    /// The vectors under some keys, in their order; `None` where there is none.
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<CachedVector>>, BoxError>;

    /// Keeps some vectors.
    async fn put(&self, vectors: Vec<(CacheKey, CachedVector)>) -> Result<(), BoxError>;
}

/// Vectors in RAM, at most a number of them; the one that was not used for the longest time goes first.
pub struct RamCache {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    vectors: HashMap<CacheKey, (u64, CachedVector)>,
    /// By when they were used last.
    used: BTreeMap<u64, CacheKey>,
    clock: u64,
}

impl State {
    fn touch(&mut self, key: CacheKey) -> Option<CachedVector> {
        let clock = self.tick();
        let (used, vector) = self.vectors.get_mut(&key)?;
        let (before, vector) = (std::mem::replace(used, clock), vector.clone());
        self.used.remove(&before);
        self.used.insert(clock, key);
        Some(vector)
    }

    fn put(&mut self, key: CacheKey, vector: CachedVector) {
        let clock = self.tick();
        if let Some((before, _)) = self.vectors.insert(key, (clock, vector)) {
            self.used.remove(&before);
        }
        self.used.insert(clock, key);
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl RamCache {
    /// A cache of at most so many vectors. One of 384 numbers takes about 1.7 kB.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, state: Mutex::default() }
    }

    /// How many vectors it keeps now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().vectors.len()
    }

    /// Whether it keeps none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RamCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RamCache").field("most", &self.most).field("len", &self.len()).finish()
    }
}

#[async_trait::async_trait]
impl VectorCache for RamCache {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<CachedVector>>, BoxError> {
        let state = &mut *self.lock();
        Ok(keys.iter().map(|key| state.touch(*key)).collect())
    }

    async fn put(&self, vectors: Vec<(CacheKey, CachedVector)>) -> Result<(), BoxError> {
        let state = &mut *self.lock();
        for (key, vector) in vectors {
            state.put(key, vector);
            while state.vectors.len() > self.most {
                let Some((_, oldest)) = state.used.pop_first() else { break };
                state.vectors.remove(&oldest);
            }
        }
        Ok(())
    }
}

/// An embedder that asks the one inside only for texts that it has not seen, and for each of them once a request.
///
/// [`Embeddings::usage`] and [`Embeddings::cost`] are of what was asked; a request that the cache answers costs nothing.
#[derive(Debug)]
pub struct CachedEmbedder {
    inner: Arc<dyn Embedder>,
    cache: Arc<dyn VectorCache>,
}

impl CachedEmbedder {
    /// That embedder, with that cache before it. A cache may stand before several.
    #[must_use]
    pub fn new(inner: Arc<dyn Embedder>, cache: Arc<dyn VectorCache>) -> Self {
        Self { inner, cache }
    }

    async fn known(&self, keys: &[CacheKey]) -> Vec<Option<CachedVector>> {
        match self.cache.get(keys).await {
            Ok(known) if known.len() == keys.len() => known,
            Ok(known) => {
                tracing::warn!(asked = keys.len(), answered = known.len(), "a cache of vectors is broken");
                vec![None; keys.len()]
            }
            Err(error) => {
                tracing::warn!(%error, "a cache of vectors does not answer");
                vec![None; keys.len()]
            }
        }
    }
}

#[async_trait::async_trait]
impl Embedder for CachedEmbedder {
    fn info(&self) -> &EmbedderInfo {
        self.inner.info()
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Embeddings, EmbedError> {
        let info = self.inner.info();
        request.check(info)?;
        let key = |text: &Arc<str>| CacheKey::of(info, request.dimensions, request.purpose, text);
        let keys: Vec<CacheKey> = request.inputs.iter().map(key).collect();
        let mut found: HashMap<CacheKey, CachedVector> = HashMap::new();
        for (key, vector) in keys.iter().zip(self.known(&keys).await) {
            found.extend(vector.map(|vector| (*key, vector)));
        }
        let (mut usage, mut cost) = (Usage::default(), Some(Cost::default()));
        loop {
            let mut models = found.values().map(|vector| &vector.model);
            let model = models.next().cloned().unwrap_or_else(|| Arc::clone(&info.model));
            if models.any(|other| *other != model) {
                // The provider has a new model under the old name: vectors of both cannot be compared.
                found.clear();
            }
            let missing = missing(&keys, &request, &found);
            if missing.is_empty() {
                let vectors = keys.iter().filter_map(|key| found.get(key));
                let vectors = vectors.map(|vector| vector.values.to_vec()).collect();
                return Embeddings { vectors, usage, cost, model }.check(&request, info);
            }
            let inputs = missing.iter().map(|(_, text)| Arc::clone(text)).collect();
            let asked = EmbedRequest { inputs, ..request.clone() };
            let answer = self.inner.embed(asked.clone()).await?.check(&asked, info)?;
            usage += answer.usage;
            // What is not known of a part is not known of the whole.
            cost = cost.zip(answer.cost).map(|(mut sum, more)| {
                sum += more;
                sum
            });
            let model = answer.model;
            let vectors = answer.vectors.into_iter();
            let vectors = vectors.map(|values| CachedVector { model: model.clone(), values: values.into() });
            let new: Vec<_> = missing.into_iter().map(|(key, _)| key).zip(vectors).collect();
            found.extend(new.iter().cloned());
            if let Err(error) = self.cache.put(new).await {
                tracing::warn!(%error, "a cache of vectors does not take them");
            }
        }
    }
}

/// The texts without a vector, each once.
fn missing(
    keys: &[CacheKey],
    request: &EmbedRequest,
    found: &HashMap<CacheKey, CachedVector>,
) -> Vec<(CacheKey, Arc<str>)> {
    let mut seen = HashSet::new();
    let texts = keys.iter().zip(request.inputs.iter());
    let texts = texts.filter(|(key, _)| !found.contains_key(key) && seen.insert(**key));
    texts.map(|(key, text)| (*key, Arc::clone(text))).collect()
}
