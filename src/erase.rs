//! Erasing a user: everywhere, without a trace.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::join_all;
use mosaic_core::memory::{MemoryCounts, Scope};
use mosaic_core::queue::{JobFilter, JobId, JobPage, JobStore};
use mosaic_core::{Body, Entry, ListOptions, Seq, SessionKey, SessionStore, StoreError};
use serde_json::Value;

use crate::{Error, Mosaic};

/// What becomes of the logs of an erased user's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionLogs {
    /// They stay: what was said can still be read, and no memory of it is left.
    Kept,
    /// They are erased too.
    Erased,
}

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UserErased {
    /// Sessions whose logs were erased.
    pub sessions: u64,
    /// Jobs that were about the user.
    pub jobs: u64,
    /// Memories, core blocks, and vectors: insights, preferences, turns, and the summaries that were made of them.
    pub memories: MemoryCounts,
    /// Rows of agent logs, in all tiers.
    pub log_rows: u64,
    /// Vectors of the user's texts in the cache.
    pub cached: u64,
}

impl Mosaic {
    /// Erases a user: what is remembered, summaries among it; vectors and index entries; cached vectors; rows of agent logs, also
    /// those in the archive; jobs that are about the user; and, if wanted, the logs of the user's sessions, also archived ones. What
    /// has returned leaves no trace in the files of the database and of the archives.
    ///
    /// A job is about the user when its payload has, anywhere in it, a member `user` of that name, as those of Mosaic's own have.
    /// Sessions are the user's when they were opened for the user ([`SessionKey::user`]).
    ///
    /// End the user's runs first. What cannot be erased is an error, and what was erased before it stays so: do it again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mosaic::Error> {
    /// use mosaic::{Mosaic, SessionLogs};
    /// # let mosaic = Mosaic::open("memory:").await?;
    /// let erased = mosaic.erase_user("default", "ann", SessionLogs::Erased).await?;
    /// assert_eq!(erased.memories.memories, 0, "nobody of that name was here");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `conflict` while a run of one of the sessions goes on; what the stores say; [`Error::Setup`] over a store that keeps sessions
    /// alone.
    pub async fn erase_user(&self, tenant: &str, user: &str, logs: SessionLogs) -> Result<UserErased, Error> {
        let stores = self.stores()?;
        let scope = Scope::of(tenant).user(user);
        let mut erased = UserErased::default();
        // First: a job whose session is gone learns nothing.
        if logs == SessionLogs::Erased {
            erased.sessions = self.erase_sessions(tenant, user).await?;
        }
        for id in jobs_about(&*stores.jobs, tenant, user).await? {
            erased.jobs += stores.jobs.remove(&JobFilter::one(id)).await?;
        }
        // Also for those that were done by themselves: their rows were removed as they ended.
        stores.jobs.scrub().await?;
        if let Ok(memory) = self.memory()
            && let Some(cache) = memory.cache()
        {
            erased.cached = cache.forget(&scope).await.map_err(|source| Error::Cache { source })?;
        }
        erased.log_rows = match self.agent_log() {
            Ok(log) => log.erase(&scope).await?.rows,
            Err(_) => stores.agent_log.erase(&scope).await?,
        };
        // Last: a job that ran meanwhile may have written some.
        erased.memories = stores.memories.erase(&scope).await?;
        Ok(erased)
    }

    /// Erases the sessions of a user, and says how many.
    async fn erase_sessions(&self, tenant: &str, user: &str) -> Result<u64, Error> {
        let archive = self.session_archive().ok();
        // The archive before the store and again after it: whatever a pass moves meanwhile is met in one of the places. The store is looked
        // through by itself, for to read a session that is archived would bring it back.
        let mut keys = match archive {
            Some(archive) => archive.of_user(tenant, user).await?,
            None => Vec::new(),
        };
        let store = archive.map_or(&self.stores()?.sessions, |archive| archive.sessions());
        keys.extend(sessions_of(&**store, tenant, user).await?);
        keys.sort_unstable();
        keys.dedup();
        // All at once: a store may write itself anew for it, and does so once for those that ask together.
        for done in join_all(keys.iter().map(|key| self.engine().erase(key.clone()))).await {
            done?;
        }
        let late = match archive {
            Some(archive) => archive.erase_user(tenant, user).await?,
            None => 0,
        };
        Ok(keys.len() as u64 + late)
    }
}

/// The sessions that were opened for a user.
async fn sessions_of(store: &dyn SessionStore, tenant: &str, user: &str) -> Result<Vec<SessionKey>, Error> {
    let (mut found, mut options) = (Vec::new(), ListOptions::default());
    loop {
        let page = store.list(tenant, options.clone()).await?;
        let Some(last) = page.last() else { return Ok(found) };
        options.after = Some(last.key.name.to_string());
        for info in page {
            match user_of(store, &info.key).await {
                Ok(of) if of.as_deref() == Some(user) => found.push(info.key),
                // It was erased meanwhile, or archived.
                Err(Error::Store(StoreError::NotFound { .. })) | Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whose a session is: as a rule its second entry says so; one that got its user later says it later.
async fn user_of(store: &dyn SessionStore, key: &SessionKey) -> Result<Option<Arc<str>>, Error> {
    let mut rows = store.read(key, Seq(1)).await?;
    while let Some(row) = rows.next().await {
        let row = row?;
        if row.kind == "bound"
            && let Body::Bound { user: Some(user), .. } =
                Entry::from_row(&row).map_err(mosaic_core::SessionError::from)?.body
        {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// The jobs whose payload names a user.
async fn jobs_about(store: &dyn JobStore, tenant: &str, user: &str) -> Result<Vec<JobId>, Error> {
    let (mut found, mut page) = (Vec::new(), JobPage::default());
    loop {
        let jobs = store.list(&JobFilter::of(tenant), page).await?;
        let Some(last) = jobs.last() else { return Ok(found) };
        page.after = Some(last.id);
        found.extend(jobs.iter().filter(|job| names(&job.payload, user)).map(|job| job.id));
    }
}

fn names(payload: &Value, user: &str) -> bool {
    match payload {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| (name == "user" && value.as_str() == Some(user)) || names(value, user)),
        Value::Array(values) => values.iter().any(|value| names(value, user)),
        _ => false,
    }
}
