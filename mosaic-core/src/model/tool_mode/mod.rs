//! How a model is brought to call tools that it cannot call through its provider's interface.
//!
//! Small local models give no native calls at all: measured, 0 of 20 through llama.cpp, where the same model chose the
//! right tool 18 times of 20 when its answer was forced into a schema. All of this is pure and knows no wire format.
//!
//! | mode | the request | old calls and results | the answer |
//! | --- | --- | --- | --- |
//! | `native` | as it is | as they are | a call found in the text is accepted |
//! | `json_schema` | tools in the instructions; the answer forced into an `anyOf` of calls and a final answer | as text | a call, or the final answer without its wrapping, live |
//! | `text` | tools in the instructions | as text | calls found in the text |
//!
//! A call in the text is accepted only when it names a tool of the request and its arguments pass that tool's schema.
//! Otherwise text stays text, to the last character.
//!
//! ```text
//! prepare(mode, request) ─ Prepared      what the codec is given in place of the request's own members
//! render(mode, group)    ─ [GroupBody]   what the codec encodes in place of a group; one group at a time, so it is kept
//! Filter::push(event)    ─ [ModelEvent]  what the host sees in place of what the model said
//! ```

mod filter;
mod final_answer;
mod lane;
mod lenient;
mod prepare;
mod render;
mod repeat;
mod scan;
mod schema;
#[cfg(test)]
mod tests;

pub use filter::Filter;
pub use prepare::{Prepared, prepare};
pub use render::render;
pub use repeat::break_repetition;
pub(crate) use scan::Scan;
