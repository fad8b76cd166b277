//! all-MiniLM-L6-v2 by ONNX Runtime, in weights of 8 bits: a quarter of the size, and fast on one thread.
//!
//! For hosts that ship ONNX Runtime already, or want a small model more than exact vectors. Nothing of it is linked or
//! fetched when this library is built: the host brings the shared library, version 1.17 or newer, and says where it is.
//!
//! ```text
//! text ──as for `MiniLm`──> rows of tokens ──ONNX Runtime──> a vector a token ──mean──> one vector of length 1
//! ```
//!
//! | file | of the host | for instance |
//! | --- | --- | --- |
//! | the library | any path | `libonnxruntime.so` (Linux), `libonnxruntime.dylib` (macOS), `onnxruntime.dll` (Windows) |
//! | `model.onnx` | in the folder | SHA-256 begins with `8199be6f` |
//! | `tokenizer.json` | in the folder | that of the 32-bit weights, `be50c362` |
//!
//! ```no_run
//! use std::sync::Arc;
//! use mosaic_core::{EmbedderExt, Purpose, TokioRuntime};
//! use mosaic_memory::embed::OnnxMiniLm;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = ".cache/models/all-minilm-l6-v2-int8";
//! let library = format!("{folder}/libonnxruntime.so");
//! let embedder = OnnxMiniLm::open(library, folder, Arc::new(TokioRuntime::current()?)).await?;
//! let vector = embedder.embed_one("It rained in Oslo all day.", Purpose::Document).await?;
//! assert_eq!(vector.len(), 384);
//! # Ok(())
//! # }
//! ```
//!
//! Its vectors are close to those of the 32-bit weights (cosine of at least 0.99; `tests/onnx.rs`) and yet others, so they are
//! kept under another name, `all-MiniLM-L6-v2-int8`: memories of one are embedded anew for the other.
//!
//! # One library a process
//! A process loads ONNX Runtime once. The first library that was opened stays until the process ends; to open another one
//! after it is refused. ONNX Runtime's telemetry is switched off.
//!
//! # Trust
//! Loading a library runs its code, in this process and with its rights: name none that others can write to.

mod encoder;
mod library;
mod model;

pub use model::OnnxMiniLm;
