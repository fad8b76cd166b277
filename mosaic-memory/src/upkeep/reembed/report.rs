//! How far embedding anew is.

use std::sync::Arc;

use mosaic_core::memory::{MemoryError, MemoryId, MemoryStore, Scope};
use mosaic_core::{Cost, ErrorReport, Timestamp, Usage};

/// Of so many that were refused it is told which, and why.
pub(super) const MOST_SKIPPED: usize = 1_000;

/// What one attempt has done so far.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReembedReport {
    /// Whose memories.
    pub scope: Scope,
    /// The model, by the name that vectors are stored under.
    pub model: Arc<str>,
    /// So many memories got a vector.
    pub embedded: u64,
    /// So many were refused by the model.
    pub refused: u64,
    /// Which, and why; the first thousand.
    pub skipped: Vec<Skipped>,
    /// The model whose vectors were dropped.
    pub dropped: Option<Arc<str>>,
    /// What embedding took.
    pub usage: Usage,
    /// What it cost, where that is known.
    pub cost: Option<Cost>,
    /// When all was done; before, it is under way.
    pub finished: Option<Timestamp>,
}

impl ReembedReport {
    pub(super) fn of(scope: Scope, model: Arc<str>) -> Self {
        Self {
            scope,
            model,
            embedded: 0,
            refused: 0,
            skipped: Vec::new(),
            dropped: None,
            usage: Usage::default(),
            cost: Some(Cost::default()),
            finished: None,
        }
    }
}

/// A memory that could not be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Which.
    pub memory: MemoryId,
    /// Why.
    pub error: ErrorReport,
}

/// How many memories have a vector of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// So many have one.
    pub embedded: u64,
    /// So many there are.
    pub memories: u64,
}

/// How far a scope is, whoever works on it: what the store says.
///
/// # Errors
/// Those of the store.
pub async fn progress(store: &dyn MemoryStore, scope: &Scope, model: &str) -> Result<Progress, MemoryError> {
    let counts = store.counts(scope).await?;
    let embedded = counts.vectors.get(model).copied().unwrap_or_default();
    Ok(Progress { embedded, memories: counts.memories })
}
