//! What the host sees in place of what the model said.

use std::sync::Arc;

use super::lane::{Lane, Out, Rules};
use crate::id::CallId;
use crate::message::{Part, ToolCall};
use crate::model::{ModelEvent, ModelRequest, PartKind, StopReason, ToolChoice, ToolMode};

/// Takes the calls out of the text of an answer, and the final answer out of its wrapping.
///
/// Parts are numbered anew, because one part of the model's text may become several. The result does not depend on how
/// the text was cut into pieces. Text in which no call is accepted goes through unchanged, and at once, unless it begins
/// like a call.
#[derive(Debug)]
pub struct Filter {
    rules: Rules,
    /// The parts that are open, by the model's number.
    open: Vec<(u32, Open)>,
    /// The next number for a part.
    next: u32,
    /// The model made a call through the provider's interface: then its text is meant for the reader.
    native: bool,
    called: bool,
    outs: Vec<Out>,
}

#[derive(Debug)]
enum Open {
    /// Goes through under another number.
    Same(u32),
    Text(Box<Text>),
}

/// A part of text that is looked through.
#[derive(Debug, Default)]
struct Text {
    lane: Lane,
    /// Bytes that the model said.
    heard: usize,
    /// The number and the text of the part that is being shown.
    shown: Option<(u32, String)>,
}

impl Filter {
    /// The filter for the answer to a request; none where nothing is to be done.
    #[must_use]
    pub fn new(mode: ToolMode, request: &ModelRequest) -> Option<Self> {
        let wrapped = mode == ToolMode::JsonSchema;
        // Without tools nothing is wrapped. With tools that may not be called, a call in the text is only text.
        let forbidden = request.tool_choice == ToolChoice::None;
        if request.tools.is_empty() || (forbidden && !wrapped) {
            return None;
        }
        let only = match &request.tool_choice {
            ToolChoice::Tool { name } => Some(name.clone()),
            _ => None,
        };
        let tools = if forbidden { Arc::default() } else { Arc::clone(&request.tools) };
        Some(Self::of(Rules { tools, only, wrapped }))
    }

    /// Takes an event of the model and appends what the host sees of it.
    pub fn push(&mut self, event: ModelEvent, out: &mut Vec<ModelEvent>) {
        match event {
            ModelEvent::Start { part, kind: PartKind::Text } if !self.native => {
                self.open.push((part, Open::Text(Box::default())));
            }
            ModelEvent::Start { part, kind } => {
                self.native |= matches!(kind, PartKind::ToolCall { .. });
                let number = self.number();
                self.open.push((part, Open::Same(number)));
                out.push(ModelEvent::Start { part: number, kind });
            }
            ModelEvent::Text { part, delta } => match self.take(part) {
                Some(Open::Text(mut text)) => {
                    text.heard += delta.len();
                    if text.lane.passes(&delta) {
                        self.show(&mut text, delta, out);
                    } else {
                        self.text(&mut text, &delta, false, out);
                    }
                    self.open.push((part, Open::Text(text)));
                }
                open => {
                    let part = self.keep(part, open);
                    out.push(ModelEvent::Text { part, delta });
                }
            },
            ModelEvent::Reasoning { part, delta } => {
                let open = self.take(part);
                let part = self.keep(part, open);
                out.push(ModelEvent::Reasoning { part, delta });
            }
            ModelEvent::Arguments { part, delta } => {
                let open = self.take(part);
                let part = self.keep(part, open);
                out.push(ModelEvent::Arguments { part, delta });
            }
            ModelEvent::End { part, content } => self.end(part, content, out),
            ModelEvent::Restarted => {
                *self = Self::of(self.rules.clone());
                out.push(ModelEvent::Restarted);
            }
            ModelEvent::Route(route) => out.push(ModelEvent::Route(route)),
            ModelEvent::Done(mut done) => {
                for (_, open) in std::mem::take(&mut self.open) {
                    if let Open::Text(mut text) = open {
                        self.text(&mut text, "", true, out);
                        self.close(&mut text, out);
                    }
                }
                if self.called && done.stop == StopReason::Stop {
                    done.stop = StopReason::ToolCalls;
                }
                out.push(ModelEvent::Done(done));
            }
        }
    }

    /// Shows what is held back, because the answer broke off.
    pub fn flush(&mut self, out: &mut Vec<ModelEvent>) {
        for (_, open) in std::mem::take(&mut self.open) {
            if let Open::Text(mut text) = open {
                let held = text.lane.flush();
                self.show(&mut text, held, out);
            }
        }
    }

    fn of(rules: Rules) -> Self {
        Self { rules, open: Vec::new(), next: 0, native: false, called: false, outs: Vec::new() }
    }

    fn end(&mut self, part: u32, content: Part, out: &mut Vec<ModelEvent>) {
        match (self.take(part), content) {
            (Some(Open::Text(mut text)), Part::Text { text: whole }) => {
                // A decoder may give a part without its pieces.
                let rest = whole.get(text.heard..).unwrap_or_default();
                self.text(&mut text, rest, true, out);
                self.close(&mut text, out);
            }
            (Some(Open::Same(number)), content) => out.push(ModelEvent::End { part: number, content }),
            (open, content) => {
                if let Some(Open::Text(mut text)) = open {
                    let held = text.lane.flush();
                    self.show(&mut text, held, out);
                    self.close(&mut text, out);
                }
                let number = self.number();
                out.push(ModelEvent::End { part: number, content });
            }
        }
    }

    fn text(&mut self, text: &mut Text, delta: &str, last: bool, out: &mut Vec<ModelEvent>) {
        let mut outs = std::mem::take(&mut self.outs);
        text.lane.push(delta, last, &self.rules, &mut outs);
        for found in outs.drain(..) {
            match found {
                Out::Text(delta) => self.show(text, delta, out),
                Out::Calls(calls) => {
                    self.close(text, out);
                    self.called = true;
                    for call in calls {
                        let part = self.number();
                        let kind = PartKind::ToolCall { name: call.name.clone() };
                        let delta = call.arguments.clone();
                        let (id, wire_id) = (CallId("".into()), None);
                        let content = Part::ToolCall(ToolCall {
                            id,
                            wire_id,
                            name: call.name,
                            arguments: call.arguments,
                        });
                        out.extend([
                            ModelEvent::Start { part, kind },
                            ModelEvent::Arguments { part, delta },
                            ModelEvent::End { part, content },
                        ]);
                    }
                }
            }
        }
        self.outs = outs;
    }

    fn show(&mut self, text: &mut Text, delta: String, out: &mut Vec<ModelEvent>) {
        if delta.is_empty() {
            return;
        }
        let (part, said) = text.shown.get_or_insert_with(|| {
            let part = self.number();
            out.push(ModelEvent::Start { part, kind: PartKind::Text });
            (part, String::new())
        });
        said.push_str(&delta);
        out.push(ModelEvent::Text { part: *part, delta });
    }

    fn close(&mut self, text: &mut Text, out: &mut Vec<ModelEvent>) {
        if let Some((part, said)) = text.shown.take() {
            out.push(ModelEvent::End { part, content: Part::Text { text: said } });
        }
    }

    fn number(&mut self) -> u32 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        number
    }

    fn take(&mut self, part: u32) -> Option<Open> {
        let index = self.open.iter().position(|(open, _)| *open == part)?;
        Some(self.open.swap_remove(index).1)
    }

    /// Puts a part that goes through back, and says its number.
    fn keep(&mut self, part: u32, open: Option<Open>) -> u32 {
        let number = match open {
            Some(Open::Same(number)) => number,
            // A piece of a part that never began: it begins here.
            Some(Open::Text(_)) | None => self.number(),
        };
        self.open.push((part, Open::Same(number)));
        number
    }
}
