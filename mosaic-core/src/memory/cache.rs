//! The contract of a cache of vectors.

use std::fmt::{self, Debug};
use std::sync::Arc;

use super::Scope;
use crate::error::BoxError;

/// What a vector is kept under: a digest of all that it depends on, the text among it. It does not give the text away to whoever
/// does not know it already.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(pub [u8; 32]);

impl Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A vector as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedVector {
    /// The model that made it, as [`Embeddings::model`](super::Embeddings::model) says it. It may be a closer name than the one
    /// that was asked.
    pub model: Arc<str>,
    /// The vector.
    pub values: Arc<[f32]>,
}

/// Where vectors are kept, so that a text that was embedded once is not embedded again.
///
/// A vector tells much of its text, so what is kept is filed under its owner and goes when the owner is erased.
///
/// # Contract
/// * What was put may be forgotten at any time; what is given is what was put, whole.
/// * An error costs time and nothing else: the embedder is asked, and the error is logged.
/// * What is put is filed under the tenant and the user of its owner. A cache that outlives its process keeps nothing without an
///   owner: nobody could have it forgotten.
/// * When [`forget`](Self::forget) has returned, what was filed under a user of the scope before is gone, from the cache's files too. Agents and
///   sessions are not told apart: rather too much is forgotten than too little. What only had to make room may have left copies until then.
#[async_trait::async_trait]
pub trait VectorCache: Debug + Send + Sync {
    /// The vectors under some keys, in their order; `None` where there is none.
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<CachedVector>>, BoxError>;

    /// Keeps some vectors.
    async fn put(
        &self,
        owner: Option<&Scope>,
        vectors: Vec<(CacheKey, CachedVector)>,
    ) -> Result<(), BoxError>;

    /// Forgets what is filed under the user of a scope; under anybody of the tenant where it names no user. Says how many.
    async fn forget(&self, scope: &Scope) -> Result<u64, BoxError>;
}
