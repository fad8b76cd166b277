//! Real HTTP exchanges, written down once and answered from the file ever after.
//!
//! Tests of an agent against a real provider are slow, cost money, need a key and never say the same twice; a hand-written
//! fake says what its author believed. A recording is what the provider really said, piece by piece, and a replay checks
//! what is asked as well as it answers:
//!
//! ```text
//! once:   HttpModel ──> Recorder ──> your transport ──> provider
//!                          └── exchanges.jsonl (scrubbed: no key is in it)
//! then:   HttpModel ──> Replayer <── exchanges.jsonl       offline; another request is an error that says where it differs
//! ```
//!
//! A line is an [`Exchange`]: the request, and how it was answered, with the pieces of the body as they came. An exchange
//! that broke or was cancelled is recorded as that, and is replayed so: a broken one breaks at the same place, a cancelled
//! one stands still where its reader went away.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mosaic_core::testing::{Reply, ScriptedTransport}; // in place of a real transport
//! use mosaic_core::transport::record::{Recorder, Replayer, Scrub};
//! use mosaic_core::{HttpRequest, HttpTransport};
//!
//! # let file = std::env::temp_dir().join(format!("mosaic-doc-{}.jsonl", std::process::id()));
//! let request = |body: &'static str| {
//!     let mut request = HttpRequest { url: "https://host/v1/chat".into(), body: vec![body.into()], ..Default::default() };
//!     request.headers.push_secret("authorization", "Bearer sk-very-secret");
//!     request
//! };
//! let real = ScriptedTransport::new([Reply::ok("Hello")]);
//! let recorder = Recorder::create(real, &file, Scrub::default())?;
//! let answer = recorder.send(request("{\"model\":\"m\"}")).await?;
//! drop(answer); // its reader went away: cancelled, and recorded as that
//! recorder.close()?;
//! assert!(!std::fs::read_to_string(&file)?.contains("sk-very-secret"));
//!
//! let replayer = Replayer::open(&file)?;
//! let error = replayer.send(request("{\"model\":\"n\"}")).await.unwrap_err();
//! assert!(error.to_string().contains("at `/model` \"m\" was recorded and \"n\" is there now"));
//! assert!(replayer.done().is_err(), "an exchange was not used");
//! # std::fs::remove_file(&file)?;
//! # Ok(())
//! # }
//! ```

mod compare;
mod exchange;
mod find;
mod recorder;
mod replayer;
mod scrub;
#[cfg(all(test, feature = "testing"))]
mod tests;

pub use compare::RequestMismatch;
pub use exchange::{
    Exchange, RecordedAnswer, RecordedBody, RecordedEnd, RecordedError, RecordedPiece, RecordedRequest,
};
pub(crate) use find::MASK;
pub use find::Secrets;
pub use recorder::Recorder;
pub use replayer::{Order, ReplayError, Replayer};
pub use scrub::Scrub;
