//! The text of one part of an answer, with the calls in it taken out.

use std::sync::Arc;

use super::final_answer::{self, Opening, Reader};
use super::lenient::{self, Found};
use super::scan::Scan;
use crate::tool::ToolSpecs;

/// What may be called, and whether answers are wrapped.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) tools: Arc<ToolSpecs>,
    /// Only this tool.
    pub(super) only: Option<String>,
    /// The answer is forced into a schema.
    pub(super) wrapped: bool,
}

/// A piece of what a text turned out to be.
#[derive(Debug, PartialEq)]
pub(super) enum Out {
    Text(String),
    Calls(Vec<Found>),
}

/// Reads the text of one part. What cannot be a call goes out at once; what may become one is held back.
///
/// A call begins with a tag anywhere, with a fence at the start of a line, or with a brace at the start of the text.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Not decided yet.
    held: String,
    /// How far `held` was looked through for the end of what it begins with, and the state of that.
    looked: usize,
    scan: Scan,
    /// Something other than white space and calls went out.
    spoke: bool,
    /// Nothing but white space came since the last call.
    after_call: bool,
    /// The line that goes out has more than white space in it.
    in_line: bool,
    answer: Option<Reader>,
}

/// What stands at the front of the held text.
enum Front {
    /// So many bytes of text.
    Text(usize),
    /// So many bytes of calls.
    Calls(usize, Vec<Found>),
    /// The wrapping of a final answer.
    Answer(usize),
    /// Nobody knows yet.
    Unknown,
}

const TAGS: [(&str, &str); 3] = [
    ("<tool_call>", "</tool_call>"),
    ("<function_call>", "</function_call>"),
    // Qwen's coder models write this one.
    ("<tools>", "</tools>"),
];
const FENCE: &str = "```";
/// At the start of a line: a JSON text cannot hold a line break, but it can hold a fence.
const CLOSING: &str = "\n```";

impl Lane {
    /// Whether a piece can go out as it is: plain prose, as nearly all pieces are.
    pub(super) fn passes(&mut self, text: &str) -> bool {
        let plain = self.held.is_empty()
            && self.spoke
            && !self.after_call
            && self.answer.is_none()
            && !text.bytes().any(|byte| matches!(byte, b'<' | b'`'));
        if plain {
            self.goes_out(text);
        }
        plain
    }

    /// Follows the line that goes out.
    fn goes_out(&mut self, text: &str) {
        let line = match text.rsplit_once('\n') {
            Some((_, line)) => {
                self.in_line = false;
                line
            }
            None => text,
        };
        self.in_line |= !line.trim().is_empty();
    }

    /// Takes more text; `last` when no more comes.
    pub(super) fn push(&mut self, text: &str, last: bool, rules: &Rules, out: &mut Vec<Out>) {
        self.held.push_str(text);
        loop {
            if let Some(reader) = &mut self.answer {
                let mut shown = String::new();
                let taken = reader.read(&self.held, last, &mut shown);
                self.held.drain(..taken);
                if !shown.is_empty() {
                    out.push(Out::Text(shown));
                }
                if last && !self.held.is_empty() {
                    out.push(Out::Text(std::mem::take(&mut self.held)));
                }
                return;
            }
            if self.held.is_empty() {
                return;
            }
            match self.front(last, rules) {
                Front::Unknown => return,
                Front::Text(length) => {
                    let text = self.take(length);
                    self.goes_out(&text);
                    let blank = text.trim().is_empty();
                    // White space behind a call belongs to nobody.
                    if !(self.after_call && blank) {
                        self.spoke |= !blank;
                        self.after_call &= blank;
                        out.push(Out::Text(text));
                    }
                }
                Front::Calls(length, calls) => {
                    self.take(length);
                    self.in_line = false;
                    self.after_call = true;
                    out.push(Out::Calls(calls));
                }
                Front::Answer(length) => {
                    self.take(length);
                    self.answer = Some(Reader::default());
                }
            }
        }
    }

    /// Gives up what is held, as text.
    pub(super) fn flush(&mut self) -> String {
        self.take(self.held.len())
    }

    fn take(&mut self, length: usize) -> String {
        let rest = self.held.split_off(length);
        self.looked = 0;
        self.scan = Scan::default();
        std::mem::replace(&mut self.held, rest)
    }

    fn front(&mut self, last: bool, rules: &Rules) -> Front {
        let held = self.held.as_str();
        let start = held.len() - held.trim_start().len();
        let rest = held.get(start..).unwrap_or_default();
        if rest.is_empty() {
            // White space at the start may stand before a call; behind one it is dropped.
            return if last || (self.spoke && !self.after_call) {
                Front::Text(held.len())
            } else {
                Front::Unknown
            };
        }
        if !self.spoke && rest.starts_with(['{', '[']) {
            return self.bare(start, last, rules);
        }
        match self.opener(last) {
            None => Front::Text(held.len()),
            // Text before a call goes out first, with the white space behind it, which may have come alone. White space at the start and
            // behind another call is dropped with the call.
            Some((at, _)) if at > start || (at > 0 && self.spoke && !self.after_call) => Front::Text(at),
            Some((at, Opener::Tag(open, close))) => self.tagged(at, open, close, last, rules),
            Some((at, Opener::Fence)) => self.fenced(at, last, rules),
            Some((_, Opener::Partial)) => Front::Unknown,
        }
    }

    /// Where the next call may begin.
    fn opener(&self, last: bool) -> Option<(usize, Opener)> {
        let held = self.held.as_str();
        for (at, _) in held.match_indices(['<', '`']) {
            let rest = held.get(at..).unwrap_or_default();
            if let Some((open, close)) = TAGS.iter().find(|(open, _)| rest.starts_with(open)) {
                return Some((at, Opener::Tag(open, close)));
            }
            let partial = !last && TAGS.iter().any(|(open, _)| open.starts_with(rest));
            if partial {
                return Some((at, Opener::Partial));
            }
            if rest.starts_with('`') && self.begins_line(at) {
                if rest.starts_with(FENCE) {
                    return Some((at, Opener::Fence));
                }
                if !last && FENCE.starts_with(rest) {
                    return Some((at, Opener::Partial));
                }
            }
        }
        None
    }

    fn begins_line(&self, at: usize) -> bool {
        let before = self.held.get(..at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        line.trim().is_empty() && (before.contains('\n') || !self.in_line)
    }

    /// A brace at the start.
    fn bare(&mut self, start: usize, last: bool, rules: &Rules) -> Front {
        let rest = self.held.get(start..).unwrap_or_default();
        if rules.wrapped && rest.starts_with('{') {
            match final_answer::opening(rest) {
                Opening::Yes(length) => return Front::Answer(start + length),
                Opening::Maybe if !last => return Front::Unknown,
                Opening::Maybe | Opening::No => {}
            }
        }
        if !may_be_call(rest) {
            return Front::Text(self.release(start + 1));
        }
        let from = self.looked.max(start);
        let bytes = self.held.as_bytes().get(from..).unwrap_or_default();
        let scan = &mut self.scan;
        match bytes.iter().position(|byte| scan.closes(*byte)) {
            Some(end) => {
                let end = from + end + 1;
                match lenient::calls(
                    self.held.get(start..end).unwrap_or_default(),
                    &rules.tools,
                    rules.only.as_deref(),
                ) {
                    Some(calls) => Front::Calls(end, calls),
                    None => Front::Text(self.release(end)),
                }
            }
            None if last => Front::Text(self.held.len()),
            None => {
                self.looked = self.held.len();
                Front::Unknown
            }
        }
    }

    fn tagged(&mut self, at: usize, open: &str, close: &str, last: bool, rules: &Rules) -> Front {
        let inside = at + open.len();
        // The end may have come in two pieces.
        let from = self.looked.saturating_sub(close.len()).max(inside);
        let from = (inside..=from).rev().find(|from| self.held.is_char_boundary(*from)).unwrap_or(inside);
        let end = self.held.get(from..).and_then(|rest| rest.find(close)).map(|end| from + end);
        let (end, after) = match end {
            Some(end) => (end, end + close.len()),
            // Servers swallow the closing tag when it is a special token.
            None if last => (self.held.len(), self.held.len()),
            None => {
                self.looked = self.held.len();
                return Front::Unknown;
            }
        };
        let text = self.held.get(inside..end).unwrap_or_default();
        match lenient::calls(unfenced(text), &rules.tools, rules.only.as_deref()) {
            Some(calls) => Front::Calls(after, calls),
            None => Front::Text(self.release(inside)),
        }
    }

    fn fenced(&mut self, at: usize, last: bool, rules: &Rules) -> Front {
        let inside = at + FENCE.len();
        let rest = self.held.get(inside..).unwrap_or_default();
        // The language, the end of the line, then what must be the start of a call; else it is code for the user.
        let (language, body) = match rest.split_once('\n') {
            Some((language, body)) => (language, Some(body)),
            None => (rest, None),
        };
        let known = ["", "json", "tool_call", "xml"].iter().any(|known| match body {
            Some(_) => language.trim().eq_ignore_ascii_case(known),
            None => known.starts_with(language.trim().to_ascii_lowercase().as_str()),
        });
        let body_at = body.map(|_| inside + language.len() + 1);
        let content = body.unwrap_or_default().trim_start();
        if rules.wrapped && known && body.is_some() {
            let at = self.held.len() - content.len();
            match final_answer::opening(content) {
                Opening::Yes(length) => return Front::Answer(at + length),
                Opening::Maybe if !last => return Front::Unknown,
                Opening::Maybe | Opening::No => {}
            }
        }
        let tag = TAGS.iter().any(|(open, _)| content.starts_with(open) || open.starts_with(content));
        if !known || !(content.is_empty() || tag || may_be_call(content)) {
            return Front::Text(self.release(inside));
        }
        let found = body_at.and_then(|body_at| {
            let from = self.looked.saturating_sub(CLOSING.len()).max(body_at);
            let from =
                (body_at..=from).rev().find(|from| self.held.is_char_boundary(*from)).unwrap_or(body_at);
            self.held.get(from..).and_then(|rest| rest.find(CLOSING)).map(|end| (body_at, from + end))
        });
        let (body_at, end, after) = match (found, body_at) {
            (Some((body_at, end)), _) => (body_at, end, end + CLOSING.len()),
            (None, Some(body_at)) if last => {
                let end = self.held.trim_end().trim_end_matches('`').len();
                (body_at, end.max(body_at), self.held.len())
            }
            (None, None) if last => return Front::Text(self.release(inside)),
            (None, _) => {
                self.looked = self.held.len();
                return Front::Unknown;
            }
        };
        let text = untagged(self.held.get(body_at..end).unwrap_or_default());
        match lenient::calls(text, &rules.tools, rules.only.as_deref()) {
            Some(calls) => Front::Calls(after, calls),
            None => Front::Text(self.release(inside)),
        }
    }

    /// Marks that what stands at the front is text after all.
    fn release(&mut self, length: usize) -> usize {
        self.spoke = true;
        length
    }
}

#[derive(Debug, Clone, Copy)]
enum Opener {
    Tag(&'static str, &'static str),
    Fence,
    /// The text ends with what may be the start of one.
    Partial,
}

/// Whether a text that begins with a brace or a bracket may be a call, as far as it goes: its first member must be one
/// that calls have.
fn may_be_call(text: &str) -> bool {
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix('[') {
        rest = inner.trim_start();
    }
    if rest.is_empty() {
        return text.starts_with('[');
    }
    let Some(inner) = rest.strip_prefix('{') else {
        return false;
    };
    let inner = inner.trim_start();
    let Some(name) = inner.strip_prefix('"') else {
        return inner.is_empty();
    };
    match name.split_once('"') {
        Some((name, _)) => lenient::may_begin_with(name),
        None => lenient::may_begin_like(name),
    }
}

fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix(FENCE).and_then(|inner| inner.strip_suffix(FENCE)) else {
        return text;
    };
    inner.split_once('\n').map_or(inner, |(_, body)| body)
}

fn untagged(text: &str) -> &str {
    let text = text.trim();
    TAGS.iter()
        .find_map(|(open, close)| {
            text.strip_prefix(open).map(|inner| inner.strip_suffix(close).unwrap_or(inner))
        })
        .unwrap_or(text)
}
