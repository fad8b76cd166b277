//! From a text to the words that it is found by.
//!
//! | text | words |
//! | --- | --- |
//! | `She's painting, he painted` | `paint` `paint` (stemmed; words that say nothing are left out) |
//! | `Café` | `cafe` (no case, no accents) |
//! | `東京タワー` | each character and each two beside one another: such scripts put no space between words |
//!
//! Stemming is English (Snowball's). Words of other languages are stemmed too where they end as English ones do, in texts and questions
//! alike, so they still meet.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer ones are cut: they are no words, but are found by their beginning.
const LONGEST: usize = 64;

/// Words that say nothing about what a text is about, and what is left of `it's`, `don't`, `we'll` and the like. Months (`may`) and
/// names (`will`) are not among them.
const SILENT: &[&str] = &[
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "because", "been", "before", "being", "both", "but", "by", "can", "could", "d", "did", "do", "does",
    "doing", "for", "from", "had", "has", "have", "having", "he", "her", "here", "hers", "him", "his", "how",
    "i", "if", "in", "into", "is", "it", "its", "just", "ll", "m", "me", "my", "of", "on", "or", "our",
    "ours", "re", "s", "she", "should", "so", "some", "such", "t", "than", "that", "the", "their", "theirs",
    "them", "then", "there", "these", "they", "this", "those", "to", "too", "until", "ve", "very", "was",
    "we", "were", "what", "when", "where", "which", "while", "who", "whom", "whose", "why", "with", "would",
    "you", "your", "yours",
];

/// On which side of a search a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Stored,
    Asked,
}

/// Calls back with each word as it stands in the text, but for case and accents.
pub(crate) fn each_word(text: &str, side: Side, mut word: impl FnMut(&str)) {
    let mut run = String::new();
    for piece in text.split(|c: char| !(c.is_alphanumeric() || is_combining_mark(c))) {
        if piece.is_empty() {
            continue;
        }
        if piece.is_ascii() {
            run.clear();
            run.extend(piece.chars().map(|c| c.to_ascii_lowercase()));
            run.truncate(LONGEST);
            word(&run);
            continue;
        }
        let plain: String =
            piece.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
        for part in Parts(&plain) {
            match part {
                Part::Word(part) => word(cut(part)),
                Part::Unspaced(part) => unspaced(part, side, &mut word),
            }
        }
    }
}

/// The word that stands for a word and its kin; `None` for one that says nothing.
pub(crate) fn stem(word: &str, stemmer: &Stemmer) -> Option<String> {
    if SILENT.binary_search(&word).is_ok() {
        return None;
    }
    Some(stemmer.stem(word).into_owned())
}

pub(crate) fn stemmer() -> Stemmer {
    Stemmer::create(Algorithm::English)
}

fn cut(word: &str) -> &str {
    word.get(..word.floor_char_boundary(LONGEST)).unwrap_or(word)
}

fn unspaced(text: &str, side: Side, word: &mut impl FnMut(&str)) {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let slices = |chars: usize| {
        starts.iter().zip(starts.iter().skip(chars)).filter_map(|(from, to)| text.get(*from..*to))
    };
    if side == Side::Stored || starts.len() == 2 {
        slices(1).for_each(&mut *word);
    }
    slices(2).for_each(word);
}

enum Part<'t> {
    Word(&'t str),
    Unspaced(&'t str),
}

/// Cuts where a script with spaces meets one without.
struct Parts<'t>(&'t str);

impl<'t> Iterator for Parts<'t> {
    type Item = Part<'t>;

    fn next(&mut self) -> Option<Part<'t>> {
        let first = is_unspaced(self.0.chars().next()?);
        let end = self.0.find(|c| is_unspaced(c) != first).unwrap_or(self.0.len());
        let (part, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(if first { Part::Unspaced(part) } else { Part::Word(part) })
    }
}

/// Kana and Han. Hangul comes out of `nfkd` as letters and is written with spaces.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, side: Side) -> Vec<String> {
        let (mut all, stemmer) = (Vec::new(), stemmer());
        each_word(text, side, |word| all.extend(stem(word, &stemmer)));
        all
    }

    #[test]
    fn words_meet_their_kin() {
        assert_eq!(
            words("She's painting; he PAINTED two paintings!", Side::Stored),
            ["paint", "paint", "two", "paint"]
        );
        assert_eq!(words("running runs", Side::Asked), ["run", "run"]);
        assert_eq!(words("8 May 2023", Side::Stored), ["8", "may", "2023"]);
        assert_eq!(words("what was it that you did?", Side::Asked), [""; 0]);
        assert_eq!(words("GPT-4o user_id", Side::Stored), ["gpt", "4o", "user", "id"]);
    }

    #[test]
    fn accents_and_forms_do_not_matter() {
        assert_eq!(words("Café cafe\u{301} CAFÉ", Side::Stored), ["cafe"; 3]);
        assert_eq!(words("ﬁne Ⅳ", Side::Stored), ["fine", "iv"]);
    }

    #[test]
    fn scripts_without_spaces_are_found_by_two_characters() {
        assert_eq!(words("東京は", Side::Stored), ["東", "京", "は", "東京", "京は"]);
        assert_eq!(words("東京", Side::Asked), ["東京"]);
        assert_eq!(words("東", Side::Asked), ["東"]);
        assert_eq!(words("Rust言語x", Side::Asked), ["rust", "言語", "x"]);
    }

    #[test]
    fn long_ones_are_cut() {
        assert_eq!(words(&"z".repeat(5_000), Side::Stored), ["z".repeat(64)]);
        assert_eq!(words(&"ы".repeat(5_000), Side::Stored), ["ы".repeat(32)]);
    }

    #[test]
    fn the_silent_ones_are_sorted() {
        assert!(SILENT.is_sorted());
    }
}
