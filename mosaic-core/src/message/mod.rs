//! What is said: the parts of a message, tool calls and their results, and what they cost.
//!
//! A conversation is a list of [`Group`]s: an input, or an assistant's answer *together with the results of its tool
//! calls*. That shape makes the two mistakes that providers punish impossible to write: a call without a result, and a
//! result without its call.
//!
//! ```
//! use mosaic_core::{Group, Part};
//!
//! let question = Group::user(vec![Part::text("Rain in Oslo?")]);
//! let answer = Group::assistant(vec![Part::text("No.")], None, vec![])?;
//! assert!(Group::assistant(vec![Part::call("c1", "weather", "{}")], None, vec![]).is_err());
//! # let _ = (question, answer);
//! # Ok::<(), mosaic_core::GroupError>(())
//! ```

mod counts;
mod fragments;
mod group;
mod measure;
mod part;
mod usage;

pub use counts::Counts;
pub use fragments::Fragments;
pub use group::{Group, GroupBody, GroupError};
pub use measure::Measure;
pub(crate) use measure::json_bytes;
pub use part::{Media, MediaData, Part, ToolCall, ToolResult, ToolStatus};
pub use usage::{Cost, Origin, Usage};
