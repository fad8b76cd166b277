//! Whether two sentences that mean alike say the same: by their words.

use crate::text::{Words, split};

/// English words that turn a sentence around.
const NEGATIONS: &[&str] =
    &["neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "quit", "stopped", "without"];

/// How what is new stands to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// All of it is in what is there.
    NothingNew,
    /// It has all of what is there, and more.
    SaysMore,
    /// One of them denies what the other says.
    Opposite,
    /// Other words.
    Reworded,
    /// The same words in another order, or other numbers: two things.
    Different,
}

/// What a sentence says, as far as words tell.
#[derive(Debug)]
pub(super) struct Said {
    terms: Vec<String>,
    numbers: Vec<String>,
    negations: usize,
}

impl Said {
    pub(super) fn read(words: &Words, text: &str) -> Self {
        // Before it is split, for the apostrophe would part `doesn` from `t`.
        let text =
            text.replace('\u{2019}', "'").to_lowercase().replace("cannot", "can not").replace("n't", " not");
        let mut said = Self { terms: Vec::new(), numbers: Vec::new(), negations: 0 };
        for word in split(&text) {
            if NEGATIONS.contains(&word.as_str()) {
                said.negations += 1;
            } else if !words.is_stop(&word) {
                if word.chars().any(char::is_numeric) {
                    said.numbers.push(word.clone());
                }
                said.terms.push(words.stem(&word));
            }
        }
        said
    }

    pub(super) fn beside(&self, there: &Self) -> Relation {
        if self.terms.is_empty() || there.terms.is_empty() {
            return Relation::Different;
        }
        if self.negations % 2 != there.negations % 2 {
            return Relation::Opposite;
        }
        // In order: "Ann is taller than Bob" has the words of "Bob is taller than Ann".
        if within(&self.terms, &there.terms) {
            return Relation::NothingNew;
        }
        if within(&there.terms, &self.terms) {
            return Relation::SaysMore;
        }
        let sorted = |terms: &[String]| {
            let mut terms = terms.to_vec();
            terms.sort();
            terms
        };
        // "Flight 12 goes at 10" and "Flight 14 goes at 10" are as close as can be.
        if self.numbers != there.numbers || sorted(&self.terms) == sorted(&there.terms) {
            return Relation::Different;
        }
        Relation::Reworded
    }
}

/// Whether some terms are in others, in this order.
fn within(inner: &[String], outer: &[String]) -> bool {
    let mut outer = outer.iter();
    inner.iter().all(|term| outer.any(|other| other == term))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_more_from_other_and_other_from_opposite() {
        let words = Words::english();
        for (new, there, relation) in [
            ("Ann likes tea", "Ann likes green tea", Relation::NothingNew),
            ("Ann likes green teas.", "Ann likes tea", Relation::SaysMore),
            ("Ann doesn\u{2019}t like tea", "Ann likes tea", Relation::Opposite),
            ("Ann no longer likes tea", "Ann likes tea", Relation::Opposite),
            ("Ann stopped smoking", "Ann smokes", Relation::Opposite),
            ("Ann is fond of tea", "Ann likes tea", Relation::Reworded),
            ("Bob is taller than Ann", "Ann is taller than Bob", Relation::Different),
            ("Flight 14 goes at 10", "Flight 12 goes at 10", Relation::Different),
            ("It is", "Ann likes tea", Relation::Different),
        ] {
            let relate = Said::read(&words, new).beside(&Said::read(&words, there));
            assert_eq!(relate, relation, "{new} / {there}");
        }
    }
}
