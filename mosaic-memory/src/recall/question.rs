//! What a question says about where its answer is.

use crate::text::{Words, split, terms, words_of};

/// Words that ask for a time when they stand with "what" or "which".
const TIMES: &[&str] = &["date", "day", "month", "time", "week", "year"];

/// Words that place something in time; sorted.
const SPEAKS_OF_TIME: &[&str] = &[
    "ago",
    "april",
    "august",
    "december",
    "february",
    "friday",
    "january",
    "july",
    "june",
    "last",
    "march",
    "may",
    "monday",
    "month",
    "next",
    "november",
    "october",
    "recently",
    "saturday",
    "september",
    "sunday",
    "thursday",
    "today",
    "tomorrow",
    "tonight",
    "tuesday",
    "wednesday",
    "week",
    "weekend",
    "year",
    "yesterday",
];

/// Terms beyond these are not looked at: a set of them fits a number.
const MOST: usize = 64;

/// A question, read once for all candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The stems of its words, each once.
    terms: Vec<String>,
    /// How each of them begins.
    begins: Vec<Letters>,
    words: Vec<String>,
    asks_when: bool,
}

impl Question {
    /// Reads a question.
    #[must_use]
    pub fn read(words: &Words, text: &str) -> Self {
        let mut stems: Vec<String> = Vec::new();
        for term in terms(words, text) {
            if stems.len() < MOST && !stems.contains(&term) {
                stems.push(term);
            }
        }
        let all: Vec<String> = split(text).collect();
        let has = |word: &str| all.iter().any(|other| other == word);
        let how_long = all.windows(2).any(|two| two == ["how", "long"]);
        let which = (has("what") || has("which")) && TIMES.iter().any(|time| has(time));
        let begins = stems.iter().map(|term| letters(term)).collect();
        Self { asks_when: has("when") || how_long || which, terms: stems, begins, words: all }
    }

    /// The stems of its words, each once.
    #[must_use]
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// Whether it asks for a time.
    #[must_use]
    pub fn asks_when(&self) -> bool {
        self.asks_when
    }

    /// Whether it names somebody: with any word of the name that has two letters at least.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        split(name).any(|part| part.chars().nth(1).is_some() && self.words.contains(&part))
    }

    /// Which of its terms a text has, as a set: bit `n` for term `n`.
    #[must_use]
    pub fn terms_in(&self, words: &Words, text: &str) -> u64 {
        let mut found = 0;
        for word in words_of(text) {
            // Most words are none of the terms, which their first letters tell without small letters and a stem.
            let begins = letters(word);
            if !self.begins.iter().any(|term| may_be(begins, *term)) {
                continue;
            }
            let word = word.to_lowercase();
            if words.is_stop(&word) {
                continue;
            }
            let stem = words.stem(&word);
            // Each term is there once.
            found |= self.terms.iter().position(|term| *term == stem).map_or(0, |bit| 1 << bit);
        }
        found
    }
}

/// The first two letters of a word, as far as they tell whether it can have a stem. A stem begins as its word does, except that
/// a `y` may become an `i` (dying, die). The second one tells something in ASCII only: elsewhere a small letter may be two.
type Letters = (Option<char>, Option<char>);

fn letters(word: &str) -> Letters {
    let mut letters = word.chars();
    let small = |letter: char| {
        if letter.is_ascii() { Some(letter.to_ascii_lowercase()) } else { letter.to_lowercase().next() }
    };
    let second = |letter: char| match letter.to_ascii_lowercase() {
        'y' => 'i',
        other => other,
    };
    (letters.next().and_then(small), letters.next().filter(char::is_ascii).map(second))
}

fn may_be(word: Letters, term: Letters) -> bool {
    word.0 == term.0 && word.1.zip(term.1).is_none_or(|(a, b)| a == b)
}

/// Whether a text places something in time.
pub(super) fn speaks_of_time(text: &str) -> bool {
    split(text).any(|word| SPEAKS_OF_TIME.binary_search(&word.as_str()).is_ok())
}

/// Whether a text asks something.
pub(super) fn asks(text: &str) -> bool {
    let end = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | '”' | '»'));
    end.ends_with(['?', '？', '؟'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_for_terms_names_and_times() {
        let words = Words::english();
        let question = Question::read(&words, "When did Mary Ann paint the sunrises, and which sunrise?");
        assert_eq!(question.terms(), ["mari", "ann", "paint", "sunris"]);
        assert!(question.asks_when());
        assert!(
            question.names("Ann Lee")
                && question.names("MARY")
                && !question.names("Bob")
                && !question.names("D")
        );
        assert_eq!(question.terms_in(&words, "Ann: I painted that sunrise"), 0b1110);
        assert_eq!(question.terms_in(&words, ""), 0);
        assert!(!Question::read(&words, "What did he paint?").asks_when());
        assert!(Question::read(&words, "What year was it?").asks_when());
    }

    proptest::proptest! {
        #[test]
        fn terms_are_found_as_if_every_word_were_cut_to_its_stem(text in "([a-zA-Zİßéy日]{1,4}(ing|ies|ed|s)?[ .']){0,12}") {
            let (words, asked) = (Words::english(), "dying lying tying skies idly I've İzmir İ yes éy 日s Aying aed yy ing");
            let question = Question::read(&words, asked);
            let text = format!("{text} DYING Lies tied sky İZMİR {asked}");
            let all = terms(&words, &text);
            for (bit, term) in question.terms().iter().enumerate() {
                let found = question.terms_in(&words, &text) & (1 << bit) != 0;
                proptest::prop_assert_eq!(found, all.contains(term), "{}", term);
            }
        }
    }

    #[test]
    fn texts_speak_of_times_and_ask() {
        assert!(SPEAKS_OF_TIME.is_sorted() && TIMES.is_sorted());
        assert!(speaks_of_time("We went there last Friday") && !speaks_of_time("We went there"));
        assert!(asks("And you? ") && asks("她呢？") && !asks("What? No."));
    }

    #[test]
    fn a_question_of_very_many_words_is_read_as_far_as_it_counts() {
        let long: String = (0..500).map(|n| format!("word{n} ")).collect();
        let question = Question::read(&Words::plain(), &long);
        assert_eq!(question.terms().len(), MOST);
        assert_eq!(question.terms_in(&Words::plain(), &long), u64::MAX);
    }
}
