//! Memory for Mosaic: texts as vectors, and recall that is hybrid and explains itself.
//!
//! An agent that has talked for months cannot put all of it into a prompt. What it needs is a handful of old turns that
//! bear on the question at hand, and a reason why these.
//!
//! ```text
//! question ──> embedder ──> vector ─┐
//!     │                             ├─> store: candidates, with a raw score of each arm
//!     └─────────────> words ────────┘      │
//!                                          └─> recall: normalise, weigh, add ──> hits with an explanation ──> text
//! ```
//!
//! * `agent_log` (feature `agent-log`): agent logs in tiers, hot, warm and cold.
//! * [`embed`]: embedders that run here (hashing, MiniLM), and what any embedder gains by a cache and by tries.
//! * [`recall`]: candidates of a store become ranked hits.
//! * `session_archive` (feature `agent-log`): whole logs of old sessions to an archive, and back.
//! * [`text`]: words, stop words and stems.
//! * [`upkeep`]: jobs that keep memories in order.
//! * [`mod@write`]: what was said becomes memories; tools for agents.
//! * [`mod@summary`]: what was said becomes shorter, and each claim names what it rests on; episodes of sessions.
//! * [`agent`]: an agent that remembers by itself: recall before a run, learning after it.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod agent;
#[cfg(feature = "agent-log")]
pub mod agent_log;
mod ask;
pub mod embed;
mod id;
pub mod recall;
#[cfg(feature = "agent-log")]
pub mod session_archive;
pub mod summary;
pub mod text;
pub mod upkeep;
pub mod write;

/// The examples of the page about summaries are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/summaries.md")]
struct SummariesPage;
