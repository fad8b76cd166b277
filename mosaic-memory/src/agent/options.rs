//! How an agent remembers.

use std::time::Duration;

use crate::recall::RecallOptions;
use crate::summary::SessionSummaryOptions;
use crate::write::WriterOptions;
use crate::write::tools::Forgetting;

/// How an agent remembers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AgentMemoryOptions {
    /// How memories are found.
    pub recall: RecallOptions,
    /// How they are written.
    pub writer: WriterOptions,
    /// Before a run, at most so many memories that bear on the input. 8.
    pub recalled: usize,
    /// Before a run, at most so many preferences, whatever the input is about: "answer in Norwegian" bears on everything and is
    /// like nothing. The most important ones, and of those the newest. 12.
    pub preferences: usize,
    /// Before a run, at most so many tokens of memories; core blocks come on top, for their size is limited already. 600.
    pub budget: u64,
    /// Core blocks that everybody has: made when somebody's first run begins.
    pub blocks: Vec<BlockTemplate>,
    /// When sessions are summarised, and how much of them.
    pub summaries: SessionSummaryOptions,
    /// What `memory_forget` does.
    pub forgetting: Forgetting,
    /// Recall that takes longer is done without. 5 s.
    pub timeout: Duration,
}

impl Default for AgentMemoryOptions {
    fn default() -> Self {
        Self {
            recall: RecallOptions::default(),
            writer: WriterOptions::default(),
            recalled: 8,
            preferences: 12,
            budget: 600,
            blocks: Vec::new(),
            summaries: SessionSummaryOptions::default(),
            forgetting: Forgetting::default(),
            timeout: Duration::from_secs(5),
        }
    }
}

/// A core block as it is at first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockTemplate {
    /// Its name.
    pub name: String,
    /// What it is for, in words for the model.
    pub purpose: String,
    /// What it says at first.
    pub text: String,
    /// At most so many characters.
    pub limit: u32,
}

impl BlockTemplate {
    /// An empty block of up to 2,000 characters.
    pub fn new(name: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self { name: name.into(), purpose: purpose.into(), text: String::new(), limit: 2_000 }
    }
}
