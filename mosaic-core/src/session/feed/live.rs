//! The message that is being written.

use std::sync::Arc;

use serde_json::Value;

use crate::id::{CallId, RunId};
use crate::message::Part;
use crate::model::{ModelEvent, PartKind};
use crate::router::RouteDecision;
use crate::session::entry::{Body, Entry};

/// The message that is being written, and the newest progress of each running tool.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) run: Option<RunId>,
    pub(super) step: u64,
    /// Grows when what was said becomes void.
    pub(super) generation: u64,
    pub(super) parts: Vec<LivePart>,
    /// Where the call went, as far as a router has said.
    pub(super) route: Option<Arc<RouteDecision>>,
    pub(super) progress: Vec<Progress>,
    pub(super) updates: u64,
}

/// One part of it.
#[derive(Debug)]
pub(super) struct LivePart {
    pub(super) kind: LiveKind,
    pub(super) text: String,
    pub(super) done: bool,
}

/// What a part is, as far as readers are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LiveKind {
    Text,
    Reasoning,
    Call(Arc<str>),
    /// Nothing that is shown piece by piece.
    Other,
}

#[derive(Debug)]
pub(super) struct Progress {
    pub(super) number: u64,
    pub(super) call: CallId,
    pub(super) update: Value,
}

impl Live {
    pub(super) fn begin(&mut self, run: Option<RunId>, step: u64) {
        self.run = run;
        self.step = step;
        self.route = None;
        self.clear();
    }

    fn clear(&mut self) {
        self.generation += 1;
        self.parts.clear();
    }

    pub(super) fn entry(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Assistant { .. } | Body::ModelFailed { .. } => {
                self.route = None;
                self.clear();
            }
            Body::ToolEnd { call, .. } => self.progress.retain(|progress| progress.call != *call),
            _ => {}
        }
    }

    pub(super) fn progress(&mut self, call: &CallId, update: Value) {
        self.updates += 1;
        let number = self.updates;
        self.progress.retain(|progress| progress.call != *call);
        self.progress.push(Progress { number, call: call.clone(), update });
    }

    pub(super) fn model(&mut self, event: &ModelEvent) {
        match event {
            ModelEvent::Start { part, kind } => {
                if let Some(part) = self.part(*part) {
                    part.kind = kind.into();
                }
            }
            ModelEvent::Text { part, delta }
            | ModelEvent::Reasoning { part, delta }
            | ModelEvent::Arguments { part, delta } => {
                if let Some(part) = self.part(*part) {
                    part.text.push_str(delta);
                }
            }
            ModelEvent::End { part, content } => {
                if let Some(live) = self.part(*part) {
                    live.done = true;
                    let (kind, text) = shown(content);
                    // The whole part counts. Where it only continues what was shown, readers get the rest.
                    live.kind = kind;
                    if let Some(rest) = text.strip_prefix(live.text.as_str()) {
                        live.text.push_str(rest);
                    }
                }
            }
            ModelEvent::Restarted => self.clear(),
            ModelEvent::Route(decision) => self.route = Some(decision.clone()),
            ModelEvent::Done(_) => {}
        }
    }

    fn part(&mut self, index: u32) -> Option<&mut LivePart> {
        let index = index as usize;
        // Parts are numbered from 0 in order; a decoder that jumps far ahead must not make us allocate.
        while self.parts.len() <= index.min(4096) {
            self.parts.push(LivePart { kind: LiveKind::Other, text: String::new(), done: false });
        }
        self.parts.get_mut(index)
    }

    /// What has been said by now, without calls: half a call is of no use.
    pub(super) fn partial(&self) -> Vec<Part> {
        let said = self.parts.iter().filter(|part| !part.text.is_empty());
        said.filter_map(|part| match part.kind {
            LiveKind::Text => Some(Part::text(part.text.clone())),
            LiveKind::Reasoning => Some(Part::Reasoning { text: part.text.clone(), opaque: None }),
            LiveKind::Call(_) | LiveKind::Other => None,
        })
        .collect()
    }
}

impl From<&PartKind> for LiveKind {
    fn from(kind: &PartKind) -> Self {
        match kind {
            PartKind::Text | PartKind::Refusal => Self::Text,
            PartKind::Reasoning => Self::Reasoning,
            PartKind::ToolCall { name } => Self::Call(name.as_str().into()),
            PartKind::Provider => Self::Other,
        }
    }
}

/// How a whole part is shown piece by piece.
pub(super) fn shown(part: &Part) -> (LiveKind, &str) {
    match part {
        Part::Text { text } | Part::Refusal { text } => (LiveKind::Text, text),
        Part::Reasoning { text, .. } => (LiveKind::Reasoning, text),
        Part::ToolCall(call) => (LiveKind::Call(call.name.as_str().into()), &call.arguments),
        Part::Media(_) | Part::Provider { .. } => (LiveKind::Other, ""),
    }
}
