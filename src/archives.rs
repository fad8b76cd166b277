//! The archived sessions of a Mosaic.

use std::sync::Arc;

use mosaic_core::{Archive, SessionStore};
use mosaic_memory::session_archive::{ArchiveHandler, ArchivePolicy, SessionArchive};

/// Where a [`Mosaic`](crate::Mosaic) puts the logs of sessions that nobody has used for long. Whoever asks for such a session finds it as it
/// was: it comes back by itself.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use mosaic::testing::{Answer, ScriptedModel};
/// use mosaic::SessionArchiveSetup;
/// use mosaic::archive::RamArchive;
/// use mosaic::memory::session_archive::{ArchivePolicy, archive_job};
/// use mosaic::prelude::*;
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let mut policy = ArchivePolicy::default();
/// policy.age = Duration::ZERO; // all that nothing runs in; 90 days if nothing is said
/// // In place of the archive: `FolderArchive::open("sessions").await?`.
/// let setup = SessionArchiveSetup::new(Arc::new(RamArchive::new())).policy(policy);
/// // And each night: `.schedule(archive_schedule("41 3 * * *"))`, with the feature `cron`.
/// let mosaic = Mosaic::builder().archive_sessions(setup).open("memory:").await?;
/// # let model = ScriptedModel::new([Answer::text("No rain."), Answer::text("Some.")]);
/// let agent = Agent::builder("assistant").model(model).build()?;
/// let session = mosaic.session("user-42", &agent).await?;
/// session.send("Rain in Oslo?").await?.finish().await?;
/// drop(session);
///
/// mosaic.jobs()?.add(archive_job()).await?; // now
/// mosaic.idle().await?;
/// assert_eq!(mosaic.session_archive()?.list("default").await?.len(), 1);
///
/// let session = mosaic.session("user-42", &agent).await?; // is back
/// session.send("And in Bergen?").await?.finish().await?;
/// assert!(session.entries(mosaic::Seq(1)).await?.len() > 6, "both turns");
/// mosaic.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a setup does nothing until a builder has it"]
pub struct SessionArchiveSetup {
    archive: Arc<dyn Archive>,
    policy: ArchivePolicy,
}

impl SessionArchiveSetup {
    /// With an archive for the logs: a folder, for one. It may be that of the agent logs, but not that of another database's sessions: one
    /// of the same name there would be taken for one of this.
    pub fn new(archive: Arc<dyn Archive>) -> Self {
        Self { archive, policy: ArchivePolicy::default() }
    }

    /// Which sessions are old. They move when a job `session.archive` runs:
    /// [`archive_schedule`](mosaic_memory::session_archive::archive_schedule) has it run each night.
    pub fn policy(mut self, policy: ArchivePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The archive of a store's sessions, and what moves those that are old.
    pub(crate) fn open(self, sessions: Arc<dyn SessionStore>) -> (SessionArchive, ArchiveHandler) {
        let archive = SessionArchive::new(sessions, self.archive);
        let handler = ArchiveHandler::new(archive.clone()).policy(self.policy);
        (archive, handler)
    }
}
