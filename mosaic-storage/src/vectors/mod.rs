//! Search among vectors: one contiguous block of small numbers a model, read from end to end.
//!
//! ```text
//! f32 x width ──normalise──> i8 x width, one scale a row ──> kernel: dot products, 64 rows at a time ──> the best k
//! ```
//!
//! A scan of 100,000 vectors of 384 numbers reads 38 MB, which takes one core 2 ms. That is less than an index of neighbours
//! saves, and it needs no building, finds everything, and filters and deletes for free. What comes out is coarse (an eighth of a
//! percent off); whoever wants it exact asks for some more and compares those again as f32.
//!
//! Among very many a graph shows the way, if somebody lets it grow:
//!
//! | file | one idea |
//! | --- | --- |
//! | `block` | the rows, and the scan |
//! | `kernel` | dot products, for the processor at hand |
//! | `graph` | links between neighbours |
//! | `space` | which of both is asked |

mod block;
mod graph;
#[allow(unsafe_code)] // one call of a function that needs AVX2, behind the check for it
mod kernel;
mod space;

pub(crate) use block::{Bits, Query};
pub(crate) use space::Space;
