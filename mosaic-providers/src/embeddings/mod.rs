//! Texts as vectors: pure codecs of the wire APIs that there are, and a table of who speaks which.
//!
//! | codec | path | spoken by | vectors | purpose |
//! | --- | --- | --- | --- | --- |
//! | [`OpenAiEmbeddings`] | `/embeddings` | OpenAI, Mistral, llama.cpp, vLLM, Together, OpenRouter | numbers or base64 | by [prefixes](mosaic_core::HttpEmbedder::prefixes) |
//! | [`GeminiEmbeddings`] | `/models/{model}:batchEmbedContents` | Gemini | numbers | `taskType` |
//! | [`CohereEmbeddings`] | `/embed` | Cohere | numbers | `input_type` |
//! | [`OllamaEmbeddings`] | `/api/embed` | Ollama | numbers | by prefixes |
//!
//! Answers are read leniently, and none is believed: [`HttpEmbedder`](mosaic_core::HttpEmbedder) checks their number, their
//! length and every number in them. Texts that are too long are refused and not cut where the API lets us say so.
//!
//! ```
//! # use std::sync::Arc;
//! use mosaic_core::testing::{Reply, ScriptedTransport, TestRuntime};
//! use mosaic_core::{EmbedderExt, EmbedderSource, Purpose};
//! use mosaic_providers::endpoint::Providers;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = ScriptedTransport::new([Reply::ok(r#"{"data":[{"index":0,"embedding":[0.6,0.8]}]}"#)]);
//! let key = |name: &str| (name == "OPENAI_API_KEY").then(|| "sk-1".to_owned());
//! let providers = Providers::new(key, Arc::new(transport), Arc::new(TestRuntime::new(1)));
//!
//! let embedder = providers.embedder(&"openai:text-embedding-3-small".parse()?)?;
//! assert_eq!(embedder.info().dimensions, Some(1536));
//! assert_eq!(embedder.embed_one("rain", Purpose::Query).await?, [0.6, 0.8]);
//! # Ok(())
//! # }
//! ```

mod cohere;
mod gemini;
mod ollama;
mod openai;
mod source;
mod table;
mod vector;

pub use cohere::CohereEmbeddings;
pub use gemini::{GeminiEmbeddings, TaskType};
pub use ollama::OllamaEmbeddings;
pub use openai::{Dimensions, EmbeddingQuirks, Encoding, OpenAiEmbeddings};
pub use table::{KnownEmbedder, KnownEmbeddingModel, known};
