//! Text that begins with the answer is shown while it is written.

use serde_json::Value;

use super::extract;
use crate::model::tool_mode::Scan;

/// What a text begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// An object or a list, behind so many bytes of white space and fence.
    Json(usize),
    /// Nobody knows yet.
    Maybe,
    /// Something else.
    No,
}

/// Looks at the beginning of a text. A list counts only when it holds objects: prose begins with `[1]`, too.
pub(super) fn opening(text: &str) -> Opening {
    let start = text.trim_start();
    let body = match start.strip_prefix("```").map(|rest| rest.split_once('\n')) {
        Some(Some((language, body))) if matches!(language.trim(), "" | "json" | "JSON") => body.trim_start(),
        Some(Some(_)) => return Opening::No,
        Some(None) => return Opening::Maybe,
        None if "```".starts_with(start) => return Opening::Maybe,
        None => start,
    };
    let mut inner = body.chars();
    let (bracket, next) = (inner.next(), inner.find(|c| !c.is_whitespace()));
    match (bracket, next) {
        (None, _) | (Some('{' | '['), None) => Opening::Maybe,
        (Some('{'), Some('"' | '}')) | (Some('['), Some('{')) => Opening::Json(text.len() - body.len()),
        _ => Opening::No,
    }
}

/// An answer that is being shown, and what came behind it.
#[derive(Debug)]
pub(super) struct Live {
    /// The number of its part.
    pub(super) part: u32,
    /// What was shown.
    pub(super) said: String,
    scan: Scan,
    /// What came behind its end; `None` before it.
    pub(super) behind: Option<String>,
}

impl Live {
    pub(super) fn new(part: u32) -> Self {
        Self { part, said: String::new(), scan: Scan::default(), behind: None }
    }

    /// Takes more text and gives what is to be shown of it.
    pub(super) fn push<'a>(&mut self, text: &'a str) -> &'a str {
        if let Some(behind) = &mut self.behind {
            behind.push_str(text);
            return "";
        }
        let scan = &mut self.scan;
        let end = text.bytes().position(|byte| scan.closes(byte)).map(|end| end + 1);
        // A bracket is one byte, so the cut is between characters.
        let (shown, behind) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or((text, ""));
        if end.is_some() {
            self.behind = Some(behind.to_owned());
        }
        self.said.push_str(shown);
        shown
    }

    /// What came behind the answer and belongs to the reader after all: nothing when the answer is one, for then the rest is
    /// talk; nothing when the rest is only the end of a fence.
    pub(super) fn rest(&self, schema: &Value) -> &str {
        let behind = self.behind.as_deref().unwrap_or_default();
        if behind.trim_matches(['`', ' ', '\n', '\r', '\t']).is_empty() || self.is_answer(schema) {
            ""
        } else {
            behind
        }
    }

    /// Whether it is an answer of that shape.
    pub(super) fn is_answer(&self, schema: &Value) -> bool {
        serde_json::from_str(&self.said).is_ok_and(|value: Value| extract::fits(schema, &value))
    }
}
