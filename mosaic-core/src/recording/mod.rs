//! What was recorded, and is replayed: lines of JSON that are written as things happen, and the place where two JSON values
//! differ.
//!
//! * [`run`] records what the sessions of an engine do, to replay whole runs without a model, a tool or a network.
//! * [`transport::record`](crate::transport::record) records HTTP below the codecs, to test an agent or a codec against what
//!   a provider really said.

mod difference;
mod error;
mod lines;
pub mod run;

pub use difference::Difference;
pub use error::RecordingError;
pub(crate) use lines::{Lines, read_lines};
