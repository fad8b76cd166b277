//! What a rule needs, and small words that the rules are written in.

use std::sync::Arc;

use uuid::Uuid;

use super::Broken;
use crate::memory::{
    Candidates, Change, Filter, Memory, MemoryBody, MemoryError, MemoryId, MemoryPage, MemoryStore, Place,
    Scope, SearchQuery, Vector,
};
use crate::runtime::Timestamp;

/// Opens stores for the rules. Make a new one for every run: a rule finds its places empty.
#[async_trait::async_trait]
pub trait Factory: Send + Sync {
    /// Opens the store at a place. Every rule uses places of its own (letters, digits and `_`), so a place never named before
    /// must be empty. The same place named again is another handle on the same data, as another process would have it.
    async fn open(&self, place: &str) -> Result<Arc<dyn MemoryStore>, MemoryError>;
}

impl From<MemoryError> for Broken {
    fn from(error: MemoryError) -> Self {
        Self(format!("a call that should succeed failed: {error}"))
    }
}

pub(super) use crate::conformance::{Check, ensure, ensure_fails};

/// A UUIDv7 of a small number; greater ones are greater.
#[must_use]
pub fn id(n: u64) -> MemoryId {
    MemoryId(Uuid::from_u128((u128::from(n) << 80) | (0x7 << 76) | (0x8 << 60)))
}

/// What rules happen in.
pub(super) fn ann() -> Scope {
    Scope::of("acme").user("ann")
}

pub(super) fn bob() -> Scope {
    Scope::of("acme").user("bob")
}

/// A time.
pub(super) fn at(n: u64) -> Timestamp {
    Timestamp(1_700_000_000_000 + n)
}

/// An insight, recorded at the time of its number.
pub(super) fn insight(n: u64, scope: &Scope, text: &str) -> Memory {
    Memory::new(id(n), scope.clone(), MemoryBody::Insight { text: text.into() }, at(n))
}

/// A turn of a conversation, at the position of its number.
pub(super) fn turn(n: u64, scope: &Scope, conversation: &str, text: &str) -> Memory {
    let mut memory =
        Memory::new(id(n), scope.clone(), MemoryBody::Episode { text: text.into(), span: None }, at(n));
    memory.place = Some(Place::new(conversation, n));
    memory
}

pub(super) fn add(memory: Memory) -> Change {
    Change::add(memory, Vec::new())
}

pub(super) fn vector(model: &str, values: &[f32]) -> Vector {
    Vector::new(model, values.to_vec())
}

/// Adds insights numbered from a number on.
pub(super) async fn insights(store: &dyn MemoryStore, scope: &Scope, from: u64, texts: &[&str]) -> Check {
    let changes = (from..).zip(texts).map(|(n, text)| add(insight(n, scope, text))).collect();
    Ok(store.apply(scope, changes).await?)
}

/// The numbers of ids.
pub(super) fn numbers<'m>(memories: impl IntoIterator<Item = &'m Arc<Memory>>) -> Vec<u64> {
    memories.into_iter().map(|memory| number(memory.id)).collect()
}

pub(super) fn number(id: MemoryId) -> u64 {
    u64::try_from(id.0.as_u128() >> 80).unwrap_or(u64::MAX)
}

/// All memories that a filter admits, as numbers.
pub(super) async fn listed(
    store: &dyn MemoryStore,
    scope: &Scope,
    filter: Filter,
) -> Result<Vec<u64>, Broken> {
    let page = MemoryPage { filter, after: None, limit: 10_000 };
    Ok(numbers(&store.list(scope, page).await?))
}

/// What a search finds, as numbers.
pub(super) async fn found(store: &dyn MemoryStore, query: SearchQuery) -> Result<Vec<u64>, Broken> {
    Ok(numbers_of(&store.search(query).await?))
}

pub(super) fn numbers_of(found: &Candidates) -> Vec<u64> {
    numbers(found.candidates.iter().map(|candidate| &candidate.memory))
}

pub(super) fn by_words(scope: &Scope, text: &str) -> SearchQuery {
    SearchQuery::new(scope.clone()).text(text)
}

pub(super) fn by_vector(scope: &Scope, model: &str, values: &[f32]) -> SearchQuery {
    SearchQuery::new(scope.clone()).vector(vector(model, values))
}
