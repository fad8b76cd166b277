//! Extraction without a model.

use super::{Draft, ExtractError, Extraction, Extractor, Message, Speaker, Turn};

/// An extractor that knows some English sentences by their beginnings, and understands none.
///
/// It reads only what the user said, sentence by sentence, and gives the same for the same turn.
///
/// | a sentence that begins with | becomes |
/// | --- | --- |
/// | `my name is X`, `call me X` | preference `name` = X |
/// | `I live in X`, `I moved to X` | preference `home` = X |
/// | `my favourite K is X` (`favorite`) | preference `favourite K` = X |
/// | `I prefer X` | preference `prefers` = X; `I prefer X for K`: preference `K` = X |
/// | `remember that X`, `remember: X` | insight X |
///
/// `please`, `and`, `so` and the like before them are passed over, and `actually` and `now` too. A question is nothing. What it
/// does not know it
/// leaves out: for more, take a [`ModelExtractor`](super::ModelExtractor).
///
/// ```
/// use mosaic_core::{Seq, Timestamp};
/// use mosaic_memory::write::{Draft, Extractor, Message, RulesExtractor, Speaker, Turn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mosaic_memory::write::ExtractError> {
/// let text = "Hello! My name is Ann. I prefer tabs for indentation. Do I live in Oslo?".to_owned();
/// let said = Message { seq: Seq(3), speaker: Speaker::User, text, at: Timestamp(5) };
/// let turn = Turn::new("s1", vec![said.clone()]);
/// let found = RulesExtractor.extract(&turn).await?.drafts;
/// let draft = |key, value| Draft::preference(key, value, 0.9).importance(0.6).said(&turn, &said);
/// assert_eq!(found, [draft("name", "Ann"), draft("indentation", "tabs")]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct RulesExtractor;

/// How sure what somebody says of themselves is; a rule may have misread it.
const SURE: f32 = 0.9;
/// Longer values are no values but stories.
const MAX_VALUE: usize = 200;
/// Words before a sentence's beginning.
const FILLERS: [&str; 10] = ["please", "and", "so", "well", "actually", "now", "also", "oh", "hi", "hello"];

#[async_trait::async_trait]
impl Extractor for RulesExtractor {
    async fn extract(&self, turn: &Turn) -> Result<Extraction, ExtractError> {
        let users = turn.messages.iter().filter(|message| message.speaker == Speaker::User);
        let drafts = users.flat_map(|message| read(turn, message)).collect();
        Ok(Extraction { drafts, ..Extraction::default() })
    }
}

fn read(turn: &Turn, message: &Message) -> Vec<Draft> {
    let drafts = sentences(&message.text).into_iter().filter_map(sentence);
    drafts.map(|draft| draft.said(turn, message)).collect()
}

/// A text in sentences. A full stop counts only before a space or the end, so that `3.5` and `app.db` stay whole. Questions are
/// left out.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut chars = rest.char_indices().peekable();
        let (mut end, mut sign) = (rest.len(), None);
        while let Some((at, c)) = chars.next() {
            let last = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
            if c == '\n' || (matches!(c, '.' | '!' | '?' | ';') && last) {
                (end, sign) = (at, Some(c));
                break;
            }
        }
        let sentence = rest.get(..end).unwrap_or_default().trim();
        if sign != Some('?') && !sentence.is_empty() {
            found.push(sentence);
        }
        rest = rest.get(end + sign.map_or(0, char::len_utf8)..).unwrap_or_default();
    }
    found
}

fn sentence(sentence: &str) -> Option<Draft> {
    let said = beginning(sentence);
    let preference = |key: &str, value: &str| {
        let (key, value) = (key.trim(), trim(value));
        let fits = !key.is_empty() && !value.is_empty() && value.len() <= MAX_VALUE;
        fits.then(|| Draft::preference(key.to_lowercase(), value, SURE).importance(0.6))
    };
    if let Some(value) = after(said, &["my name is ", "call me "]) {
        return preference("name", value);
    }
    if let Some(value) = after(said, &["i live in ", "i moved to ", "i have moved to ", "i now live in "]) {
        return preference("home", value);
    }
    if let Some(rest) = after(said, &["my favourite ", "my favorite "]) {
        let at = find(rest, " is ")?;
        let key = format!("favourite {}", rest.get(..at)?.trim());
        return preference(&key, rest.get(at + 4..)?);
    }
    if let Some(rest) = after(said, &["i prefer ", "i now prefer "]) {
        return match find(rest, " for ") {
            Some(at) => preference(rest.get(at + 5..)?, rest.get(..at)?),
            None => preference("prefers", rest),
        };
    }
    let text = trim(after(said, &["remember that ", "remember: "])?);
    (!text.is_empty()).then(|| Draft::insight(text).importance(0.8))
}

/// A sentence without words that only lead to it.
fn beginning(mut sentence: &str) -> &str {
    loop {
        let word = sentence.split([' ', ',']).next().unwrap_or_default();
        if !FILLERS.contains(&word.to_lowercase().as_str()) {
            return sentence;
        }
        let rest = sentence.get(word.len()..).unwrap_or_default();
        sentence = rest.trim_start_matches([' ', ',']);
    }
}

/// What follows one of some beginnings, in whatever case they are written.
fn after<'t>(text: &'t str, beginnings: &[&str]) -> Option<&'t str> {
    beginnings.iter().find_map(|beginning| {
        let head = text.get(..beginning.len())?;
        head.eq_ignore_ascii_case(beginning).then(|| text.get(beginning.len()..)).flatten()
    })
}

/// Where a piece of ASCII stands in a text, in whatever case.
fn find(text: &str, piece: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(piece)
}

fn trim(text: &str) -> &str {
    text.trim().trim_end_matches(['.', '!', ',', ';']).trim()
}

#[cfg(test)]
mod tests {
    use mosaic_core::{Seq, Timestamp};

    use super::super::DraftBody;
    use super::*;

    async fn found(speaker: Speaker, text: &str) -> Vec<String> {
        let said = Message { seq: Seq(1), speaker, text: text.into(), at: Timestamp(1) };
        let drafts = RulesExtractor.extract(&Turn::new("s", vec![said])).await.unwrap().drafts;
        let show = |draft: Draft| match draft.body {
            DraftBody::Preference { key, value, .. } => format!("{key} = {value}"),
            DraftBody::Insight { text } => text,
        };
        drafts.into_iter().map(show).collect()
    }

    #[tokio::test]
    async fn some_sentences_are_known_by_their_beginnings() {
        for (text, draft) in [
            ("my name is Ann", "name = Ann"),
            ("Please call me Ann!", "name = Ann"),
            ("I live in Bergen, Norway.", "home = Bergen, Norway"),
            ("Actually, I now live in Oslo", "home = Oslo"),
            ("My favorite editor is Helix.", "favourite editor = Helix"),
            ("I PREFER Rust 1.94 for Services", "services = Rust 1.94"),
            ("I prefer short answers", "prefers = short answers"),
            ("Remember that the key is under app.db.", "the key is under app.db"),
        ] {
            assert_eq!(found(Speaker::User, text).await, [draft], "{text}");
        }
    }

    #[tokio::test]
    async fn questions_stories_and_what_the_agent_says_are_nothing() {
        for text in [
            "Do you remember that we met?",
            "I prefer ",
            "Is it that I live in Oslo?",
            "Zażółć",
            "I live in?",
        ] {
            assert_eq!(found(Speaker::User, text).await, [""; 0], "{text}");
        }
        assert_eq!(found(Speaker::User, &format!("I prefer {}", "long ".repeat(60))).await, [""; 0]);
        assert_eq!(found(Speaker::Agent, "My name is Bot.").await, [""; 0]);
    }
}
