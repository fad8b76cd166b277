//! Fragments, joined in an order that the server takes.
//!
//! Mistral refuses a user who speaks right after a tool's result (the run was cancelled before the model could answer),
//! and a conversation whose last word is the model's. Once that is in a history, every request of the session would be
//! refused. So a word is put in where one is missing:
//!
//! | between | goes |
//! | --- | --- |
//! | a result and the user | a short answer |
//! | an answer and the end | a short word of the user |
//!
//! # The mark at the end
//! Joining must not read the fragments. So a fragment ends in a blank that tells whose the last message is: a line feed
//! after a result, a tab after an answer, nothing after the user. Blanks between members of a list are no part of it.
//!
//! Source: the rules in
//! <https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py>

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
        (Turns::Alternate, Last::Answer) => out.raw("\t"),
        (Turns::Alternate, Last::Result) => out.raw("\n"),
        (Turns::Alternate, Last::User) | (Turns::Any, _) => out,
    };
}

/// The members of `messages`.
pub(super) fn join(fragments: &[Bytes], turns: Turns, out: &mut Writer) {
    let mut last = Last::User;
    for fragment in fragments.iter().filter(|fragment| !fragment.is_empty()) {
        if last == Last::Result && fragment.starts_with(br#"{"role":"user""#) {
            out.comma().raw(r#"{"role":"assistant","content":"I see."}"#);
        }
        out.comma().bytes(fragment);
        last = match (turns, fragment.last()) {
            (Turns::Alternate, Some(b'\t')) => Last::Answer,
            (Turns::Alternate, Some(b'\n')) => Last::Result,
            _ => Last::User,
        };
    }
    if last == Last::Answer {
        out.comma().raw(r#"{"role":"user","content":"Go on."}"#);
    }
}
