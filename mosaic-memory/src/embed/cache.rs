//! A text that was embedded once is not embedded again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mosaic_core::memory::{CacheKey, CachedVector, Scope, VectorCache};
use mosaic_core::message::Usage;
use mosaic_core::{BoxError, Cost, EmbedError, EmbedRequest, Embedder, EmbedderInfo, Embeddings, Purpose};
use sha2::{Digest, Sha256};

/// What the vector of a text is kept under: a SHA-256 of all that it depends on (provider, model, length, purpose and text) and of
/// whose text it is, so that nobody can learn from an answer's speed what others have said.
#[must_use]
pub fn cache_key(info: &EmbedderInfo, request: &EmbedRequest, text: &str) -> CacheKey {
    let mut hash = Sha256::new();
    let purpose = match request.purpose {
        Purpose::Query => "query",
        Purpose::Document => "document",
        // A purpose that is new is kept apart by its name.
        other => &format!("{other:?}"),
    };
    let dimensions = request.dimensions.map_or_else(String::new, |dimensions| dimensions.to_string());
    let (tenant, user) = request.owner.as_ref().map_or((None, None), |owner| {
        let Filed { tenant, user } = Filed::under(owner);
        (Some(tenant), user)
    });
    // Nobody, and somebody without a name, are two.
    let [tenant, user] = [tenant, user].map(|name| name.map(|name| format!("={name}")).unwrap_or_default());
    for part in [&*info.provider, &*info.model, &dimensions, purpose, &tenant, &user, text] {
        // The length first, so that no two lists of parts look alike.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    CacheKey(hash.finalize().into())
}

/// Whose a vector is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Filed {
    tenant: Arc<str>,
    user: Option<Arc<str>>,
}

impl Filed {
    fn under(owner: &Scope) -> Self {
        Self { tenant: owner.tenant.clone(), user: owner.user.clone() }
    }

    fn is_of(&self, scope: &Scope) -> bool {
        self.tenant == scope.tenant && (scope.user.is_none() || scope.user == self.user)
    }
}

/// Vectors in RAM, at most a number of them; the one that was not used for the longest time goes first.
pub struct RamCache {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    vectors: HashMap<CacheKey, Entry>,
    /// By when they were used last.
    used: BTreeMap<u64, CacheKey>,
    clock: u64,
}

struct Entry {
    used: u64,
    filed: Option<Filed>,
    vector: CachedVector,
}

impl State {
    fn touch(&mut self, key: CacheKey) -> Option<CachedVector> {
        let clock = self.tick();
        let entry = self.vectors.get_mut(&key)?;
        let (before, vector) = (std::mem::replace(&mut entry.used, clock), entry.vector.clone());
        self.used.remove(&before);
        self.used.insert(clock, key);
        Some(vector)
    }

    fn put(&mut self, key: CacheKey, filed: Option<Filed>, vector: CachedVector) {
        let used = self.tick();
        if let Some(before) = self.vectors.insert(key, Entry { used, filed, vector }) {
            self.used.remove(&before.used);
        }
        self.used.insert(used, key);
    }

    fn forget(&mut self, scope: &Scope) -> u64 {
        let before = self.vectors.len();
        let used = &mut self.used;
        self.vectors.retain(|_, entry| {
            let stays = !entry.filed.as_ref().is_some_and(|filed| filed.is_of(scope));
            if !stays {
                used.remove(&entry.used);
            }
            stays
        });
        (before - self.vectors.len()) as u64
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

    async fn put(
        &self,
        owner: Option<&Scope>,
        vectors: Vec<(CacheKey, CachedVector)>,
    ) -> Result<(), BoxError> {
        let filed = owner.map(Filed::under);
        let state = &mut *self.lock();
        for (key, vector) in vectors {
            state.put(key, filed.clone(), vector);
            while state.vectors.len() > self.most {
                let Some((_, oldest)) = state.used.pop_first() else { break };
                state.vectors.remove(&oldest);
            }
        }
        Ok(())
    }

    async fn forget(&self, scope: &Scope) -> Result<u64, BoxError> {
        Ok(self.lock().forget(scope))
    }
}

/// An embedder that asks the one inside only for texts that it has not seen, and for each of them once a request.
///
/// [`Embeddings::usage`] and [`Embeddings::cost`] are of what was asked; a request that the cache answers costs nothing.
///
/// Vectors are filed under [`EmbedRequest::owner`], which [`Recall`](crate::recall::Recall), [`Writer`](crate::write::Writer) and
/// the jobs of [`upkeep`](crate::upkeep) say. Whoever erases a user calls [`VectorCache::forget`] too; a cache in the file of the
/// memories goes with them.
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
        let keys: Vec<CacheKey> = request.inputs.iter().map(|text| cache_key(info, &request, text)).collect();
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
            if let Err(error) = self.cache.put(request.owner.as_ref(), new).await {
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
