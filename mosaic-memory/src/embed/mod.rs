//! Embedders that run on this machine, and wrappers that any embedder can be put into.
//!
//! Embedding is the part of memory that costs money or processor time, and that fails when a network does. The same text
//! is embedded again and again: a note that was not changed, a question that is asked every morning.
//!
//! | | is | for |
//! | --- | --- | --- |
//! | [`HashingEmbedder`] | words counted in hashed places: knows words, not meanings | tests, examples, hosts without a model |
//! | `MiniLm` (feature `minilm`) | all-MiniLM-L6-v2 in pure Rust, from weights that the host has | recall offline |
//! | `OnnxMiniLm` (feature `onnx`) | the same in 8-bit weights, a quarter of the size, by ONNX Runtime, which the host has too | recall offline, hosts that ship ONNX Runtime |
//! | [`CachedEmbedder`] | an embedder that asks the one inside only for texts that it has not seen | every embedder that costs |
//! | [`Embedders`] | the embedder of today, and those of before | while memories are embedded anew |
//! | [`PatientEmbedder`] | an embedder that asks again where that can help | every embedder behind a network |
//!
//! Batches are [`EmbedderExt::embed_all`](mosaic_core::EmbedderExt::embed_all)'s business.
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::{EmbedError, Embedder, EmbedderExt, Purpose};
//! use mosaic_memory::embed::{CachedEmbedder, HashingEmbedder, RamCache};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), EmbedError> {
//! let embedder = CachedEmbedder::new(Arc::new(HashingEmbedder::new(256)), Arc::new(RamCache::new(10_000)));
//! let once = embedder.embed_one("It rained in Oslo.", Purpose::Document).await?;
//! let again = embedder.embed_one("It rained in Oslo.", Purpose::Document).await?; // computes nothing
//! assert_eq!(once, again);
//! # Ok(())
//! # }
//! ```

mod cache;
mod embedders;
mod hashing;
#[cfg(any(feature = "minilm", feature = "onnx"))]
mod local;
#[cfg(feature = "minilm")]
pub mod minilm;
#[cfg(feature = "onnx")]
pub mod onnx;
mod patient;

pub use cache::{CachedEmbedder, RamCache, cache_key};
pub use embedders::Embedders;
pub(crate) use embedders::Missed;
pub use hashing::HashingEmbedder;
#[cfg(feature = "minilm")]
pub use minilm::MiniLm;
pub use mosaic_core::memory::{CacheKey, CachedVector, VectorCache};
#[cfg(feature = "onnx")]
pub use onnx::OnnxMiniLm;
pub use patient::{PatientEmbedder, Tries};
