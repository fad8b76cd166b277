//! The wire APIs over which D (a streamed chunk) and F (a turn over 2,000 messages) are run.
//!
//! ```text
//!            model = "stream:20000"                    first, chunk, chunk, chunk, ..., last
//! library ─── Api::codec ──> POST ...Api::path... ──> mock ─── Api::script ──> library
//! ```
//!
//! # One more API
//! Write a file beside this one with an [`Api`]: its codec, a piece of its path that no other API has, the type of its
//! answers, and its [`Script`], the answer as bytes of the wire: what comes before the text, one chunk of
//! [`WORD`](crate::mock::WORD), and what comes after, with a usage of one output token a chunk. Add it to [`APIS`]. The workloads
//! `D-name` and `F-name`, the mock's answers, the gates and their tests follow from that.
//!
//! The floor is the one of D and F: by hand, over Chat Completions. What an API costs more than it is partly its own doing
//! (longer events), so its limit is the ratio to that floor and four allocations a chunk.

mod anthropic;
mod bedrock;
mod cohere;
mod gemini;
mod ollama;
mod openai_chat;
mod openai_responses;

use std::sync::Arc;

use bytes::Bytes;
use mosaic_core::Codec;

/// A wire API.
#[derive(Debug)]
pub struct Api {
    /// Its name, as its codec says it.
    pub name: &'static str,
    /// The names of its D and its F.
    pub workloads: (&'static str, &'static str),
    /// Its codec.
    pub codec: fn() -> Arc<dyn Codec>,
    /// What only its requests have in their path, in lower case.
    pub path: &'static str,
    /// The type of its answers.
    pub content_type: &'static str,
    /// An answer of so many chunks of a model of that name.
    pub script: fn(model: &str, chunks: usize) -> Script,
}

/// A streamed answer: some pieces, one piece repeated, some pieces.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    /// Before the text.
    pub first: Vec<Bytes>,
    /// A chunk of text, and how often it comes.
    pub repeated: (Bytes, usize),
    /// After the text.
    pub last: Vec<Bytes>,
}

/// Every API; the first is the one of all other workloads.
pub static APIS: &[Api] = &[
    openai_chat::API,
    anthropic::API,
    bedrock::API,
    cohere::API,
    gemini::API,
    ollama::API,
    openai_responses::API,
];

impl Api {
    /// The API of all other workloads.
    #[must_use]
    pub fn first() -> &'static Self {
        &openai_chat::API
    }

    /// The API that a path belongs to.
    #[must_use]
    pub fn of_path(path: &str) -> Option<&'static Self> {
        APIS.iter().find(|api| path.contains(api.path))
    }
}

impl Script {
    /// Of texts.
    pub(crate) fn of_texts(
        first: impl IntoIterator<Item = String>,
        repeated: (String, usize),
        last: impl IntoIterator<Item = String>,
    ) -> Self {
        let bytes = |texts: Vec<String>| texts.into_iter().map(Bytes::from).collect();
        let (piece, count) = repeated;
        Self {
            first: bytes(first.into_iter().collect()),
            repeated: (piece.into(), count),
            last: bytes(last.into_iter().collect()),
        }
    }

    /// All pieces, each as often as the number beside it says.
    #[must_use]
    pub fn pieces(self) -> Vec<(Bytes, usize)> {
        let once = |piece| (piece, 1);
        self.first
            .into_iter()
            .map(once)
            .chain([self.repeated])
            .chain(self.last.into_iter().map(once))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use mosaic_core::{Delivery, ModelEvent, ModelInfo, Origin, Profile};

    use super::*;
    use crate::mock::WORD;

    #[test]
    fn what_the_mock_says_is_what_the_codec_reads() {
        for api in APIS {
            let codec = (api.codec)();
            assert_eq!(codec.api(), api.name);
            let origin = Origin { api: api.name.into(), provider: "mock".into(), model: "m".into() };
            let profile = Profile { origin, info: ModelInfo::new("mock", "m") };
            let mut decoder = codec.decoder(&profile, Delivery::Streamed);
            let (mut events, mut deltas) = (Vec::new(), 0);
            for (piece, count) in (api.script)("m", 5).pieces() {
                for _ in 0..count {
                    decoder.push(&piece, &mut events).unwrap();
                }
            }
            decoder.finish(&mut events).unwrap();
            for event in &events {
                match event {
                    ModelEvent::Text { delta, .. } => {
                        assert_eq!(delta, WORD);
                        deltas += 1;
                    }
                    ModelEvent::Done(end) => assert_eq!(end.usage.output, 5, "{}", api.name),
                    _ => {}
                }
            }
            assert_eq!(deltas, 5, "{}", api.name);
        }
    }

    #[test]
    fn a_path_belongs_to_one_api() {
        for api in APIS {
            assert_eq!(APIS.iter().filter(|other| other.path.contains(api.path)).count(), 1, "{}", api.name);
            assert_eq!(Api::of_path(&format!("/v1{}", api.path)).unwrap().name, api.name);
        }
        assert!(Api::of_path("/stats").is_none());
    }
}
