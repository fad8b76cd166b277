//! Takes a final answer out of its wrapping while it is still being written.

use super::scan::Scan;

/// The member that holds the final answer.
pub(super) const MEMBER: &str = "final_answer";

/// Whether a text begins with the wrapping of a final answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// It does; so many bytes of it come before the answer's value.
    Yes(usize),
    /// So far.
    Maybe,
    /// It does not.
    No,
}

/// Looks for `{"final_answer":` and white space wherever JSON allows it.
pub(super) fn opening(text: &str) -> Opening {
    let mut rest = text;
    for token in ["{", "\"final_answer\"", ":"] {
        rest = rest.trim_start_matches(is_space);
        match rest.strip_prefix(token) {
            Some(after) => rest = after,
            None if token.starts_with(rest) => return Opening::Maybe,
            None => return Opening::No,
        }
    }
    match rest.trim_start_matches(is_space) {
        "" => Opening::Maybe,
        value => Opening::Yes(text.len() - value.len()),
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Reads the value of the final answer, then the end of its wrapping.
#[derive(Debug, Clone, Default)]
pub(super) enum Reader {
    /// Nothing of the value was read.
    #[default]
    Value,
    /// In a string, which is shown without quotes and escapes.
    Text,
    /// In any other value, which is shown as it is: the answer has a schema of its own.
    Raw(Scan),
    /// Behind the value.
    Behind,
    /// Behind the wrapping.
    Over,
    /// In what a model said after its answer.
    More,
}

impl Reader {
    /// Takes as much of `text` as can be understood, appends what is to be shown, and says how much it took. After
    /// `last`, no more text comes.
    pub(super) fn read(&mut self, text: &str, last: bool, shown: &mut String) -> usize {
        let mut taken = 0;
        while let Some(rest) = text.get(taken..).filter(|rest| !rest.is_empty()) {
            let step = match self {
                Self::Value if rest.starts_with('"') => {
                    *self = Self::Text;
                    1
                }
                Self::Value => {
                    *self = Self::Raw(Scan::default());
                    0
                }
                Self::Text => match piece(rest, last) {
                    Piece::Close => {
                        *self = Self::Behind;
                        1
                    }
                    Piece::Plain(length) => {
                        shown.push_str(rest.get(..length).unwrap_or_default());
                        length
                    }
                    Piece::Escape(c, length) => {
                        shown.push(c);
                        length
                    }
                    Piece::Wait => break,
                },
                Self::Raw(scan) => {
                    let mut length = 0;
                    let mut ended = false;
                    for byte in rest.bytes() {
                        if scan.outside() && matches!(byte, b'}' | b',') {
                            ended = true;
                            break;
                        }
                        length += 1;
                        if scan.closes(byte) {
                            ended = true;
                            break;
                        }
                    }
                    shown.push_str(rest.get(..length).unwrap_or_default());
                    if ended {
                        *self = Self::Behind;
                    }
                    length
                }
                Self::Behind => {
                    let length = rest.len() - rest.trim_start_matches(is_space).len();
                    if rest.get(length..).is_some_and(|rest| rest.starts_with('}')) {
                        *self = Self::Over;
                        length + 1
                    } else if length == rest.len() && !last {
                        // It belongs to the wrapping, or to what comes in its place.
                        break;
                    } else if length == rest.len() {
                        length
                    } else {
                        *self = Self::Over;
                        0
                    }
                }
                Self::Over => match rest.trim() {
                    // The fence that some models put around everything.
                    "" | "```" if last => rest.len(),
                    end if "```".starts_with(end) && !last => break,
                    _ => {
                        *self = Self::More;
                        0
                    }
                },
                Self::More => {
                    shown.push_str(rest);
                    rest.len()
                }
            };
            taken += step;
        }
        taken
    }
}

enum Piece {
    Plain(usize),
    Escape(char, usize),
    Close,
    Wait,
}

/// The next piece of the inside of a JSON string.
fn piece(rest: &str, last: bool) -> Piece {
    if rest.starts_with('"') {
        return Piece::Close;
    }
    let Some(escape) = rest.strip_prefix('\\') else {
        return Piece::Plain(rest.find(['"', '\\']).unwrap_or(rest.len()));
    };
    let simple = match escape.chars().next() {
        None => return if last { Piece::Plain(1) } else { Piece::Wait },
        Some('n') => Some('\n'),
        Some('t') => Some('\t'),
        Some('r') => Some('\r'),
        Some('b') => Some('\u{8}'),
        Some('f') => Some('\u{c}'),
        Some('u') => None,
        Some(other) => return Piece::Escape(other, 1 + other.len_utf8()),
    };
    match simple {
        Some(c) => Piece::Escape(c, 2),
        None => unicode(rest, last),
    }
}

/// `\uXXXX`, or two of them for a character beyond the basic plane.
fn unicode(rest: &str, last: bool) -> Piece {
    let unit = |at: usize| rest.get(at..at + 4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    let Some(high) = unit(2) else {
        let may_come = rest.len() < 6 && !last;
        return if may_come { Piece::Wait } else { Piece::Escape(char::REPLACEMENT_CHARACTER, 2) };
    };
    if let Some(c) = char::from_u32(u32::from(high)) {
        return Piece::Escape(c, 6);
    }
    let after = rest.get(6..).unwrap_or_default();
    if after.len() < 6 && !last && ("\\u".starts_with(after) || after.starts_with("\\u")) {
        return Piece::Wait;
    }
    let low = after.starts_with("\\u").then(|| unit(8)).flatten();
    match low.and_then(|low| char::decode_utf16([high, low]).next()?.ok()) {
        Some(c) => Piece::Escape(c, 12),
        None => Piece::Escape(char::REPLACEMENT_CHARACTER, 6),
    }
}
