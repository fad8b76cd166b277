//! Fragments, joined in an order that the server takes.
//!
//! Mistral refuses a user who speaks right after a tool's result (the run was cancelled before the model could answer),
//! and a conversation whose last word is the model's; Perplexity wants user and model to speak in turn. Once a history is
//! not so, every request of the session would be refused. So a word is put in where one is missing:
//!
//! | between | Mistral | Perplexity |
//! | --- | --- | --- |
//! | a result and the user | a short answer | the same |
//! | the user and the user | nothing | a short answer |
//! | the beginning or an answer, and an answer | nothing | a short word of the user |
//! | an answer and the end | a short word of the user | the same |
//!
//! # The mark at the end
//! Joining must not read the fragments. So a fragment ends in a blank that tells whose the last message is: a line feed
//! after a result, a tab after an answer, nothing after the user. Blanks between members of a list are no part of it.
//!
//! Source: the rules in
//! <https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py>,
//! <https://docs.perplexity.ai/api-reference/chat-completions-post>

use bytes::Bytes;

use super::quirks::Turns;
use crate::wire::write::Writer;

/// Whose the last message of a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    User,
    Answer,
    Result,
}

/// Ends a fragment.
pub(super) fn mark(last: Last, turns: Turns, out: &mut Writer) {
    match (turns, last) {
        (Turns::Any, _) | (_, Last::User) => out,
        (_, Last::Answer) => out.raw("\t"),
        (_, Last::Result) => out.raw("\n"),
    };
}

/// The members of `messages`.
pub(super) fn join(fragments: &[Bytes], turns: Turns, out: &mut Writer) {
    let mut last = None;
    for fragment in fragments.iter().filter(|fragment| !fragment.is_empty()) {
        let user = fragment.starts_with(br#"{"role":"user""#);
        match (turns, last) {
            (Turns::AnswerAfterResults | Turns::Alternate, Some(Last::Result)) if user => answer(out),
            (Turns::Alternate, Some(Last::User)) if user => answer(out),
            (Turns::Alternate, None | Some(Last::Answer)) if !user => word(out),
            _ => {}
        }
        out.comma().bytes(fragment);
        last = Some(match fragment.last() {
            Some(b'\t') => Last::Answer,
            Some(b'\n') => Last::Result,
            _ => Last::User,
        });
    }
    if last == Some(Last::Answer) {
        word(out);
    }
}

fn answer(out: &mut Writer) {
    out.comma().raw(r#"{"role":"assistant","content":"I see."}"#);
}

fn word(out: &mut Writer) {
    out.comma().raw(r#"{"role":"user","content":"Go on."}"#);
}
