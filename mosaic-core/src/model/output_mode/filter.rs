//! What the host sees in place of what the model said.

use super::extract;
use super::live::{Live, Opening, opening};
use super::shape::{AnswerTool, Reading};
use super::unwrap::Unwrap;
use crate::message::{Part, ToolCall};
use crate::model::{ModelEvent, PartKind, StopReason};

/// Makes the answer's text of the call that carries it, or of the text around it.
///
/// Parts are numbered anew. The result does not depend on how the pieces were cut. Text that stands beside calls of real tools
/// is left alone, and so is text in which no answer is found.
#[derive(Debug)]
pub struct AnswerFilter {
    reading: Reading,
    /// The parts that are open, by the model's number, with the bytes that were heard of each.
    open: Vec<(u32, usize, Open)>,
    /// The next number for a part.
    next: u32,
    /// Texts of which nobody knows yet what they are.
    held: Vec<String>,
    live: Option<Live>,
    /// The final answer came through its tool.
    answered: bool,
    /// A real tool was called.
    called: bool,
}

#[derive(Debug)]
enum Open {
    /// Goes through under another number.
    Same(u32),
    /// A text that is held, by its place.
    Held(usize),
    /// The text that is being shown.
    Live,
    /// A call whose name is not whole, with its pieces.
    Unsure(Vec<String>),
    /// The call that carries the answer, as a text of that number.
    Answer(u32, Unwrap),
    /// Said beside the answer.
    Dropped,
}

impl AnswerFilter {
    /// The filter for the answer to a request that was shaped.
    #[must_use]
    pub fn new(reading: Reading) -> Self {
        let (open, held) = (Vec::new(), Vec::new());
        Self { reading, open, next: 0, held, live: None, answered: false, called: false }
    }

    /// Takes an event of the model and appends what the host sees of it.
    pub fn push(&mut self, event: ModelEvent, out: &mut Vec<ModelEvent>) {
        match event {
            ModelEvent::Start { part, kind } => {
                let open = self.start(kind, out);
                self.open.push((part, 0, open));
            }
            ModelEvent::Text { part, delta } => {
                self.piece(part, delta, out, |part, delta| ModelEvent::Text { part, delta })
            }
            ModelEvent::Reasoning { part, delta } => {
                self.piece(part, delta, out, |part, delta| ModelEvent::Reasoning { part, delta });
            }
            ModelEvent::Arguments { part, delta } => {
                self.piece(part, delta, out, |part, delta| ModelEvent::Arguments { part, delta });
            }
            ModelEvent::End { part, content } => self.end(part, content, out),
            ModelEvent::Restarted => {
                *self = Self::new(self.reading.clone());
                out.push(ModelEvent::Restarted);
            }
            event @ ModelEvent::Route(_) => out.push(event),
            ModelEvent::Done(mut done) => {
                self.resolve(out);
                if self.answered && !self.called && done.stop == StopReason::ToolCalls {
                    done.stop = StopReason::Stop;
                }
                out.push(ModelEvent::Done(done));
            }
        }
    }

    /// Shows what is held back, because the answer broke off.
    pub fn flush(&mut self, out: &mut Vec<ModelEvent>) {
        if let Some(live) = &self.live {
            show(live.part, live.rest(&self.reading.output.schema).to_owned(), out);
        }
        for text in std::mem::take(&mut self.held) {
            if !text.is_empty() {
                let part = self.number();
                out.push(ModelEvent::Start { part, kind: PartKind::Text });
                show(part, text, out);
            }
        }
    }

    fn start(&mut self, kind: PartKind, out: &mut Vec<ModelEvent>) -> Open {
        match (kind, &self.reading.tool) {
            (PartKind::Text, _) if self.answered => Open::Dropped,
            (PartKind::Text, _) if !self.called => {
                self.held.push(String::new());
                Open::Held(self.held.len() - 1)
            }
            (PartKind::ToolCall { name }, Some(tool)) if *name == *tool.name => {
                let tool = tool.clone();
                self.answer(&tool, out)
            }
            // Servers send a name in pieces, or only when the call is whole.
            (PartKind::ToolCall { name }, Some(tool)) if tool.name.starts_with(&name) => {
                Open::Unsure(Vec::new())
            }
            (kind, _) => self.through(kind, out),
        }
    }

    /// A part begins that the host sees as it is.
    fn through(&mut self, kind: PartKind, out: &mut Vec<ModelEvent>) -> Open {
        if matches!(kind, PartKind::ToolCall { .. }) {
            self.release(out);
            self.called = true;
        }
        let part = self.number();
        out.push(ModelEvent::Start { part, kind });
        Open::Same(part)
    }

    /// The call that carries the answer begins. Only the first counts, and what was said before it was talk.
    fn answer(&mut self, tool: &AnswerTool, out: &mut Vec<ModelEvent>) -> Open {
        if self.answered {
            return Open::Dropped;
        }
        self.answered = true;
        self.held.clear();
        for (_, _, open) in self.open.iter_mut().filter(|(_, _, open)| matches!(open, Open::Held(_))) {
            *open = Open::Dropped;
        }
        let part = self.number();
        out.push(ModelEvent::Start { part, kind: PartKind::Text });
        Open::Answer(part, Unwrap::new(tool.wrapped))
    }

    fn piece(
        &mut self,
        part: u32,
        delta: String,
        out: &mut Vec<ModelEvent>,
        event: fn(u32, String) -> ModelEvent,
    ) {
        let at = self.open.iter().position(|(open, _, _)| *open == part);
        let Some((_, heard, mut open)) = at.map(|at| self.open.swap_remove(at)) else {
            // A piece of a part that never began: it begins here.
            let number = self.number();
            self.open.push((part, delta.len(), Open::Same(number)));
            return out.push(event(number, delta));
        };
        let heard = heard + delta.len();
        match &mut open {
            Open::Same(number) => out.push(event(*number, delta)),
            Open::Dropped => {}
            Open::Unsure(pieces) => pieces.push(delta),
            Open::Answer(number, unwrap) => show(*number, unwrap.push(delta), out),
            Open::Live => self.more(&delta, out),
            Open::Held(at) => {
                let at = *at;
                if self.hold(at, &delta, out) {
                    open = Open::Live;
                }
            }
        }
        self.open.push((part, heard, open));
    }

    /// Holds a piece of text back. Says whether the text is shown from now on.
    fn hold(&mut self, at: usize, delta: &str, out: &mut Vec<ModelEvent>) -> bool {
        let Some(text) = self.held.get_mut(at) else { return false };
        text.push_str(delta);
        // A text before this one may hold the answer; and where a tool carries it, text is talk until proved otherwise.
        if at > 0 || self.reading.tool.is_some() || self.live.is_some() {
            return false;
        }
        let Opening::Json(start) = opening(text) else { return false };
        let text = std::mem::take(text);
        let part = self.number();
        out.push(ModelEvent::Start { part, kind: PartKind::Text });
        self.live = Some(Live::new(part));
        self.more(text.get(start..).unwrap_or_default(), out);
        true
    }

    fn more(&mut self, delta: &str, out: &mut Vec<ModelEvent>) {
        if let Some(live) = &mut self.live {
            show(live.part, live.push(delta).to_owned(), out);
        }
    }

    fn end(&mut self, part: u32, content: Part, out: &mut Vec<ModelEvent>) {
        let at = self.open.iter().position(|(open, _, _)| *open == part);
        let (heard, open) = match at.map(|at| self.open.swap_remove(at)) {
            Some((_, heard, open)) => (heard, open),
            // A decoder may give a part whole.
            None => match &content {
                Part::Text { .. } => (0, self.start(PartKind::Text, out)),
                Part::ToolCall(_) => (0, Open::Unsure(Vec::new())),
                _ => (0, Open::Same(self.number())),
            },
        };
        match (open, content) {
            (Open::Dropped, _) => {}
            (Open::Unsure(pieces), Part::ToolCall(call)) => self.sure(pieces, call, out),
            (Open::Answer(number, unwrap), Part::ToolCall(call)) => {
                self.answer_ends(number, unwrap, heard, &call, out);
            }
            (Open::Held(at), Part::Text { text }) => {
                self.hold(at, text.get(heard..).unwrap_or_default(), out);
            }
            (Open::Live, Part::Text { text }) => self.more(text.get(heard..).unwrap_or_default(), out),
            (Open::Same(number), content) => out.push(ModelEvent::End { part: number, content }),
            // It ends as something else than it began.
            (_, content) => {
                let part = self.number();
                out.push(ModelEvent::End { part, content });
            }
        }
    }

    /// The name of a call is known only now.
    fn sure(&mut self, pieces: Vec<String>, call: ToolCall, out: &mut Vec<ModelEvent>) {
        let heard: usize = pieces.iter().map(String::len).sum();
        match self.reading.tool.clone().filter(|tool| *tool.name == *call.name) {
            Some(tool) => {
                if let Open::Answer(number, mut unwrap) = self.answer(&tool, out) {
                    pieces.into_iter().for_each(|piece| show(number, unwrap.push(piece), out));
                    self.answer_ends(number, unwrap, heard, &call, out);
                }
            }
            None => {
                if let Open::Same(part) = self.through(PartKind::ToolCall { name: call.name.clone() }, out) {
                    out.extend(pieces.into_iter().map(|delta| ModelEvent::Arguments { part, delta }));
                    out.push(ModelEvent::End { part, content: Part::ToolCall(call) });
                }
            }
        }
    }

    fn answer_ends(
        &mut self,
        part: u32,
        mut unwrap: Unwrap,
        heard: usize,
        call: &ToolCall,
        out: &mut Vec<ModelEvent>,
    ) {
        let rest = call.arguments.get(heard..).unwrap_or_default().to_owned();
        show(part, unwrap.push(rest), out);
        show(part, unwrap.finish(), out);
        out.push(ModelEvent::End { part, content: Part::Text { text: unwrap.said() } });
    }

    /// A real tool is called: what was said is meant for the reader as it is.
    fn release(&mut self, out: &mut Vec<ModelEvent>) {
        if let Some((_, _, open)) = self.open.iter_mut().find(|(_, _, open)| matches!(open, Open::Live))
            && let Some(live) = self.live.take()
        {
            // More of it comes.
            *open = Open::Same(live.part);
            show(live.part, live.behind.unwrap_or_default(), out);
        }
        self.close(out);
        for (at, text) in std::mem::take(&mut self.held).into_iter().enumerate() {
            let open =
                self.open.iter_mut().find(|(_, _, open)| matches!(open, Open::Held(held) if *held == at));
            if text.is_empty() && open.is_none() {
                continue;
            }
            let part = self.next;
            self.next = self.next.saturating_add(1);
            out.push(ModelEvent::Start { part, kind: PartKind::Text });
            show(part, text.clone(), out);
            match open {
                // More of it comes.
                Some((_, _, open)) => *open = Open::Same(part),
                None => out.push(ModelEvent::End { part, content: Part::Text { text } }),
            }
        }
    }

    /// The answer is over: what is held is the answer, or holds it.
    fn resolve(&mut self, out: &mut Vec<ModelEvent>) {
        let schema = &self.reading.output.schema;
        if self.live.as_ref().is_some_and(|live| live.is_answer(schema)) {
            self.held.clear();
        }
        self.close(out);
        let held = std::mem::take(&mut self.held);
        let schema = &self.reading.output.schema;
        let texts = match extract::answer(&held.join("\n"), schema) {
            Some(answer) => vec![answer.to_owned()],
            None => held,
        };
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            let part = self.number();
            out.push(ModelEvent::Start { part, kind: PartKind::Text });
            show(part, text.clone(), out);
            out.push(ModelEvent::End { part, content: Part::Text { text } });
        }
    }

    /// Ends the text that is being shown.
    fn close(&mut self, out: &mut Vec<ModelEvent>) {
        if let Some(mut live) = self.live.take() {
            let rest = live.rest(&self.reading.output.schema).to_owned();
            live.said.push_str(&rest);
            show(live.part, rest, out);
            out.push(ModelEvent::End { part: live.part, content: Part::Text { text: live.said } });
        }
    }

    fn number(&mut self) -> u32 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        number
    }
}

fn show(part: u32, delta: String, out: &mut Vec<ModelEvent>) {
    if !delta.is_empty() {
        out.push(ModelEvent::Text { part, delta });
    }
}
