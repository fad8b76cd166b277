//! Writing: what was said becomes memories, and what is known stays true.
//!
//! A store takes what it is given. Given every "I moved to Oslo" of a year it holds ten homes, and an agent that recalls three of
//! them. Somebody must find what is worth keeping, see what is there already, and decide; and must be able to say why.
//!
//! ```text
//! turn ──> Redactor ──> Extractor ──> drafts ──> Redactor ──> vectors, those near ──> reconcile ──> MemoryStore::apply
//!                          │                                                           │                all or none
//!                          └─ RulesExtractor: English, no model                        └─ a Decision a draft, with its reason
//!                             ModelExtractor: any ChatModel, structured output
//! ```
//!
//! | a draft is | when | and what was there |
//! | --- | --- | --- |
//! | added | nothing like it is there | stays |
//! | merged | it says what is there, and more | is closed |
//! | superseding | it contradicts what is there, and is newer | ends when it begins; stays so for the time before |
//! | strengthening | it is there already | counts one more use |
//! | dropped | it is unsure, refused, or contradicts what is surer | stays |
//!
//! The reason of what is stored is kept with it, in its metadata under [`WRITTEN`]. [`mod@reconcile`] has the rules, and
//! [`tools`] what an
//! agent can do itself.
//!
//! Recall for a prompt says the time, with [`RecallRequest::now`](crate::recall::RecallRequest::now): without it, what was so
//! before is found too.
//!
//! # A second session knows what the first one learned
//!
//! ```
//! use std::sync::Arc;
//! use mosaic_core::memory::Scope;
//! use mosaic_core::testing::TestRuntime;
//! use mosaic_core::{Runtime, Seq};
//! use mosaic_memory::embed::HashingEmbedder;
//! use mosaic_memory::recall::{Recall, RecallOptions, RecallRequest};
//! use mosaic_memory::write::{Action, Message, RulesExtractor, Speaker, Turn, Writer, WriterOptions};
//! use mosaic_storage::RamStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, embedder) = (Arc::new(RamStore::new().memories()), Arc::new(HashingEmbedder::new(256)));
//! let runtime = Arc::new(TestRuntime::new(1));
//! let writer = Writer::new(store.clone(), embedder.clone(), runtime.clone(), WriterOptions::default());
//! let ann = Scope::of("acme").user("ann");
//! let says = |session: &str, text: &str| {
//!     let said = Message { seq: Seq(2), speaker: Speaker::User, text: text.into(), at: runtime.now() };
//!     Turn::new(session, vec![said])
//! };
//!
//! let report = writer.write(&ann, says("monday", "I prefer tea for breakfast."), &RulesExtractor).await?;
//! assert_eq!(report.decisions[0].action, Action::Add);
//!
//! // Another session, another day: what is so now?
//! let recall = Recall::new(store.clone(), embedder, RecallOptions::default());
//! let breakfast = |now| {
//!     RecallRequest::new(ann.clone(), "What would she like for breakfast?").now(now).budget(200)
//! };
//! let monday = runtime.now();
//! assert_eq!(recall.recall(&breakfast(monday)).await?.text(), "- breakfast: tea\n");
//!
//! // She changes her mind. What was so before is still there for those who ask.
//! runtime.advance(std::time::Duration::from_secs(86_400)).await;
//! let report = writer.write(&ann, says("tuesday", "I prefer coffee for breakfast."), &RulesExtractor).await?;
//! assert_eq!(report.to_string(), "supersede `breakfast: coffee`: the preference has another value now\n");
//! assert_eq!(recall.recall(&breakfast(runtime.now())).await?.text(), "- breakfast: coffee\n");
//! assert_eq!(recall.recall(&breakfast(monday)).await?.text(), "- breakfast: tea\n");
//! # Ok(())
//! # }
//! ```

mod by_hand;
mod decision;
mod draft;
mod error;
mod extractor;
mod model;
pub mod reconcile;
mod redact;
mod rules;
#[cfg(test)]
mod tests;
pub mod tools;
mod writer;

pub use by_hand::BlockPut;
pub use decision::{Action, Decision, Reason};
pub use draft::{Draft, DraftBody, Message, Speaker, Turn, normalise};
pub use error::WriteError;
pub use extractor::{ExtractError, Extraction, Extractor, Nonsense};
pub use model::ModelExtractor;
pub use reconcile::{ReconcileOptions, reconcile};
pub use redact::{PatternRedactor, Redacted, Redactor};
pub use rules::RulesExtractor;
pub use writer::{WriteReport, Writer, WriterOptions};

/// Under this name a memory's metadata tell what wrote it, and why: `{"action": "supersede", "reason": "..."}`.
pub const WRITTEN: &str = "mosaic.written";
