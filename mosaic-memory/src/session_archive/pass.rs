//! A pass over the sessions of a tenant.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use mosaic_core::{ListOptions, SessionKey, Timestamp};

use super::archive::{Archived, SessionArchive};
use super::error::SessionArchiveError;

/// What became of the sessions of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ArchivedMany {
    /// Sessions that were archived.
    pub archived: u64,
    /// Old ones that were left: somebody writes them, or a run goes on.
    pub left: u64,
}

impl SessionArchive {
    /// Archives all sessions of a tenant that nobody wrote for so long.
    ///
    /// # Errors
    /// As [`archive`](Self::archive). What is wrong with one session is told when the others are archived; what is wrong with the store or
    /// the archive, at once.
    pub async fn archive_older(
        &self,
        tenant: &str,
        now: Timestamp,
        age: Duration,
    ) -> Result<ArchivedMany, SessionArchiveError> {
        let mut pass = Pass::new(tenant, now, age);
        while pass.step(self).await? {}
        pass.end()
    }
}

/// A pass that has begun. Each step archives a session at most, and one that was archived is not there for the next pass.
pub(super) struct Pass {
    tenant: Arc<str>,
    now: Timestamp,
    age: Duration,
    due: VecDeque<SessionKey>,
    next: ListOptions,
    many: ArchivedMany,
    failure: Option<SessionArchiveError>,
}

impl Pass {
    pub(super) fn new(tenant: impl Into<Arc<str>>, now: Timestamp, age: Duration) -> Self {
        Self {
            tenant: tenant.into(),
            now,
            age,
            due: VecDeque::new(),
            next: ListOptions::default(),
            many: ArchivedMany::default(),
            failure: None,
        }
    }

    /// Archives the next session that is due, or looks for some; says whether there may be more.
    pub(super) async fn step(&mut self, archive: &SessionArchive) -> Result<bool, SessionArchiveError> {
        let Some(key) = self.due.pop_front() else {
            let page = archive.sessions.list(&self.tenant, self.next.clone()).await?;
            let Some(last) = page.last() else { return Ok(false) };
            self.next.after = Some(last.key.name.to_string());
            let old = page.into_iter().filter(|info| info.updated.until(self.now) >= self.age);
            self.due.extend(old.map(|info| info.key));
            return Ok(true);
        };
        match archive.archive(&key).await {
            Ok(Archived::Done { .. }) => self.many.archived += 1,
            Ok(Archived::Leased | Archived::Running) => self.many.left += 1,
            Ok(Archived::Missing) => {}
            // One session's damage is not to keep the others where they are.
            Err(error) if error.is_of_one() => {
                tracing::warn!(%error, "a session could not be archived");
                self.failure.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// What became of all.
    pub(super) fn end(self) -> Result<ArchivedMany, SessionArchiveError> {
        self.failure.map_or(Ok(self.many), Err)
    }
}
