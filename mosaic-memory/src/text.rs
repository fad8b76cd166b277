//! Texts as words: what a search for words compares.
//!
//! "Which **books** did Ada **read**?" and "Ada: I was **reading** a **book**" share no word that matters as it is written, and
//! two once they are cut to their stems. Words such as *which* and *did* are in every text and tell nothing.
//!
//! ```
//! use mosaic_memory::text::{Words, terms};
//! let words = Words::english();
//! assert_eq!(terms(&words, "Which books did Ada read?"), ["book", "ada", "read"]);
//! assert_eq!(terms(&words, "Ada: I was reading a book"), ["ada", "read", "book"]);
//! ```

use std::fmt;

use rust_stemmers::{Algorithm, Stemmer};

/// Words that are in so many texts that they tell nothing; sorted.
const ENGLISH: &[&str] = &[
    "a",
    "about",
    "after",
    "again",
    "all",
    "also",
    "am",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "because",
    "been",
    "before",
    "being",
    "between",
    "both",
    "but",
    "by",
    "can",
    "could",
    "d",
    "did",
    "do",
    "does",
    "doing",
    "don",
    "down",
    "during",
    "each",
    "few",
    "for",
    "from",
    "further",
    "had",
    "has",
    "have",
    "having",
    "he",
    "her",
    "here",
    "hers",
    "herself",
    "him",
    "himself",
    "his",
    "how",
    "i",
    "if",
    "in",
    "into",
    "is",
    "it",
    "its",
    "itself",
    "just",
    "ll",
    "m",
    "me",
    "more",
    "most",
    "my",
    "myself",
    "no",
    "nor",
    "not",
    "now",
    "of",
    "off",
    "on",
    "once",
    "only",
    "or",
    "other",
    "our",
    "ours",
    "ourselves",
    "out",
    "over",
    "own",
    "re",
    "s",
    "same",
    "she",
    "should",
    "so",
    "some",
    "such",
    "t",
    "than",
    "that",
    "the",
    "their",
    "theirs",
    "them",
    "themselves",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "through",
    "to",
    "too",
    "under",
    "until",
    "up",
    "ve",
    "very",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "whom",
    "whose",
    "why",
    "will",
    "with",
    "would",
    "you",
    "your",
    "yours",
    "yourself",
    "yourselves",
];

/// How words of a language are cut to stems, and which of them are left out.
pub struct Words {
    stemmer: Option<Stemmer>,
    stop: &'static [&'static str],
}

impl Words {
    /// English: Porter's second stemmer, and a stop list.
    #[must_use]
    pub fn english() -> Self {
        Self { stemmer: Some(Stemmer::create(Algorithm::English)), stop: ENGLISH }
    }

    /// Any language: words as they are written, in small letters.
    #[must_use]
    pub fn plain() -> Self {
        Self { stemmer: None, stop: &[] }
    }

    /// Whether a word in small letters tells nothing.
    #[must_use]
    pub fn is_stop(&self, word: &str) -> bool {
        self.stop.binary_search(&word).is_ok()
    }

    /// The stem of a word in small letters.
    #[must_use]
    pub fn stem(&self, word: &str) -> String {
        self.stemmer.as_ref().map_or_else(|| word.to_owned(), |stemmer| stemmer.stem(word).into_owned())
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("stems", &self.stemmer.is_some())
            .field("stop_words", &self.stop.len())
            .finish()
    }
}

/// The words of a text as they stand in it: runs of letters and digits.
pub fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The words of a text in small letters.
pub fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    words_of(text).map(str::to_lowercase)
}

/// The stems of the words that tell something, in their order.
#[must_use]
pub fn terms(words: &Words, text: &str) -> Vec<String> {
    split(text).filter(|word| !words.is_stop(word)).map(|word| words.stem(&word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_list_is_sorted_and_so_can_be_searched() {
        assert!(ENGLISH.is_sorted());
        assert!(Words::english().is_stop("which") && !Words::english().is_stop("book"));
    }

    #[test]
    fn every_script_has_words() {
        assert_eq!(terms(&Words::plain(), "Привет, мир! 你好"), ["привет", "мир", "你好"]);
    }
}
