//! What the models that run here share: texts become pieces, pieces become vectors, and vectors of pieces become one.
//!
//! ```text
//! texts ──Cutter──> pieces ──batches──> Rows ──Encode──> a vector a piece ──mean──> a vector a text
//! ```
//!
//! Models differ in their [`Encode`] alone. Work runs on a thread that may block.

mod pieces;
mod sentence;
mod work;

pub(crate) use pieces::{Cutter, Rows};
pub(crate) use sentence::{Encode, SentenceModel};
pub(crate) use work::{blocking, read};
#[cfg(feature = "onnx")]
pub(crate) use work::{guarded, unreadable};
