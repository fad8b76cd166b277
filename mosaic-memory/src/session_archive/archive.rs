//! The way there and back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use mosaic_core::archive::{Archive, ArchiveError};
use mosaic_core::session::{Log, Phase};
use mosaic_core::{Body, Entry, Lease, Row, Seq, SessionKey, SessionStore, StoreError};

use super::error::SessionArchiveError;
use super::names;
use super::pack::{ArchivedSession, pack, unpack};

/// Sessions whose logs go to an archive. See [the module](super). Cheap to clone.
#[derive(Debug, Clone)]
pub struct SessionArchive {
    pub(super) sessions: Arc<dyn SessionStore>,
    pub(super) archive: Arc<dyn Archive>,
    /// Heads of files, by their names: see `list`.
    pub(super) known: Arc<Mutex<HashMap<String, ArchivedSession>>>,
}

/// What became of a session that was to be archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Archived {
    /// Its log is in the archive, and nowhere else.
    Done {
        /// Rows.
        rows: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// Somebody writes it.
    Leased,
    /// A run goes on, or waits for an answer.
    Running,
    /// The store has no such session.
    Missing,
}

impl SessionArchive {
    /// Sessions of a store, and the archive that old ones go to.
    pub fn new(sessions: Arc<dyn SessionStore>, archive: Arc<dyn Archive>) -> Self {
        Self { sessions, archive, known: Arc::default() }
    }

    /// The store of the sessions that are not archived.
    #[must_use]
    pub fn sessions(&self) -> &Arc<dyn SessionStore> {
        &self.sessions
    }

    /// Archives a session: its log is written to the archive, read back, and then erased from the store, in this order, while nobody else
    /// can write it.
    ///
    /// # Errors
    /// What the store and the archive say; an entry that cannot be read. The session is in the store then.
    pub async fn archive(&self, key: &SessionKey) -> Result<Archived, SessionArchiveError> {
        let lease = match self.sessions.lease(key).await {
            Ok(lease) => lease,
            Err(StoreError::NotFound { .. }) => return Ok(Archived::Missing),
            Err(StoreError::Leased { .. }) => return Ok(Archived::Leased),
            Err(error) => return Err(error.into()),
        };
        let archived = self.archive_leased(key, &lease).await;
        if matches!(archived, Ok(Archived::Done { .. })) {
            return archived;
        }
        let released = self.sessions.release(&lease).await;
        // What failed first is what is told.
        archived.and_then(|archived| released.map(|()| archived).map_err(Into::into))
    }

    async fn archive_leased(&self, key: &SessionKey, lease: &Lease) -> Result<Archived, SessionArchiveError> {
        let rows: Vec<Row> = self.sessions.read(key, Seq(1)).await?.try_collect().await?;
        let entries: Vec<Entry> = rows.iter().map(Entry::from_row).collect::<Result<_, _>>()?;
        if Log::fold(&entries).machine.phase() != Phase::Idle {
            return Ok(Archived::Running);
        }
        let user = entries.iter().find_map(|entry| match &entry.body {
            Body::Bound { user, .. } => user.clone(),
            _ => None,
        });
        self.move_out(key, user.as_ref(), lease, &rows).await
    }

    /// Moves what a session holds, under its lease.
    pub(super) async fn move_out(
        &self,
        key: &SessionKey,
        user: Option<&Arc<str>>,
        lease: &Lease,
        rows: &[Row],
    ) -> Result<Archived, SessionArchiveError> {
        let file = pack(key, user, rows).map_err(|error| StoreError::Other {
            store: "an archive of sessions".into(),
            action: "compressing",
            source: error.into(),
        })?;
        let name = names::of_file(key, user.map(|user| &**user), &file);
        let copies = self.copies(key, rows).await?;
        self.archive.put(&name, file.bytes.clone()).await?;
        if self.archive.get(&name).await? != file.bytes {
            let why = "what was written is not what is read back".into();
            return Err(SessionArchiveError::Damaged { key: key.clone(), why });
        }
        for copy in copies.into_iter().filter(|copy| *copy != name) {
            self.archive.remove(&copy).await?;
        }
        // Only as it was read.
        let last = rows.last().map(|row| row.seq).unwrap_or_default();
        self.sessions.erase_leased(lease, last).await?;
        Ok(Archived::Done { rows: rows.len() as u64, bytes: file.bytes.len() as u64 })
    }

    /// Brings a session back, if it is archived; says whether it did. [`RestoringStore`](super::RestoringStore) does so whenever a session
    /// is asked for; who works on the bare store does it before a session is opened that the store does not have: opening would make a new
    /// one.
    ///
    /// # Errors
    /// What the store and the archive say; [`SessionArchiveError::Damaged`]. The file stays then.
    pub async fn restore(&self, key: &SessionKey) -> Result<bool, SessionArchiveError> {
        let mut created = false;
        if self.sessions.find(key).await?.is_none() {
            let Some(rows) = self.read(key).await? else { return Ok(false) };
            created = match self.sessions.create(key, rows).await {
                Ok(_) => true,
                // Another restored it meanwhile.
                Err(StoreError::Exists { .. }) => false,
                Err(error) => return Err(error.into()),
            };
        }
        // The store has it, so the files are copies. Whoever writes the session already leaves them to the next who looks.
        if self.has(key).await?
            && let Ok(lease) = self.sessions.lease(key).await
        {
            let removed = self.remove_copies(key).await;
            self.sessions.release(&lease).await?;
            removed?;
        }
        Ok(created)
    }

    /// The rows of a session that is archived. There may be several files where a crash left the one before; one is then the beginning of
    /// the other.
    async fn read(&self, key: &SessionKey) -> Result<Option<Vec<Row>>, SessionArchiveError> {
        let mut whole: Option<Vec<Row>> = None;
        for (_, rows) in self.files(key).await? {
            whole = match whole {
                Some(longer) if longer.starts_with(&rows) => Some(longer),
                Some(shorter) if !rows.starts_with(&shorter) => {
                    return Err(SessionArchiveError::Clash { key: key.clone() });
                }
                _ => Some(rows),
            };
        }
        Ok(whole)
    }

    async fn remove_copies(&self, key: &SessionKey) -> Result<(), SessionArchiveError> {
        let rows: Vec<Row> = self.sessions.read(key, Seq(1)).await?.try_collect().await?;
        for copy in self.copies(key, &rows).await? {
            self.archive.remove(&copy).await?;
        }
        Ok(())
    }

    /// The files of a session, which are sure to hold nothing but the beginning of these rows: one may be the log of another session, of
    /// which nobody knew when one of the same name was made.
    async fn copies(&self, key: &SessionKey, rows: &[Row]) -> Result<Vec<String>, SessionArchiveError> {
        let files = self.files(key).await?;
        if files.iter().any(|(_, copy)| !rows.starts_with(copy)) {
            return Err(SessionArchiveError::Clash { key: key.clone() });
        }
        Ok(files.into_iter().map(|(name, _)| name).collect())
    }

    async fn files(&self, key: &SessionKey) -> Result<Vec<(String, Vec<Row>)>, SessionArchiveError> {
        let mut files = Vec::new();
        for name in self.archive.list(&names::of_session(key)).await? {
            match self.archive.get(&name).await {
                Ok(bytes) => {
                    let damaged = |why| SessionArchiveError::Damaged { key: key.clone(), why };
                    files.push((name, unpack(key, &bytes).map_err(damaged)?));
                }
                // Whoever restored the session meanwhile has removed it.
                Err(ArchiveError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(files)
    }

    /// Whether the archive has a file of the session.
    ///
    /// # Errors
    /// What the archive says.
    pub async fn has(&self, key: &SessionKey) -> Result<bool, SessionArchiveError> {
        Ok(!self.archive.list(&names::of_session(key)).await?.is_empty())
    }

    /// Whether the archive has a file of a session that is not a copy of what the store has under its name.
    pub(super) async fn clashes(&self, key: &SessionKey) -> Result<bool, SessionArchiveError> {
        if !self.has(key).await? {
            return Ok(false);
        }
        let rows: Vec<Row> = match self.sessions.read(key, Seq(1)).await {
            Ok(rows) => rows.try_collect().await?,
            // It went to the archive, which it does not where it clashes.
            Err(StoreError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        match self.copies(key, &rows).await {
            Err(SessionArchiveError::Clash { .. }) => Ok(true),
            copies => copies.map(|_| false),
        }
    }
}
