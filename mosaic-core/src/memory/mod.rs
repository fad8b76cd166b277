//! Memory: what an agent knows beyond one conversation. So far the part that everything else rests on: texts as vectors.
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

mod embedder;
mod error;
mod ext;
mod http;
mod request;

pub use embedder::{Embedder, EmbedderInfo, EmbedderSource, Embeddings, cosine};
pub use error::EmbedError;
pub use ext::EmbedderExt;
pub use http::{EmbedCodec, HttpEmbedder};
pub use request::{EmbedRequest, Purpose};
