//! What a run may take.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run may take. The defaults make every run end (guarantee G6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Limits {
    /// Model calls that were answered, or failed for good.
    pub max_steps: u32,
    /// Tries of one model call, the first included.
    pub max_attempts: u32,
    /// Tries to get an answer of the wanted shape, the first included.
    pub max_output_tries: u32,
    /// Tokens, prompts and answers together. `None`: no limit.
    pub max_tokens: Option<u64>,
    /// Time from the run's start, or from when it was last resumed; waits for answers to questions included.
    pub run_timeout: Duration,
    /// Time of a tool call whose tool states none.
    pub tool_timeout: Duration,
    /// Time that a question waits for its answer.
    pub question_timeout: Duration,
    /// Tool calls that run at the same time.
    pub parallel_tools: u32,
    /// Bytes of a tool's result that the model sees; the rest is cut and the model told so.
    pub max_result_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_steps: 50,
            max_attempts: 4,
            max_output_tries: 3,
            max_tokens: None,
            run_timeout: Duration::from_secs(24 * 3600),
            tool_timeout: Duration::from_secs(120),
            question_timeout: Duration::from_secs(12 * 3600),
            parallel_tools: 8,
            max_result_bytes: 256 * 1024,
        }
    }
}
