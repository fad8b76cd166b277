//! all-MiniLM-L6-v2 on this machine, in pure Rust.
//!
//! A small model that was taught what sentences mean: 23 million weights, vectors of 384 numbers. It needs no key and no
//! network; the weights (91 MB) are the host's to bring.
//!
//! ```text
//! text ──tokenizer──> pieces of at most 254 tokens, [CLS] and [SEP] around each
//!         pieces of about one length together ──encoder──> a vector a token ──mean──> a vector a piece
//!         pieces of a text, weighed by their tokens ──mean──> one vector of length 1
//! ```
//!
//! The folder that the host gives holds three files, as the model hub has them:
//!
//! | file | SHA-256 begins with |
//! | --- | --- |
//! | `model.safetensors` (32-bit floats) | `53aa5117` |
//! | `tokenizer.json` | `be50c362` |
//! | `config.json` | |
//!
//! ```no_run
//! use std::sync::Arc;
//! use mosaic_core::{EmbedderExt, Purpose, TokioRuntime};
//! use mosaic_memory::embed::MiniLm;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let embedder = MiniLm::open(".cache/models/all-minilm-l6-v2", Arc::new(TokioRuntime::current()?)).await?;
//! let vector = embedder.embed_one("It rained in Oslo all day.", Purpose::Document).await?;
//! assert_eq!(vector.len(), 384);
//! # Ok(())
//! # }
//! ```
//!
//! Sentences of up to 256 tokens give what the model's own library gives (to 1e-6; `tests/minilm.rs`). A longer text is
//! not cut off: its pieces are embedded one by one and averaged.

mod config;
mod encoder;
mod model;

pub use model::MiniLm;
