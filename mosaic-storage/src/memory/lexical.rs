//! Which words are in which memories.

use std::collections::HashMap;
use std::fmt;

use rust_stemmers::Stemmer;

use super::push_tight;
use super::words::{self, Side};

/// A word that says nothing.
const SILENT: u32 = u32::MAX;

/// The docs that a word is in, in their order.
#[derive(Debug, Default)]
pub(super) struct Postings {
    pub(super) docs: Vec<u32>,
    /// Counts of more than 255 are 255: one word more makes no difference there.
    pub(super) counts: Vec<u8>,
}

/// The words of a part.
pub(crate) struct Lexical {
    stemmer: Stemmer,
    /// Words as they stand in texts, and their stems; both lead to a number.
    words: HashMap<Box<str>, u32>,
    stems: HashMap<Box<str>, u32>,
    postings: Vec<Postings>,
    /// Words of a doc.
    lengths: Vec<u16>,
    /// Words of all docs.
    total: u64,
    docs: u64,
}

impl fmt::Debug for Lexical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lexical")
            .field("docs", &self.docs)
            .field("stems", &self.stems.len())
            .finish_non_exhaustive()
    }
}

impl Default for Lexical {
    fn default() -> Self {
        Self {
            stemmer: words::stemmer(),
            words: HashMap::new(),
            stems: HashMap::new(),
            postings: Vec::new(),
            lengths: Vec::new(),
            total: 0,
            docs: 0,
        }
    }
}

impl Lexical {
    /// Adds a doc: the next one.
    pub(crate) fn add(&mut self, doc: u32, text: &str) {
        let mut found = Vec::new();
        words::each_word(text, Side::Stored, |word| {
            let term = match self.words.get(word) {
                Some(term) => *term,
                None => {
                    let term = match words::stem(word, &self.stemmer) {
                        None => SILENT,
                        Some(stem) => {
                            let next = u32::try_from(self.stems.len()).unwrap_or(SILENT);
                            *self.stems.entry(stem.into()).or_insert(next)
                        }
                    };
                    self.words.insert(word.into(), term);
                    term
                }
            };
            if term != SILENT {
                found.push(term);
            }
        });
        self.postings.resize_with(self.stems.len(), Postings::default);
        let length = u16::try_from(found.len()).unwrap_or(u16::MAX);
        found.sort_unstable();
        for run in found.chunk_by(|a, b| a == b) {
            if let Some(postings) = run.first().and_then(|term| self.postings.get_mut(*term as usize)) {
                push_tight(&mut postings.docs, doc);
                push_tight(&mut postings.counts, u8::try_from(run.len()).unwrap_or(u8::MAX));
            }
        }
        push_tight(&mut self.lengths, length);
        self.total += u64::from(length);
        self.docs += 1;
    }

    /// An index of which only some words and docs are there, as a database found them; so many docs and words there are in all.
    #[cfg(feature = "postgres")]
    pub(crate) fn found(docs: u64, total: u64) -> Self {
        Self { docs, total, ..Self::default() }
    }

    /// The next doc of such an index: how many words it has.
    #[cfg(feature = "postgres")]
    pub(crate) fn push_length(&mut self, length: u16) {
        self.lengths.push(length);
    }

    /// All docs that a stem is in, and how often.
    #[cfg(feature = "postgres")]
    pub(crate) fn put_postings(&mut self, stem: &str, docs: Vec<u32>, counts: Vec<u8>) {
        let term = u32::try_from(self.postings.len()).unwrap_or(SILENT);
        self.stems.insert(stem.into(), term);
        self.postings.push(Postings { docs, counts });
    }

    /// The stems of a text with their counts, and how many words it has: what `add` would index of it.
    #[cfg(feature = "postgres")]
    pub(crate) fn terms(text: &str) -> (Vec<(String, u8)>, u16) {
        let (mut found, stemmer) = (Vec::new(), words::stemmer());
        words::each_word(text, Side::Stored, |word| found.extend(words::stem(word, &stemmer)));
        let length = u16::try_from(found.len()).unwrap_or(u16::MAX);
        found.sort_unstable();
        let runs = found.chunk_by(|a, b| a == b);
        let count = |run: &[String]| Some((run.first()?.clone(), u8::try_from(run.len()).unwrap_or(u8::MAX)));
        (runs.filter_map(count).collect(), length)
    }

    /// The stems of a question, each once.
    pub(crate) fn question(text: &str) -> Vec<String> {
        let (mut stems, stemmer) = (Vec::new(), words::stemmer());
        words::each_word(text, Side::Asked, |word| {
            if let Some(stem) = words::stem(word, &stemmer)
                && !stems.contains(&stem)
            {
                stems.push(stem);
            }
        });
        stems
    }

    pub(super) fn of(&self, stem: &str) -> Option<&Postings> {
        self.postings.get(*self.stems.get(stem)? as usize)
    }

    /// So many words a doc has.
    pub(super) fn length(&self, doc: u32) -> f32 {
        self.lengths.get(doc as usize).copied().map_or(0.0, f32::from)
    }

    /// So many docs there are, and so many words they have together.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.docs, self.total)
    }

    pub(crate) fn bytes(&self) -> usize {
        let names = |map: &HashMap<Box<str>, u32>| {
            map.capacity() * (size_of::<(Box<str>, u32)>() + 1)
                + map.keys().map(|key| key.len()).sum::<usize>()
        };
        let postings: usize = self
            .postings
            .iter()
            .map(|one| one.docs.capacity() * size_of::<u32>() + one.counts.capacity())
            .sum();
        names(&self.words)
            + names(&self.stems)
            + postings
            + self.postings.capacity() * size_of::<Postings>()
            + self.lengths.capacity() * size_of::<u16>()
    }
}
