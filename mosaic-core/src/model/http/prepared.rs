//! The last prepared request: from call to call nothing changes but the conversation.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::tool_mode::{Prepared, prepare};
use crate::model::{ModelRequest, OutputSpec, ToolChoice, ToolMode};
use crate::tool::ToolSpecs;

/// Keeps what the last request was prepared to, so that the tools are described once and not for every call.
#[derive(Debug, Default)]
pub(super) struct PreparedCache(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    instructions: Arc<str>,
    /// Held, so that its address is not used again while it is compared with.
    tools: Arc<ToolSpecs>,
    tool_choice: ToolChoice,
    output: Option<Arc<OutputSpec>>,
    prepared: Prepared,
}

impl PreparedCache {
    pub(super) fn get(&self, mode: ToolMode, request: &ModelRequest) -> Prepared {
        if mode == ToolMode::Native {
            return prepare(mode, request);
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(kept) if kept.is_of(request) => kept.prepared.clone(),
            _ => {
                let prepared = prepare(mode, request);
                *kept = Some(Kept {
                    instructions: Arc::clone(&request.instructions),
                    tools: Arc::clone(&request.tools),
                    tool_choice: request.tool_choice.clone(),
                    output: request.output.clone(),
                    prepared: prepared.clone(),
                });
                prepared
            }
        }
    }
}

impl Kept {
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
