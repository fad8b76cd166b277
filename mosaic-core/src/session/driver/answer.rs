//! What a model is asked, and what its answer adds up to. Apart from the driver, so that a replay of a recording does
//! exactly the same.

use std::sync::Arc;

use crate::agent::Agent;
use crate::message::Part;
use crate::model::{ModelEnd, ModelEvent, ModelRequest, ToolChoice};
use crate::router::RouteDecision;
use crate::session::log::Log;
use crate::session::machine::Reply;

/// The request of the model step that is due.
pub(crate) fn request(agent: &Agent, log: &Log) -> ModelRequest {
    ModelRequest {
        instructions: agent.instructions().clone(),
        groups: log.context.groups().clone(),
        tools: agent.tools().specs().clone(),
        tool_choice: ToolChoice::Auto,
        output: log.machine.output().cloned(),
        params: agent.params().clone(),
    }
}

/// The parts of an answer as they become whole.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    parts: Vec<(u32, Part)>,
    /// The last decision of a router.
    pub(crate) route: Option<Arc<RouteDecision>>,
}

impl Answer {
    pub(crate) fn take(&mut self, event: ModelEvent) {
        match event {
            ModelEvent::End { part, content } => self.parts.push((part, content)),
            ModelEvent::Restarted => self.parts.clear(),
            ModelEvent::Route(decision) => self.route = Some(decision),
            _ => {}
        }
    }

    pub(crate) fn into_reply(mut self, end: ModelEnd) -> Reply {
        self.parts.sort_by_key(|(index, _)| *index);
        Reply {
            parts: self.parts.into_iter().map(|(_, part)| part).collect(),
            stop: end.stop,
            cost: end.cost,
            usage: end.usage,
            origin: Some(end.origin),
            route: self.route,
        }
    }
}
