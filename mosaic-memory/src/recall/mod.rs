//! Recall: which memories bear on a question, and why.
//!
//! A store finds candidates in several ways (by words, by words with neighbours, by vectors), and each way has a score of
//! its own size. On conversations none of them is good alone, and adding up ranks, as most do, is worse than words
//! alone. What is missing is what a reader sees at once: the answer stands beside the question that shares its words;
//! somebody is named; a question that asks *when* wants a time.
//!
//! ```text
//! candidates ──> signals, each from 0 to 1 ──> times a weight, added up ──> ranked hits ──> as many as there is room for
//!                  words, meaning, window, coverage, speaker, reply, ...        │
//!                                                                               └─ each with the shares of its signals
//! ```
//!
//! | signal | in one line |
//! | --- | --- |
//! | `words`, `words_rank` | BM25 of the store; as a share of the best, and by rank |
//! | `window` | the same of it and its neighbours read as one text |
//! | `meaning`, `meaning_rank` | the cosine of its vector and the question's, likewise |
//! | `coverage`, `coverage_around` | how much of what is asked about it names, alone and with two turns on either side |
//! | `speaker` | the question names who said it |
//! | `time` | the question asks when, and it speaks of a time |
//! | `asks` | it is a question itself (speaks against it) |
//! | `reply` | it answers a question that matches |
//! | `conversation` | how well the best turns of its conversation match |
//! | `recency`, `importance` | off until the host gives them a (small) weight |
//!
//! Everything here is pure but [`Recall`], which asks an embedder and a store.

mod error;
mod facade;
mod measure;
mod pool;
mod question;
mod rank;
mod recalled;
mod signal;
mod strategy;

pub use error::RecallError;
pub(crate) use facade::owner;
pub use facade::{Recall, RecallOptions, RecallRequest, WithoutVectors, embed_memories};
pub use question::Question;
pub use rank::{Hit, Ranking, Share, rank};
pub use recalled::Recalled;
pub use signal::{Signal, Signals};
pub use strategy::{ReciprocalRank, Strategy};
