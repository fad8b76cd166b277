//! A store in which archived sessions are, too.

use std::sync::Arc;

use mosaic_core::{
    Flush, Lease, ListOptions, Row, RowStream, Seq, SessionInfo, SessionKey, SessionStore, StoreError,
};

use super::archive::SessionArchive;
use super::error::SessionArchiveError;

/// The store's name for itself in errors.
const STORE: &str = "an archive of sessions";

/// What is archived meanwhile is restored again, so often at most.
const TRIES: usize = 8;

/// A store of sessions in which those that are archived are, too: whoever asks for one restores it, so nobody can tell but by the time it
/// takes. A session that is archived is never opened empty. Where the store has no session of a name, the archive is asked; when that
/// cannot be reached, so much is the error.
///
/// Lists read of each archived session the head of its file, once. Who reads a session in the very moment in which it is archived is told
/// `not_found` in the middle, and reads again.
///
/// ```
/// use std::sync::Arc;
/// use mosaic_core::archive::RamArchive;
/// use mosaic_core::{Engine, SessionStore, TokioRuntime};
/// use mosaic_memory::session_archive::{RestoringStore, SessionArchive};
/// use mosaic_storage::RamStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = SessionArchive::new(Arc::new(RamStore::new()), Arc::new(RamArchive::new()));
/// let store = Arc::new(RestoringStore::new(sessions.clone()));
/// let engine = Engine::new(store, Arc::new(TokioRuntime::current()?), None); // opens what is archived, too
/// # engine.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RestoringStore {
    archive: SessionArchive,
}

impl RestoringStore {
    /// Sessions of a store, and those that went from there to an archive.
    #[must_use]
    pub fn new(archive: SessionArchive) -> Self {
        Self { archive }
    }

    fn inner(&self) -> &dyn SessionStore {
        &**self.archive.sessions()
    }

    /// What is known of a session, which is in the store then.
    async fn there(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        if let Some(info) = self.inner().find(key).await? {
            return Ok(Some(info));
        }
        self.archive.restore(key).await?;
        // Also where nothing was restored: another may have done so between the two looks.
        self.inner().find(key).await
    }

    /// Does what needs a session to be in the store.
    async fn with<T, F>(&self, key: &SessionKey, act: impl Fn() -> F + Send + Sync) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        for _ in 0..TRIES {
            match act().await {
                Err(error @ StoreError::NotFound { .. }) => {
                    if self.there(key).await?.is_none() {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
        act().await
    }

    /// Takes back a session that was just made where one of its name is archived: between the look for it and the making another process
    /// restored that one, and archived it again.
    async fn made(&self, info: SessionInfo) -> Result<SessionInfo, StoreError> {
        let key = &info.key;
        if !self.archive.clashes(key).await? {
            return Ok(info);
        }
        let lease = self.inner().lease(key).await?;
        self.inner().erase_leased(&lease, info.last).await?;
        self.archive.restore(key).await?;
        Err(StoreError::Exists { store: STORE.into(), key: key.to_string() })
    }
}

#[async_trait::async_trait]
impl SessionStore for RestoringStore {
    async fn create(&self, key: &SessionKey, rows: Vec<Row>) -> Result<SessionInfo, StoreError> {
        self.there(key).await?;
        self.made(self.inner().create(key, rows).await?).await
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<SessionInfo>, StoreError> {
        self.there(key).await
    }

    async fn list(&self, tenant: &str, options: ListOptions) -> Result<Vec<SessionInfo>, StoreError> {
        let mut found = self.inner().list(tenant, options.clone()).await?;
        let archived = self.archive.list(tenant).await?.into_iter().map(|session| session.info);
        let asked = |info: &SessionInfo| {
            info.key.name.starts_with(&options.prefix)
                && options.after.as_deref().is_none_or(|after| *info.key.name > *after)
        };
        let archived: Vec<SessionInfo> = archived.filter(asked).collect();
        if archived.is_empty() {
            return Ok(found);
        }
        // Again: one that was restored in between was in neither. The store goes before the archive, where there may be a copy.
        found.extend(self.inner().list(tenant, options.clone()).await?);
        found.extend(archived);
        found.sort_by(|one, two| one.key.name.cmp(&two.key.name));
        found.dedup_by(|one, two| one.key == two.key);
        found.truncate(usize::try_from(options.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    async fn tenants(&self) -> Result<Vec<Arc<str>>, StoreError> {
        let mut tenants = self.inner().tenants().await?;
        tenants.extend(self.archive.tenants_but(&tenants).await?);
        tenants.sort_unstable();
        tenants.dedup();
        Ok(tenants)
    }

    async fn lease(&self, key: &SessionKey) -> Result<Lease, StoreError> {
        self.with(key, || self.inner().lease(key)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner().release(lease).await
    }

    async fn append(
        &self,
        lease: &Lease,
        expected: Seq,
        rows: Vec<Row>,
        flush: Flush,
    ) -> Result<Seq, StoreError> {
        // Who holds the lease finds the session there; others are to be told that they do not hold it.
        self.with(&lease.key, || self.inner().append(lease, expected, rows.clone(), flush)).await
    }

    async fn read(&self, key: &SessionKey, from: Seq) -> Result<RowStream, StoreError> {
        self.with(key, || self.inner().read(key, from)).await
    }

    async fn fork(&self, from: &SessionKey, upto: Seq, to: &SessionKey) -> Result<SessionInfo, StoreError> {
        self.there(to).await?;
        self.made(self.with(from, || self.inner().fork(from, upto, to)).await?).await
    }

    async fn erase(&self, key: &SessionKey) -> Result<(), StoreError> {
        Ok(self.archive.erase(key).await?)
    }

    async fn erase_leased(&self, lease: &Lease, expected: Seq) -> Result<(), StoreError> {
        // Whether the lease holds, and the log ends there.
        self.append(lease, expected, Vec::new(), Flush::Durable).await?;
        self.archive.remove_all(&lease.key).await?;
        self.inner().erase_leased(lease, expected).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner().close().await
    }
}

impl From<SessionArchiveError> for StoreError {
    fn from(error: SessionArchiveError) -> Self {
        match error {
            SessionArchiveError::Store(error) => error,
            SessionArchiveError::Archive(mosaic_core::ArchiveError::Store(error)) => error,
            SessionArchiveError::Damaged { key, why } => {
                let reason = format!("session `{key}`: {why}");
                Self::Corrupt { store: STORE.into(), at: None, reason }
            }
            other => Self::Other { store: STORE.into(), action: "restoring a session", source: other.into() },
        }
    }
}
