//! From fragments to `messages`.
//!
//! The API wants roles to alternate and a user to begin, so neighbours of one role become one message. A fragment is one
//! message or two (an answer, the results of its calls); what joining must know of it stands behind it as white space,
//! so that nothing is parsed:
//!
//! | mark | what |
//! | --- | --- |
//! | ` ` | it holds calls or results: the request must have tools |
//! | tab | it holds documents: their names must differ from all others |
//! | LF | it ends in an answer, not in a message of the user: no cache point goes there |
//! | CR | its last block is no text: some models take no cache point there |
//!
//! Sources: <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html>, the service's answers
//! "toolConfig field must be defined when using toolUse and toolResult content blocks" and "Messages can't contain
//! duplicate document names" (<https://github.com/BerriAI/litellm/pull/30093>)

use bytes::Bytes;
use memchr::memmem;

use super::media::DOCUMENT;
use super::models::Points;
use crate::wire::write::Writer;

/// The beginning of a message of the user.
pub(super) const USER_HEAD: &str = r#"{"role":"user","content":["#;
/// The beginning of an answer.
pub(super) const ASSISTANT_HEAD: &str = r#"{"role":"assistant","content":["#;
/// The end of a message.
pub(super) const END: &str = "]}";

/// A block after which the prompt so far is cached.
pub(super) const CACHE_POINT: &str = r#"{"cachePoint":{"type":"default"}}"#;

/// What joining must know of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    pub(super) tools: bool,
    pub(super) documents: bool,
    pub(super) ends_in_answer: bool,
    pub(super) ends_in_no_text: bool,
}

impl Marks {
    pub(super) fn write(self, out: &mut Writer) {
        let marks = [
            (self.tools, " "),
            (self.documents, "\t"),
            (self.ends_in_answer, "\n"),
            (self.ends_in_no_text, "\r"),
        ];
        for (_, mark) in marks.into_iter().filter(|(set, _)| *set) {
            out.raw(mark);
        }
    }

    /// The fragment without its marks, and them.
    fn of(fragment: &[u8]) -> (&[u8], Self) {
        let body = fragment.trim_ascii_end();
        let behind = fragment.get(body.len()..).unwrap_or_default();
        let has = |mark: u8| behind.contains(&mark);
        let marks = Self {
            tools: has(b' '),
            documents: has(b'\t'),
            ends_in_answer: has(b'\n'),
            ends_in_no_text: has(b'\r'),
        };
        (body, marks)
    }
}

/// Whether a call or a result is among the messages.
pub(super) fn any_tools(fragments: &[Bytes]) -> bool {
    fragments.iter().any(|fragment| Marks::of(fragment).1.tools)
}

/// The value of `messages`. The last two messages of the user get a cache point: of these, the older is where the
/// previous request wrote.
pub(super) fn messages(fragments: &[Bytes], points: Points, out: &mut Writer) {
    // No list of what each fragment is: it would be as long as the conversation, at every turn.
    let takes = |fragment: &Bytes| {
        let marks = Marks::of(fragment).1;
        !fragment.is_empty()
            && !marks.ends_in_answer
            && (points == Points::Everywhere || !marks.ends_in_no_text)
    };
    let wanted = if points == Points::Nowhere { 0 } else { 2 };
    let from_the_end = fragments.iter().enumerate().rev();
    let mut pointed = from_the_end.filter(|(_, fragment)| takes(fragment)).map(|(at, _)| at).take(wanted);
    let pointed = [pointed.next(), pointed.next()];
    let mut names = Names::default();
    // Whether the message that is open is the user's; `None` before the first.
    let mut open: Option<bool> = None;
    out.raw("[");
    for (at, fragment) in fragments.iter().enumerate().filter(|(_, fragment)| !fragment.is_empty()) {
        let (body, marks) = Marks::of(fragment);
        let (user, blocks) = match body.strip_prefix(USER_HEAD.as_bytes()) {
            Some(blocks) => (true, blocks),
            None => (false, body.strip_prefix(ASSISTANT_HEAD.as_bytes()).unwrap_or(body)),
        };
        if open.is_none() && !user {
            // A conversation may have been cut before an answer.
            out.raw(USER_HEAD).raw(r#"{"text":"(earlier messages were left out)"}"#);
            open = Some(true);
        }
        if open == Some(user) {
            out.raw(",");
        } else {
            out.raw(if open.is_some() { "]}," } else { "" });
            out.raw(if user { USER_HEAD } else { ASSISTANT_HEAD });
        }
        let blocks = blocks.strip_suffix(END.as_bytes()).unwrap_or(blocks);
        if marks.documents {
            names.write(blocks, out);
        } else {
            out.bytes(blocks);
        }
        if pointed.contains(&Some(at)) {
            out.raw(",").raw(CACHE_POINT);
        }
        open = Some(!marks.ends_in_answer);
    }
    out.raw(if open.is_some() { "]}]" } else { "]" });
}

/// The names of the documents so far, in lower case. The same conversation gives the same names at each turn, because
/// only what stands before a document counts.
#[derive(Debug, Default)]
struct Names(Vec<String>);

impl Names {
    /// Writes blocks; a name that was there before gets a number.
    fn write(&mut self, mut blocks: &[u8], out: &mut Writer) {
        while let Some(at) = memmem::find(blocks, DOCUMENT.as_bytes()) {
            let (before, rest) = blocks.split_at_checked(at + DOCUMENT.len()).unwrap_or((blocks, &[]));
            let (name, rest) =
                rest.split_at_checked(memchr::memchr(b'"', rest).unwrap_or(0)).unwrap_or((rest, &[]));
            let number = self.number(&String::from_utf8_lossy(name).to_ascii_lowercase());
            out.bytes(before).bytes(name);
            if number > 1 {
                out.raw(&format!(" ({number})"));
            }
            blocks = rest;
        }
        out.bytes(blocks);
    }

    /// Which number makes the name new; 1 for none.
    fn number(&mut self, name: &str) -> usize {
        let mut number = 1;
        loop {
            let tried = if number == 1 { name.to_owned() } else { format!("{name} ({number})") };
            if !self.0.contains(&tried) {
                self.0.push(tried);
                return number;
            }
            number += 1;
        }
    }
}
