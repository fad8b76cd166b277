//! Model providers for Mosaic: pure codecs of wire APIs, and an HTTP transport.
//!
//! ```text
//! anthropic, bedrock,      Codec + Decoder of mosaic-core: requests to bytes, bytes to events. No socket, no clock.
//!   cohere, gemini, ollama,
//!   openai_chat (Mistral's API too),
//!   openai_responses
//! wire                     what they share: framing, lenient JSON, parts, errors
//! embeddings               codecs of embeddings, and who speaks which
//! sse, event_stream        one parser of server-sent events, one of AWS's binary event stream
//! sigv4                    AWS's signature of a request, as an Authenticator
//! catalogue                what is known of models: windows, abilities, prices
//! credentials              keys from a host's function, tokens of an authority: renewed in time, once for all
//! count                    tokens of a request, by the provider's own call or its tokenizer
//! endpoint                 known providers as a table: base URL, key variable, auth scheme, codec, quirks
//! validity                 whether a provider takes a request, for tests (feature `testing`)
//! transport                HttpTransport over reqwest (feature `reqwest`)
//! ```
//!
//! Differences between the servers of one API are data (`Quirks`), never a second code path for a provider.
//!
//! # What stands beside an answer
//! Sources and the like have no place in a text. They are kept as a [`Part::Provider`](mosaic_core::Part::Provider) behind
//! the text that they are about, in the provider's own form, and go back to their origin where it takes them:
//!
//! | kind | of | goes back |
//! | --- | --- | --- |
//! | `citations`, a list | Anthropic, Bedrock, Cohere | on its text |
//! | `annotations`, a list | OpenAI (Responses) | on its text |
//! | `phase`, a word | OpenAI (Responses) | in its message |
//! | `annotations`, `citations`, `search_results`, `moderation`, what a filter found | servers of Chat Completions | no server takes it |
//! | `reference` | Mistral | no |
//! | `groundingMetadata`, `citationMetadata`, `urlContextMetadata` | Gemini | the API takes it in no request |
//! | `tool_plan` | Cohere | beside its calls |
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod anthropic;
pub mod bedrock;
pub mod catalogue;
pub mod cohere;
pub mod count;
pub mod credentials;
pub mod embeddings;
pub mod endpoint;
pub mod event_stream;
pub mod gemini;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;
pub mod sigv4;
pub mod sse;
pub mod transport;
#[cfg(feature = "testing")]
pub mod validity;
mod wire;
