//! Erasing, wherever a session is.

use futures_util::future::{join_all, try_join_all};
use mosaic_core::SessionKey;

use super::archive::SessionArchive;
use super::error::SessionArchiveError;
use super::names;

impl SessionArchive {
    /// Erases a session, wherever it is: in the store, and its files. Erasing it in the store alone would leave the copy that a crash may
    /// have left. No file needs to be read.
    ///
    /// # Errors
    /// [`StoreError::Leased`](mosaic_core::StoreError::Leased) while somebody writes it; what the store and the archive say.
    pub async fn erase(&self, key: &SessionKey) -> Result<(), SessionArchiveError> {
        self.sessions.erase(key).await?;
        self.remove_all(key).await?;
        // Somebody may have read the file before it was removed, and restored the session after it was erased.
        if self.sessions.find(key).await?.is_some() {
            self.sessions.erase(key).await?;
        }
        Ok(())
    }

    /// The sessions of a user that are archived, and not in the store. They are found by the names of their files, of which only the head is
    /// read.
    ///
    /// # Errors
    /// What the store and the archive say.
    pub async fn of_user(&self, tenant: &str, user: &str) -> Result<Vec<SessionKey>, SessionArchiveError> {
        let files = self.files_of(tenant, user).await?;
        let mut found = Vec::new();
        for session in self.heads(&files).await? {
            // Where the store has it, the file is a copy, or that of another session of the name.
            if self.sessions.find(&session.info.key).await?.is_none() {
                found.push(session.info.key);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Erases all that is archived of a user, and says how many sessions that were. No file needs to be whole. Sessions of the user that
    /// are in the store stay there.
    ///
    /// # Errors
    /// As [`erase`](Self::erase). What was erased before it stays so: do it again.
    pub async fn erase_user(&self, tenant: &str, user: &str) -> Result<u64, SessionArchiveError> {
        let keys = self.of_user(tenant, user).await?;
        // All at once: a store may write itself anew for it, and does so once for those that ask together.
        for erased in join_all(keys.iter().map(|key| self.erase(key))).await {
            erased?;
        }
        // Copies, and what is damaged.
        self.remove(self.files_of(tenant, user).await?).await?;
        Ok(keys.len() as u64)
    }

    /// Removes the files of a session.
    pub(super) async fn remove_all(&self, key: &SessionKey) -> Result<(), SessionArchiveError> {
        self.remove(self.archive.list(&names::of_session(key)).await?).await
    }

    async fn files_of(&self, tenant: &str, user: &str) -> Result<Vec<String>, SessionArchiveError> {
        let user = names::of_user(tenant, Some(user));
        let mut files = self.archive.list(&names::of_tenant(tenant)).await?;
        files.retain(|name| names::told(name).is_some_and(|told| told.user == user));
        Ok(files)
    }

    async fn remove(&self, names: Vec<String>) -> Result<(), SessionArchiveError> {
        try_join_all(names.iter().map(|name| self.archive.remove(name))).await?;
        let mut known = self.known_heads();
        names.iter().for_each(|name| drop(known.remove(name)));
        Ok(())
    }
}
