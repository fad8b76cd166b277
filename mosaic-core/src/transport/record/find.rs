//! Finding secrets in bytes, and putting something in their place.

use std::fmt;
use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

/// What is shorter is no key, and would be found everywhere.
const SHORTEST: usize = 8;

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "[secret]";

/// Secrets, in every form in which they may be repeated: for what writes errors about requests that hold them.
///
/// ```
/// use mosaic_core::transport::record::Secrets;
///
/// let mut secrets = Secrets::default();
/// secrets.learn("Bearer sk/0123456789");
/// let mut message = "the token sk%2F0123456789 is not known".to_owned();
/// secrets.clean(&mut message);
/// assert_eq!(message, "the token [secret] is not known");
/// ```
#[derive(Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Learns a value. Of `Bearer <key>` also the key alone. What is shorter than 8 characters is passed over.
    pub fn learn(&mut self, value: &str) {
        let bare = value.split_once(' ').map(|(_, bare)| bare.trim());
        for value in [Some(value), bare].into_iter().flatten() {
            let json = serde_json::to_string(value).unwrap_or_default();
            let json = json.trim_matches('"');
            for form in
                [value.to_owned(), json.to_owned(), json.replace('/', "\\/"), percent(value), plain(value)]
            {
                let known = self.0.iter().any(|known| known.expose_secret() == form);
                if form.len() >= SHORTEST && !known {
                    self.0.push(form.into());
                }
            }
        }
    }

    /// Where they are.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for secret in &self.0 {
            let secret = secret.expose_secret().as_bytes();
            let mut from = 0;
            while let Some(at) = bytes.get(from..).and_then(|rest| position(rest, secret)) {
                let start = from + at;
                found.push(start..start + secret.len());
                from = start + secret.len();
            }
        }
        found
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where they are in a text, in order; none overlaps another.
    pub(crate) fn places(&self, text: &str) -> Vec<Range<usize>> {
        merge(self.find(text.as_bytes()))
    }

    /// A piece of a text without them: where one begins, it says so.
    pub(crate) fn piece(&self, text: &str, piece: Range<usize>, places: &[Range<usize>]) -> String {
        let mut out = String::new();
        let mut from = piece.start;
        for place in places.iter().filter(|place| place.start < piece.end && place.end > piece.start) {
            out.push_str(text.get(from..place.start).unwrap_or_default());
            if place.start >= piece.start {
                out.push_str(MASK);
            }
            from = place.end.min(piece.end);
        }
        out.push_str(text.get(from..piece.end).unwrap_or_default());
        out
    }

    /// Whether a text ends with the beginning of one, so that more text could make it whole.
    pub(crate) fn may_begin_at_the_end_of(&self, text: &str) -> bool {
        let text = text.as_bytes();
        self.0.iter().any(|secret| {
            let secret = secret.expose_secret().as_bytes();
            let ends = |len| secret.get(..len).is_some_and(|begins| text.ends_with(begins));
            (1..secret.len()).any(ends)
        })
    }

    /// Whether one of them is in a text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        !self.find(text.as_bytes()).is_empty()
    }

    /// Takes them out of a text.
    pub fn clean(&self, text: &mut String) {
        let found = self.find(text.as_bytes());
        if !found.is_empty() {
            let cleaned = replace(text.as_bytes(), found, |_| MASK.into());
            *text = String::from_utf8_lossy(&cleaned).into_owned();
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} forms)", self.0.len())
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let last = bytes.len().checked_sub(wanted.len())?;
    (0..=last).find(|at| bytes.get(*at) == Some(first) && bytes.get(*at..*at + wanted.len()) == Some(wanted))
}

/// The bytes with something else in these places, which may overlap.
pub(super) fn replace(bytes: &[u8], places: Vec<Range<usize>>, with: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for place in merge(places) {
        out.extend_from_slice(bytes.get(from..place.start).unwrap_or_default());
        out.extend(with(place.len()));
        from = place.end;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out
}

/// Places in order; those that overlap become one.
fn merge(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| place.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for place in places {
        match merged.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => merged.push(place),
        }
    }
    merged
}

/// Where the texts of members of these names are, in JSON, in JSON within a stream, and in a form. Nothing is parsed, so
/// that it works on pieces and on damaged bodies.
pub(super) fn members<S: AsRef<str>>(bytes: &[u8], names: &[S]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for name in names {
        let name = name.as_ref();
        let quoted = format!("\"{name}\"");
        each(bytes, quoted.as_bytes(), |after| {
            let colon = skip_blanks(bytes, after);
            if bytes.get(colon) == Some(&b':') {
                all_texts(bytes, skip_blanks(bytes, colon + 1), &mut found);
            }
        });
        let assigned = format!("{name}=");
        each(bytes, assigned.as_bytes(), |after| {
            let begins = after - assigned.len();
            let before = begins.checked_sub(1).and_then(|at| bytes.get(at));
            if matches!(before, None | Some(b'&' | b'?')) {
                let rest = bytes.get(after..).unwrap_or_default();
                let len = rest.iter().position(|byte| matches!(byte, b'&' | b'#' | b' ' | b'"'));
                found.push(after..after + len.unwrap_or(rest.len()));
            }
        });
    }
    found.retain(|place| !place.is_empty());
    found
}

/// The text that a value is, or all that are in it: members and elements, their names too.
fn all_texts(bytes: &[u8], from: usize, found: &mut Vec<Range<usize>>) {
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(bytes, at + 1);
                found.push(at + 1..end);
                at = end;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return;
        }
        at += 1;
    }
}

/// Calls `then` with the end of each place where `wanted` is.
fn each(bytes: &[u8], wanted: &[u8], mut then: impl FnMut(usize)) {
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| position(rest, wanted)) {
        from += at + wanted.len();
        then(from);
    }
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    let blanks = bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace());
    from + blanks.count()
}

fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut escaped = false;
    let rest = bytes.get(from..).unwrap_or_default();
    let len = rest.iter().position(|byte| match byte {
        _ if std::mem::take(&mut escaped) => false,
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    });
    from + len.unwrap_or(rest.len())
}

/// As in a query.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A value of a query as it was before it was put there.
fn plain(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let decoded = pair.filter(|_| *byte == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(decoded.unwrap_or(*byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(bytes: &'a str, names: &[&str]) -> Vec<&'a str> {
        members(bytes.as_bytes(), names).into_iter().map(|place| &bytes[place]).collect()
    }

    #[test]
    fn members_are_found_in_json_in_streams_and_in_forms() {
        let json = "data: {\"token\": \"a\\\"b\", \"tokens\": \"no\", \"other\": [{\"token\" :\n\"c\"}]}";
        assert_eq!(texts(json, &["token"]), ["a\\\"b", "c"]);
        assert_eq!(texts("a=1&token=xyz&mytoken=q", &["token"]), ["xyz"]);
        assert_eq!(texts("{\"token\": 7, \"token\": \"cut", &["token"]), ["cut"]);
        let nested = "{\"token\": {\"a\": [\"b]\", 7, {}], \"c\": \"d\"}, \"e\": \"no\", \"token\": [\"f";
        assert_eq!(texts(nested, &["token"]), ["a", "b]", "c", "d", "f"]);
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let mut secrets = Secrets::default();
        secrets.learn("Bearer ab/cd+ef=gh");
        let mut text = String::from("ab/cd+ef=gh ab\\/cd+ef=gh ab%2Fcd%2Bef%3Dgh Bearer ab/cd+ef=gh");
        secrets.clean(&mut text);
        assert_eq!(text, "[secret] [secret] [secret] [secret]");
    }

    #[test]
    fn what_is_too_short_for_a_key_is_only_hidden_where_it_stands() {
        let mut secrets = Secrets::default();
        secrets.learn("short");
        let mut text = String::from("a short text");
        secrets.clean(&mut text);
        assert_eq!(text, "a short text");
    }
}
