//! What is said in the workloads, the same on both sides.

use crate::{Error, Result};

/// Turns of C and G.
pub const TURNS: u64 = 200;
/// Chunks of D.
pub const CHUNKS: u64 = 20_000;
/// Sessions of E, and turns of each.
pub const SESSIONS: u64 = 1_000;
/// Turns of a session of E.
pub const SESSION_TURNS: u64 = 3;
/// Messages before F begins.
pub const HISTORY: u64 = 2_000;
/// Turns of F.
pub const HISTORY_TURNS: u64 = 20;
/// Agents of B.
pub const AGENTS: u64 = 10_000;

/// The model that calls a tool and then says a short text.
pub const TOOL_MODEL: &str = "tool";
/// As [`TOOL_MODEL`], for E.
pub const THINKING_MODEL: &str = "tool+think:200";
/// The model of D.
pub const STREAM_MODEL: &str = "stream:20000";
/// The model of D64.
pub const JOINED_MODEL: &str = "stream:20000+join:64";
/// The model of F.
pub const TEXT_MODEL: &str = "stream:4+join:4";

/// The system prompt.
pub const INSTRUCTIONS: &str = "You answer questions about the weather. Be brief.";
/// The tool's name.
pub const TOOL: &str = "weather";
/// The tool's description.
pub const TOOL_DESCRIPTION: &str = "The weather of a city.";
/// The tool's input schema.
pub const TOOL_SCHEMA: &str = r#"{"type":"object","properties":{"city":{"type":"string","description":"The city's name."}},"required":["city"],"additionalProperties":false}"#;
/// What the tool says.
pub const TOOL_OUTPUT: &str = r#"{"celsius":18,"rain":false}"#;
/// The text after a tool call, and the text of F.
pub const SHORT_TEXT: &str = "mosaics mosaics mosaics mosaics ";

/// What the user says in a turn.
#[must_use]
pub fn question(turn: u64) -> String {
    format!("What is the weather in Oslo on day {turn}?")
}

/// A message of F's history: with its frame about 230 bytes on the wire, as in the measured field.
#[must_use]
pub fn old_message(number: u64) -> String {
    let text = "We talked about the weather of many towns by the sea, of wind from the north, and of the few days \
                of summer on which nobody needs a coat; \"rain\" was said, and that it would end.";
    format!("{number:04} {text}")
}

/// An error when the work was not done: a run that did less is not a fast run.
///
/// # Errors
/// When the two differ.
pub fn check<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::from(format!("{what}: expected {expected:?}, found {found:?}")))
}
