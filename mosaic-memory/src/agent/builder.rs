//! Giving an agent its memory.

use mosaic_core::AgentBuilder;

use super::AgentMemory;

/// What an [`AgentBuilder`] can do besides, with a memory; nobody else implements this.
pub trait MemoryAgentBuilder: Sized {
    /// Lets the agent remember: recall before each run, the memory tools, and learning after each run.
    #[must_use]
    fn memory(self, memory: &AgentMemory) -> Self;
}

impl MemoryAgentBuilder for AgentBuilder {
    fn memory(self, memory: &AgentMemory) -> Self {
        self.context(memory.context()).tools(memory.all_tools()).on_run_end(memory.after_run())
    }
}
