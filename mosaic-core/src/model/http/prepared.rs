//! What the last request was made into: from call to call nothing changes but the conversation.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{ModelRequest, OutputSpec, ToolChoice};
use crate::tool::ToolSpecs;

/// Keeps what the last request was made into, so that the tools are described once and not for every call.
#[derive(Debug)]
pub(super) struct Cache<T>(Mutex<Option<Kept<T>>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

#[derive(Debug)]
struct Kept<T> {
    instructions: Arc<str>,
    /// Held, so that its address is not used again while it is compared with.
    tools: Arc<ToolSpecs>,
    tool_choice: ToolChoice,
    output: Option<Arc<OutputSpec>>,
    made: T,
}

impl<T: Clone> Cache<T> {
    /// What is made of the request, now or the last time.
    pub(super) fn get(&self, request: &ModelRequest, make: impl FnOnce() -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(kept) if kept.is_of(request) => kept.made.clone(),
            _ => {
                let made = make();
                *kept = Some(Kept {
                    instructions: Arc::clone(&request.instructions),
                    tools: Arc::clone(&request.tools),
                    tool_choice: request.tool_choice.clone(),
                    output: request.output.clone(),
                    made: made.clone(),
                });
                made
            }
        }
    }
}

impl<T> Kept<T> {
    fn is_of(&self, request: &ModelRequest) -> bool {
        let same_output = match (&self.output, &request.output) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        same_output
            && Arc::ptr_eq(&self.tools, &request.tools)
            && self.tool_choice == request.tool_choice
            && self.instructions == request.instructions
    }
}
