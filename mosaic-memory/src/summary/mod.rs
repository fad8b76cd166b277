//! Summaries: who makes them, and the job that makes episodes of what was said.
//!
//! What a summary is, and why each of its claims names the entries that it rests on, says [`mosaic_core::summary`]. Here are those
//! who make them:
//!
//! | summariser | needs | says |
//! | --- | --- | --- |
//! | [`ModelSummarizer`] | any [`ChatModel`](mosaic_core::ChatModel) | sentences of its own; asked again when a citation is wrong |
//! | [`ExtractiveSummarizer`] | nothing | the sentences that stand for the others, as they were said |
//! | [`FnSummarizer`] | a function of the host's | what it likes, checked as well |
//!
//! And the job, [`SessionSummaries`], which a host adds to its [`Queue`](mosaic_core::queue::Queue):
//!
//! ```text
//! run ends ──> job `session.summarize` ──> log ── what no episode stands for yet ──> Redactor ──> Summarizer ──> Redactor
//!                                                                                                      │
//!                 Memory (Episode): claims, span, source, vector  <── all or none, ids of the span ────┘
//!                 Memory (Episode): the whole session, rolled on
//! ```
//!
//! ```
//! use mosaic_core::summary::{Passage, Summarizer, SummaryRequest, SummaryUse, Who};
//! use mosaic_core::{Seq, Timestamp};
//! use mosaic_memory::summary::ExtractiveSummarizer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mosaic_core::summary::SummaryError> {
//! let said = [
//!     "The ferry to Oslo leaves Kiel at two in the afternoon. Thanks!",
//!     "Is the ferry from Kiel to Oslo in the afternoon cheaper than the train to Oslo?",
//!     "Nice weather, by the way.",
//! ];
//! let passage = |(seq, text): (u64, &str)| Passage { seq: Seq(seq), who: Who::User, text: text.into(), at: Timestamp(seq) };
//! let passages = (3..).zip(said).map(passage).collect();
//! let request = SummaryRequest::new(passages, SummaryUse::Episode).max_tokens(20);
//!
//! let summary = ExtractiveSummarizer::default().summarize(&request).await?;
//! assert_eq!(summary.text(), "- User: The ferry to Oslo leaves Kiel at two in the afternoon.");
//! assert_eq!(summary.claims[0].cites, [Seq(3)]);
//! # Ok(())
//! # }
//! ```

mod episode;
mod extractive;
mod graph;
mod job;
mod model;
mod runs;
mod sentence;
mod session;
mod work;

pub use episode::{SUMMARY, summary_of};
pub use extractive::ExtractiveSummarizer;
pub use job::{SUMMARIZE, SummarizeSession, SummarizeWhen, SummaryJobError};
pub use model::ModelSummarizer;
pub use mosaic_core::summary::FnSummarizer;
pub use session::{SessionSummaries, SessionSummaryOptions, Summarized};
