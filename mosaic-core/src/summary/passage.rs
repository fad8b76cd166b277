//! From entries to what a summariser reads. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, Seq};
use crate::message::{MediaData, Part, ToolStatus};
use crate::runtime::Timestamp;
use crate::session::{Body, Entry};

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Who {
    /// The user, or the host for them.
    User,
    /// The agent's model.
    Agent,
    /// A tool, in its result.
    Tool {
        /// Its name.
        name: Arc<str>,
    },
    /// The library or the host, in a notice to the model.
    Notice,
}

impl Who {
    /// In a word, for prompts.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::User => "user".into(),
            Self::Agent => "assistant".into(),
            Self::Tool { name } => format!("tool {name}"),
            Self::Notice => "notice".into(),
        }
    }
}

/// An entry as a summariser reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// The entry.
    pub seq: Seq,
    /// Who said it.
    pub who: Who,
    /// What; never empty.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// How long passages may be, in characters. What is longer loses its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassageOptions {
    /// What users, models and notices say.
    pub text: usize,
    /// The arguments of a call.
    pub arguments: usize,
    /// The result of a call.
    pub result: usize,
}

impl Default for PassageOptions {
    fn default() -> Self {
        Self { text: 8_000, arguments: 500, result: 2_000 }
    }
}

/// What was said in some entries, in their order: what the model saw of it, and nothing that it never saw. Failed attempts,
/// thoughts, blocks of providers, routes and the log's own business are left out; media are named, not shown.
///
/// Entries that a rewind left behind are to be left out before: see [`path`](crate::session::path).
#[must_use]
pub fn passages<'a>(entries: impl IntoIterator<Item = &'a Entry>, options: &PassageOptions) -> Vec<Passage> {
    let mut tools: HashMap<&CallId, &str> = HashMap::new();
    let mut passages = Vec::new();
    for entry in entries {
        let (who, text) = match &entry.body {
            Body::Input { parts, .. } => (Who::User, said(parts, options)),
            Body::Notice { parts, .. } => (Who::Notice, said(parts, options)),
            Body::Assistant { parts, .. } => {
                let calls = parts.iter().filter_map(Part::as_call);
                tools.extend(calls.map(|call| (&call.id, call.name.as_str())));
                (Who::Agent, said(parts, options))
            }
            Body::ToolEnd { call, status, content, .. } => {
                let name = tools.get(call).copied().unwrap_or("?");
                (Who::Tool { name: name.into() }, result(*status, content, options))
            }
            _ => continue,
        };
        if !text.trim().is_empty() {
            passages.push(Passage { seq: entry.seq, who, text, at: entry.at });
        }
    }
    passages
}

fn result(status: ToolStatus, content: &[Part], options: &PassageOptions) -> String {
    let text = shorten(&said(content, options), options.result);
    if status.is_error() {
        let status = serde_json::to_value(status).unwrap_or_default();
        return format!("[{}] {text}", status.as_str().unwrap_or("error"));
    }
    text
}

fn said(parts: &[Part], options: &PassageOptions) -> String {
    let pieces: Vec<String> = parts.iter().filter_map(|part| piece(part, options)).collect();
    pieces.join("\n")
}

fn piece(part: &Part, options: &PassageOptions) -> Option<String> {
    match part {
        Part::Text { text } | Part::Refusal { text } => {
            (!text.trim().is_empty()).then(|| shorten(text, options.text))
        }
        Part::ToolCall(call) => {
            Some(format!("[calls {}({})]", call.name, shorten(&call.arguments, options.arguments)))
        }
        Part::Media(media) => {
            let what = match (&media.name, &media.data) {
                (Some(name), _) => name.as_str(),
                (None, MediaData::Url { url }) => url.as_str(),
                _ => "",
            };
            Some(format!("[{} {what}]", media.media_type).replace(" ]", "]"))
        }
        Part::Reasoning { .. } | Part::Provider { .. } => None,
    }
}

/// A text of at most about so many characters: two thirds from its beginning and a third from its end, and between them how
/// many were left out.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let tail = most / 3;
    let head: String = text.chars().take(most - tail).collect();
    let rest: String = text.chars().skip(count - tail).collect();
    format!("{head} [{} characters left out] {rest}", count - most)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{ErrorKind, ErrorReport};
    use crate::message::Usage;
    use crate::model::StopReason;
    use crate::session::{InputDelivery, NoticeKind};

    fn log(bodies: impl IntoIterator<Item = Body>) -> Vec<Entry> {
        let entry = |(seq, body)| Entry { seq: Seq(seq), v: 1, at: Timestamp(seq), run: None, body };
        (1..).zip(bodies).map(entry).collect()
    }

    fn assistant(parts: Vec<Part>) -> Body {
        let (stop, usage) = (StopReason::Stop, Usage::default());
        Body::Assistant { step: 1, parts, stop, usage, cost: None, origin: None, route: None }
    }

    fn texts(entries: &[Entry]) -> Vec<(u64, String, String)> {
        let passages = passages(entries, &PassageOptions { text: 30, arguments: 12, result: 24 });
        passages.into_iter().map(|said| (said.seq.0, said.who.label(), said.text)).collect()
    }

    #[test]
    fn what_the_model_never_saw_is_left_out() {
        let error = ErrorReport::new(ErrorKind::Server, "no");
        let entries = log([
            Body::Input {
                parts: vec!["hello".into()],
                delivery: InputDelivery::Start,
                output: None,
                limits: None,
            },
            Body::ModelFailed { step: 1, error, partial: vec!["half".into()], retry_at: None, route: None },
            assistant(vec![
                Part::Reasoning { text: "hm".into(), opaque: None },
                "Let me see.".into(),
                Part::call("call_1_0", "look", r#"{"at":"the whole sky"}"#),
            ]),
            Body::ToolEnd {
                call: CallId("call_1_0".into()),
                attempt: 1,
                status: ToolStatus::TimedOut,
                content: vec![Part::text("0123456789".repeat(5))],
            },
            Body::Notice { parts: vec!["again".into()], why: NoticeKind::Host },
            Body::Custom { kind: "mine".into(), data: json!({"secret": 1}) },
        ]);
        let found = texts(&entries);
        assert_eq!(
            found.iter().map(|(seq, who, _)| (*seq, who.as_str())).collect::<Vec<_>>(),
            [(1, "user"), (3, "assistant"), (4, "tool look"), (5, "notice")]
        );
        assert_eq!(found[1].2, "Let me see.\n[calls look({\"at\":\"t [10 characters left out] ky\"})]");
        assert!(
            found[2].2.starts_with("[timed_out] 0123456789") && found[2].2.contains("left out"),
            "{}",
            found[2].2
        );
    }

    #[test]
    fn a_shortened_text_keeps_both_ends() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("äöüabcdefxyz", 9), "äöüabc [3 characters left out] xyz");
    }
}
