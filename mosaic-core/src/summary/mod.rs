//! Summaries: what was said, shorter, and each claim with the entries that it rests on.
//!
//! A summary that cannot be checked is a rumour: a model that writes "the user approved the payment" may have read it, or
//! made it up, and whoever reads the summary later cannot tell. So a [`Summary`] is a list of [`Claim`]s, each of which names
//! the entries of the log that it follows from. What cites nothing, or what is not there, is refused.
//!
//! ```text
//! log ── path ──> passages ──> Summarizer ──> claims ── check ──> an episode, a session's summary, a compaction
//!          │                       ▲                                                        ▲
//!          │        earlier ───────┘ (to roll on)                                           │
//!          └──────────────────────────> Facts: tasks, effects, decisions, resources, as data ┘
//! ```
//!
//! | word | meaning |
//! | --- | --- |
//! | [`Passage`] | an entry as a summariser sees it: who, what, when; calls and results shortened |
//! | [`Claim`] | a sentence, and the entries that it rests on |
//! | [`Facts`] | what must survive word for word: derived from the log by code, never by a model |
//! | [`Compaction`] | how an agent keeps long conversations within its model's window |
//!
//! # An example
//!
//! ```
//! use mosaic_core::summary::{Claim, FnSummarizer, Passage, Summarizer, Summary, SummaryRequest, SummaryUse, Who};
//! use mosaic_core::{Seq, Timestamp};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mosaic_core::summary::SummaryError> {
//! let said = Passage { seq: Seq(3), who: Who::User, text: "We meet on Friday.".into(), at: Timestamp(0) };
//! let request = SummaryRequest::new(vec![said], SummaryUse::Episode);
//!
//! // A summariser of the host's: this one knows what the user will say.
//! let summarizer = FnSummarizer::new(async |_request: SummaryRequest| {
//!     Ok(Summary::new(vec![Claim::new("They meet on Friday.", [Seq(3)])]))
//! });
//! let summary = summarizer.summarize(&request).await?;
//! request.check(&summary)?;
//! assert_eq!(summary.text(), "- They meet on Friday.");
//!
//! let invented = Summary::new(vec![Claim::new("They meet on Monday.", [Seq(9)])]);
//! let error = request.check(&invented).unwrap_err();
//! assert_eq!(error.to_string(), "claim 1 cites entry 9, which is none of the passages; cite what is there");
//! # Ok(())
//! # }
//! ```

mod check;
mod claim;
mod compaction;
#[cfg(feature = "testing")]
pub mod conformance;
mod error;
mod facts;
mod function;
mod passage;
mod request;
mod resource;

pub use check::{CitationError, Flaw};
pub use claim::{Claim, Summary};
pub use compaction::{CompactAt, Compaction, CompactionError};
pub use error::SummaryError;
pub use facts::{DecisionFact, EffectFact, Facts, Task, TaskState};
pub use function::FnSummarizer;
pub use passage::{Passage, PassageOptions, Who, passages, shorten};
pub use request::{Summarizer, SummaryRequest, SummaryUse};
pub use resource::Resource;
