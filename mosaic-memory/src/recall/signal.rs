//! What speaks for a memory, one thing at a time.

use std::fmt;

/// What speaks for a memory (or, with a weight below 0, against it). Each is a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Its words match the question's, as a share of the best match.
    Words,
    /// How far up it is by its words.
    WordsRank,
    /// It and its neighbours, read as one text, match the question's words; as a share of the best match.
    Window,
    /// Its vector is like the question's; 1 for the most alike candidate, 0 for the least.
    Meaning,
    /// How far up it is by its vector.
    MeaningRank,
    /// So much of what the question asks about it names itself; rare words count for more.
    Coverage,
    /// So much of it is named by it and the two turns before and after.
    CoverageAround,
    /// The question names who said it (and not everybody).
    Speaker,
    /// The question asks when, and it speaks of a time.
    Time,
    /// It asks something itself.
    Asks,
    /// It answers a turn that asks something, and that matches the question.
    Reply,
    /// The best turns of its conversation match the question.
    Conversation,
    /// It is new. Counts only where the host gives it a weight.
    Recency,
    /// Its writer called it important. Counts only where the host gives it a weight.
    Importance,
}

/// How many there are.
pub(super) const SIGNALS: usize = Signal::ALL.len();

impl Signal {
    /// All of them.
    pub const ALL: &'static [Signal] = &[
        Self::Words,
        Self::WordsRank,
        Self::Window,
        Self::Meaning,
        Self::MeaningRank,
        Self::Coverage,
        Self::CoverageAround,
        Self::Speaker,
        Self::Time,
        Self::Asks,
        Self::Reply,
        Self::Conversation,
        Self::Recency,
        Self::Importance,
    ];

    /// Its name, as explanations show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::WordsRank => "words_rank",
            Self::Window => "window",
            Self::Meaning => "meaning",
            Self::MeaningRank => "meaning_rank",
            Self::Coverage => "coverage",
            Self::CoverageAround => "coverage_around",
            Self::Speaker => "speaker",
            Self::Time => "time",
            Self::Asks => "asks",
            Self::Reply => "reply",
            Self::Conversation => "conversation",
            Self::Recency => "recency",
            Self::Importance => "importance",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number a signal: what was measured, or what it weighs.
#[derive(Clone, Copy, PartialEq)]
pub struct Signals([f64; SIGNALS]);

impl Signals {
    /// All 0.
    pub const NONE: Signals = Signals([0.0; SIGNALS]);

    pub(super) const fn of(numbers: [f64; SIGNALS]) -> Self {
        Self(numbers)
    }

    /// The number of a signal.
    #[must_use]
    pub fn get(&self, signal: Signal) -> f64 {
        self.0.get(signal as usize).copied().unwrap_or(0.0)
    }

    /// Sets the number of a signal. What is not finite counts as 0.
    pub fn set(&mut self, signal: Signal, to: f64) {
        if let Some(number) = self.0.get_mut(signal as usize) {
            *number = if to.is_finite() { to } else { 0.0 };
        }
    }

    /// With another number of a signal.
    #[must_use]
    pub fn with(mut self, signal: Signal, to: f64) -> Self {
        self.set(signal, to);
        self
    }

    /// Each signal and its number.
    pub fn iter(&self) -> impl Iterator<Item = (Signal, f64)> + '_ {
        Signal::ALL.iter().copied().zip(self.0)
    }
}

impl Default for Signals {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().filter(|(_, number)| *number != 0.0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_place_and_a_name_of_its_own() {
        for (place, signal) in Signal::ALL.iter().enumerate() {
            assert_eq!(*signal as usize, place);
            assert_eq!(Signal::ALL.iter().filter(|other| other.name() == signal.name()).count(), 1);
        }
    }
}
