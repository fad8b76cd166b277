//! Memory: what an agent knows beyond one conversation.
//!
//! ```text
//! texts ──> Embedder ──> vectors ─┐
//! memories ───────────────────────┴─> MemoryStore::apply ──> rows, a word index, a vector index
//! question ──> words, vectors ──────> MemoryStore::search ─> candidates with raw scores ──> fused to a ranked list elsewhere
//! ```
//!
//! | word | meaning |
//! | --- | --- |
//! | [`Memory`] | a preference, an insight or an episode, with its [`Scope`], its sources, its place in a conversation |
//! | *valid* | from when to when something is so in the world |
//! | *recorded*, *closed* | from when to when we believe it |
//! | [`MemoryBlock`] | a small named text that is always in the prompt |
//! | [`Candidate`] | a memory that may answer, and what words, neighbours and vectors say of it |
//!
//! # What did we believe in May?
//!
//! ```
//! # use mosaic_core::memory::*;
//! # use mosaic_core::Timestamp;
//! # const JANUARY: Timestamp = Timestamp(1); const MARCH: Timestamp = Timestamp(3); const MAY: Timestamp = Timestamp(5);
//! # const JUNE: Timestamp = Timestamp(6);
//! # fn ids() -> [MemoryId; 3] { [1, 2, 3].map(|n| MemoryId(uuid::Uuid::from_u128(n))) }
//! async fn example(store: &dyn MemoryStore) -> Result<(), MemoryError> {
//!     let ann = Scope::of("acme").user("ann");
//!     let drinks = |what: &str| MemoryBody::Preference { key: "drink".into(), value: what.into(), confidence: 1.0 };
//!     let [tea, coffee, once_tea] = ids();
//!     store.apply(&ann, vec![Change::add(Memory::new(tea, ann.clone(), drinks("tea"), JANUARY), vec![])]).await?;
//!
//!     // In June she says that it has been coffee since May.
//!     let mut new = Memory::new(coffee, ann.clone(), drinks("coffee"), JUNE);
//!     new.valid_from = MAY;
//!     let kept = Kept { id: once_tea, until: MAY };
//!     store.apply(&ann, vec![Change::supersede(tea, new, vec![], Some(kept))]).await?;
//!
//!     let believed = async |as_of| {
//!         let page = MemoryPage { filter: Filter { as_of, ..Filter::default() }, ..MemoryPage::default() };
//!         Ok::<_, MemoryError>(store.list(&ann, page).await?.iter().map(|m| m.text().into_owned()).collect::<Vec<_>>())
//!     };
//!     assert_eq!(believed(AsOf::then(MAY)).await?, ["drink: tea"]); // in May we did not know
//!     assert_eq!(believed(AsOf::valid(MAY)).await?, ["drink: coffee"]); // now we do
//!     assert_eq!(believed(AsOf::valid(MARCH)).await?, ["drink: tea"]); // and in March it was tea
//!     Ok(())
//! }
//! ```
//!
//! # Texts as vectors
//!
//! ```text
//! texts ──> EmbedderExt::embed_all ──> Embedder::embed, one request a batch ──> Embeddings, one vector a text
//!                                         │
//!                                         └─ HttpEmbedder = EmbedCodec (pure) + address + key + HttpTransport
//! ```
//!
//! Texts that mean alike lie close together as vectors, if the same model made both. Models that were taught to search
//! want to know which side of the search a text is on: that is its [`Purpose`].
//!
//! ```
//! # use mosaic_core::memory::{EmbedError, EmbedRequest, Embedder, EmbedderExt, Purpose, cosine};
//! async fn closest(embedder: &dyn Embedder, question: &str, notes: &[&str]) -> Result<Option<usize>, EmbedError> {
//!     let question = embedder.embed_one(question, Purpose::Query).await?;
//!     let notes = embedder.embed_all(EmbedRequest::documents(notes.iter().copied()), 4).await?;
//!     let likeness = notes.vectors.iter().map(|note| cosine(note, &question));
//!     let best = likeness.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
//!     Ok(best.map(|(index, _)| index))
//! }
//! ```
//!
//! A name such as `"openai:text-embedding-3-small"` is a [`ModelRef`](crate::ModelRef); an [`EmbedderSource`] turns it
//! into an [`Embedder`]. Nothing here knows a provider.

mod cache;
mod change;
pub mod check;
#[cfg(feature = "testing")]
pub mod conformance;
mod embedder;
mod error;
mod ext;
mod http;
mod item;
mod lines;
mod query;
mod request;
mod scope;
mod store;
mod store_error;
mod text;

pub use cache::{CacheKey, CachedVector, VectorCache};
pub use change::{Change, Kept};

pub use embedder::{Embedder, EmbedderInfo, EmbedderSource, Embeddings, cosine};
pub use error::EmbedError;
pub use ext::EmbedderExt;
pub use http::{EmbedCodec, HttpEmbedder};
pub use item::{Memory, MemoryBlock, MemoryBody, MemoryId, MemoryKind, Place, SourceRef, Span, Vector};
pub use lines::{Imported, MemoryStoreExt, Record};
pub use query::{AsOf, Candidate, Candidates, Filter, MemoryCounts, MemoryPage, SearchQuery};
pub use request::{EmbedRequest, Purpose};
pub use scope::{Reach, Scope};
pub use store::{MemoryStore, RecordStream};
pub use store_error::MemoryError;
pub use text::date;
