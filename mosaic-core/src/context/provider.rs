//! What the model is told beyond the conversation, before a run's first model call.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::error::ErrorReport;
use crate::id::{RunId, Seq, SessionKey};
use crate::message::{Group, GroupBody, Part};
use crate::runtime::Timestamp;

/// Knows something that the model should know before it answers: memories, documents, what the host sees on its screen.
///
/// It is asked once a run, after the input is durable and before the model is. What it gives is written into the log, so a run
/// that is resumed or replayed sees the same. A provider that fails, or takes longer than its
/// [`timeout`](Self::timeout), is left out, and the log says why: the run goes on.
///
/// ```
/// use mosaic_core::context::{ContextProvider, ContextRequest, Provided};
/// use mosaic_core::{Agent, ErrorReport, Part};
///
/// #[derive(Debug)]
/// struct House;
///
/// #[async_trait::async_trait]
/// impl ContextProvider for House {
///     async fn provide(&self, request: &ContextRequest) -> Result<Provided, ErrorReport> {
///         if request.shown.contains("house:rules") {
///             return Ok(Provided::default()); // the conversation still has it
///         }
///         Ok(Provided { parts: vec![Part::text("No shoes in the house.")], shows: vec!["house:rules".into()] })
///     }
/// }
///
/// let agent = Agent::builder("butler").model("openai:gpt-4o-mini").context(House).build()?;
/// # Ok::<(), mosaic_core::AgentError>(())
/// ```
#[async_trait::async_trait]
pub trait ContextProvider: Debug + Send + Sync {
    /// What the model should know. Dropped when the run is cancelled.
    ///
    /// # Errors
    /// Whatever went wrong; it is written into the log and shown to the host, not to the model.
    async fn provide(&self, request: &ContextRequest) -> Result<Provided, ErrorReport>;

    /// After so long it is not waited for any more. 10 s.
    fn timeout(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// What a provider is told of the run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ContextRequest {
    /// The session.
    pub session: SessionKey,
    /// Whose session it is, where the host said so.
    pub user: Option<Arc<str>>,
    /// The agent.
    pub agent: Arc<str>,
    /// The run.
    pub run: RunId,
    /// The entry that began the run.
    pub input: Seq,
    /// The conversation, the input last.
    pub conversation: Arc<Vec<Arc<Group>>>,
    /// From this entry on the model sees what was said; of what was said before it sees a summary, if anything.
    pub seen_from: Seq,
    /// What earlier contexts have shown and the model still sees.
    pub shown: Arc<BTreeSet<Arc<str>>>,
    /// When the provider's time is over.
    pub deadline: Timestamp,
}

impl ContextRequest {
    /// The text of the input that began the run.
    #[must_use]
    pub fn text(&self) -> String {
        let Some(GroupBody::User { parts }) = self.conversation.last().map(|group| group.body()) else {
            return String::new();
        };
        let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
        texts.join("\n")
    }
}

/// What a provider knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Provided {
    /// What the model sees, before the input. Nothing: nothing.
    pub parts: Vec<Part>,
    /// What that shows, by names of the provider's own (`memory:0190...`), so that it need not show it again as long as the
    /// model sees it.
    pub shows: Vec<Arc<str>>,
}
