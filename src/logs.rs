//! The agent logs of a Mosaic.

use std::sync::Arc;

use mosaic_core::agent_log::AgentLogStore;
use mosaic_core::queue::Handler;
use mosaic_core::{Archive, Runtime, SessionStore};
use mosaic_memory::agent_log::{AgentLog, RecordHandler, TierHandler, TierPolicy};

/// What a [`Mosaic`](crate::Mosaic) keeps of what its agents did, as rows of figures and names: every run, model call, tool call, cost
/// and error. Rows that grow old move to an archive.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use mosaic::testing::{Answer, ScriptedModel};
/// use mosaic::agent_log::{LogFilter, LogKey};
/// use mosaic::archive::RamArchive;
/// use mosaic::memory::Scope;
/// use mosaic::prelude::*;
/// use mosaic::{AgentLogSetup, SessionKey};
/// use std::sync::Arc;
///
/// // In place of the archive: `FolderArchive::open("logs").await?`.
/// let setup = AgentLogSetup::new(Arc::new(RamArchive::new()));
/// let mosaic = Mosaic::builder().agent_log(setup).open("memory:").await?;
/// # let model = ScriptedModel::new([Answer::text("No rain.")]);
/// let agent = Agent::builder("assistant").model(model).build()?;
/// let session = mosaic.session(SessionKey::new("monday").user("ann"), &agent).await?;
/// session.send("Rain in Oslo?").await?.finish().await?;
/// mosaic.idle().await?;
///
/// let ann = LogFilter::of(Scope::default().user("ann"));
/// let totals = mosaic.agent_log()?.totals(&ann, &[LogKey::Agent]).await?;
/// assert_eq!(totals.0.len(), 2, "a run, and a model call: {totals:?}");
/// mosaic.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a setup does nothing until a builder has it"]
pub struct AgentLogSetup {
    archive: Arc<dyn Archive>,
    policy: TierPolicy,
}

impl AgentLogSetup {
    /// With an archive for what grows old: a folder, for one.
    pub fn new(archive: Arc<dyn Archive>) -> Self {
        Self { archive, policy: TierPolicy::default() }
    }

    /// When rows grow old. They move when a job `log.tier` runs:
    /// [`tier_schedule`](mosaic_memory::agent_log::tier_schedule) has it run each night.
    pub fn policy(mut self, policy: TierPolicy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn open(self, store: Arc<dyn AgentLogStore>, runtime: Arc<dyn Runtime>) -> Arc<AgentLog> {
        Arc::new(AgentLog::new(store, self.archive, runtime).policy(self.policy))
    }
}

/// What records runs, and moves what is old.
pub(crate) fn handlers(log: &Arc<AgentLog>, sessions: &Arc<dyn SessionStore>) -> [Arc<dyn Handler>; 2] {
    [Arc::new(RecordHandler::new(log.clone(), sessions.clone())), Arc::new(TierHandler::new(log.clone()))]
}
