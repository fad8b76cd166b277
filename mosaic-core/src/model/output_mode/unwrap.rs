//! The answer out of the input of the tool that carries it, while it is written.

use super::shape::MEMBER;
use crate::model::tool_mode::Scan;

/// Takes the input of the final answer's tool apart.
#[derive(Debug)]
pub(super) struct Unwrap {
    state: State,
    said: String,
}

#[derive(Debug)]
enum State {
    /// The input is the answer.
    Bare,
    /// Before the member's value; what came so far.
    Before(String),
    /// In the value.
    Value(Scan),
    /// Behind it.
    Behind,
}

impl Unwrap {
    pub(super) fn new(wrapped: bool) -> Self {
        let state = if wrapped { State::Before(String::new()) } else { State::Bare };
        Self { state, said: String::new() }
    }

    /// Takes the next piece of the input and gives what is to be shown of it.
    pub(super) fn push(&mut self, piece: String) -> String {
        let shown = match &mut self.state {
            State::Bare => piece,
            State::Before(held) => {
                held.push_str(&piece);
                match value(held) {
                    Some(Ok(rest)) => {
                        let (mut scan, rest) = (Scan::default(), rest.to_owned());
                        let (shown, ended) = of_value(&mut scan, &rest);
                        self.state = if ended { State::Behind } else { State::Value(scan) };
                        shown
                    }
                    // Not as it was asked for: shown as it is, so that somebody can say what is wrong with it.
                    Some(Err(())) => {
                        let held = std::mem::take(held);
                        self.state = State::Bare;
                        held
                    }
                    None => String::new(),
                }
            }
            State::Value(scan) => {
                let (shown, ended) = of_value(scan, &piece);
                if ended {
                    self.state = State::Behind;
                }
                shown
            }
            State::Behind => String::new(),
        };
        self.said.push_str(&shown);
        shown
    }

    /// What is still to be shown when no more comes.
    pub(super) fn finish(&mut self) -> String {
        let rest = match &mut self.state {
            State::Before(held) => std::mem::take(held),
            _ => String::new(),
        };
        // Several servers write nothing for a call without arguments.
        let rest = if self.said.is_empty() && rest.trim().is_empty() { "{}".to_owned() } else { rest };
        self.said.push_str(&rest);
        rest
    }

    pub(super) fn said(self) -> String {
        self.said
    }
}

/// What stands behind `{"answer":`; an error when something else begins the text, `None` when nobody knows yet.
fn value(text: &str) -> Option<Result<&str, ()>> {
    let name = format!("\"{MEMBER}\"");
    let mut rest = text;
    for token in ["{", name.as_str(), ":"] {
        rest = rest.trim_start();
        match rest.strip_prefix(token) {
            Some(after) => rest = after,
            None if token.starts_with(rest) => return None,
            None => return Some(Err(())),
        }
    }
    Some(rest.trim_start()).filter(|rest| !rest.is_empty()).map(Ok)
}

/// The part of a text that belongs to the value, and whether the value ended in it.
fn of_value(scan: &mut Scan, text: &str) -> (String, bool) {
    let mut end = None;
    for (at, byte) in text.bytes().enumerate() {
        if scan.outside() && matches!(byte, b'}' | b',') {
            end = Some(at);
            break;
        }
        if scan.closes(byte) {
            end = Some(at + 1);
            break;
        }
    }
    (text.get(..end.unwrap_or(text.len())).unwrap_or_default().to_owned(), end.is_some())
}
