//! The way there and back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use mosaic_core::archive::{Archive, ArchiveError};
use mosaic_core::session::{Log, Phase};
use mosaic_core::{Entry, Lease, ListOptions, Row, Seq, SessionKey, SessionStore, StoreError, Timestamp};
use sha2::{Digest, Sha256};

use super::error::SessionArchiveError;
use super::pack::{pack, to_hex, unpack};

/// Sessions whose logs go to an archive. See [the module](super).
#[derive(Debug, Clone)]
pub struct SessionArchive {
    sessions: Arc<dyn SessionStore>,
    archive: Arc<dyn Archive>,
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
    /// Sessions of a store, and the archive that old ones go to.
    pub fn new(sessions: Arc<dyn SessionStore>, archive: Arc<dyn Archive>) -> Self {
        Self { sessions, archive }
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
        let bytes = pack(key, &rows).map_err(|error| StoreError::Other {
            store: "an archive of sessions".into(),
            action: "compressing",
            source: error.into(),
        })?;
        let name = name(key);
        self.check_copy(key, &rows).await?;
        self.archive.put(&name, bytes.clone()).await?;
        if self.archive.get(&name).await? != bytes {
            let why = "what was written is not what is read back".into();
            return Err(SessionArchiveError::Damaged { key: key.clone(), why });
        }
        // Only as it was read.
        let last = rows.last().map(|row| row.seq).unwrap_or_default();
        self.sessions.erase_leased(lease, last).await?;
        Ok(Archived::Done { rows: rows.len() as u64, bytes: bytes.len() as u64 })
    }

    /// Brings a session back, if it is archived; says whether it did. Call it before a session is opened that the store does not
    /// have: opening would make a new one.
    ///
    /// # Errors
    /// What the store and the archive say; [`SessionArchiveError::Damaged`]. The file stays then.
    pub async fn restore(&self, key: &SessionKey) -> Result<bool, SessionArchiveError> {
        let mut created = false;
        if self.sessions.find(key).await?.is_none() {
            let bytes = match self.archive.get(&name(key)).await {
                Ok(bytes) => bytes,
                Err(ArchiveError::Missing { .. }) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let rows =
                unpack(key, &bytes).map_err(|why| SessionArchiveError::Damaged { key: key.clone(), why })?;
            created = match self.sessions.create(key, rows).await {
                Ok(_) => true,
                // Another restored it meanwhile.
                Err(StoreError::Exists { .. }) => false,
                Err(error) => return Err(error.into()),
            };
        }
        // The store has it, so the file is a copy. Whoever writes the session already leaves it to the next who looks.
        if let Ok(lease) = self.sessions.lease(key).await {
            let removed = self.remove_copy(key).await;
            self.sessions.release(&lease).await?;
            removed?;
        }
        Ok(created)
    }

    async fn remove_copy(&self, key: &SessionKey) -> Result<(), SessionArchiveError> {
        let rows: Vec<Row> = self.sessions.read(key, Seq(1)).await?.try_collect().await?;
        self.check_copy(key, &rows).await?;
        Ok(self.archive.remove(&name(key)).await?)
    }

    /// Makes sure that a file, if there is one, holds nothing but the beginning of these rows: it may be the log of another session, of
    /// which nobody knew when one of the same name was made.
    async fn check_copy(&self, key: &SessionKey, rows: &[Row]) -> Result<(), SessionArchiveError> {
        let bytes = match self.archive.get(&name(key)).await {
            Ok(bytes) => bytes,
            Err(ArchiveError::Missing { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        match unpack(key, &bytes) {
            Ok(copy) if rows.starts_with(&copy) => Ok(()),
            Ok(_) => Err(SessionArchiveError::Clash { key: key.clone() }),
            Err(why) => Err(SessionArchiveError::Damaged { key: key.clone(), why }),
        }
    }

    /// Whether the archive has a file of the session.
    ///
    /// # Errors
    /// What the archive says.
    pub async fn has(&self, key: &SessionKey) -> Result<bool, SessionArchiveError> {
        match self.archive.get_range(&name(key), 0, 0).await {
            Ok(_) => Ok(true),
            Err(ArchiveError::Missing { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Erases a session, wherever it is: in the store, and its file. Erasing it in the store alone would leave the copy that a crash may
    /// have left.
    ///
    /// # Errors
    /// [`StoreError::Leased`] while somebody writes it; what the store and the archive say.
    pub async fn erase(&self, key: &SessionKey) -> Result<(), SessionArchiveError> {
        self.sessions.erase(key).await?;
        self.archive.remove(&name(key)).await?;
        // Somebody may have read the file before it was removed, and restored the session after it was erased.
        Ok(self.sessions.erase(key).await?)
    }

    /// Archives all sessions of a tenant that nobody wrote for so long.
    ///
    /// # Errors
    /// As [`archive`](Self::archive). Those before it are archived.
    pub async fn archive_older(
        &self,
        tenant: &str,
        now: Timestamp,
        age: Duration,
    ) -> Result<ArchivedMany, SessionArchiveError> {
        let (mut many, mut options) = (ArchivedMany::default(), ListOptions::default());
        loop {
            let page = self.sessions.list(tenant, options.clone()).await?;
            let Some(last) = page.last() else { return Ok(many) };
            options.after = Some(last.key.name.to_string());
            for info in page.iter().filter(|info| info.updated.until(now) >= age) {
                match self.archive(&info.key).await? {
                    Archived::Done { .. } => many.archived += 1,
                    Archived::Leased | Archived::Running => many.left += 1,
                    Archived::Missing => {}
                }
            }
        }
    }
}

/// The name of a session's file, which tells nothing of whose it is.
fn name(key: &SessionKey) -> String {
    let digest = |parts: &[&[u8]]| {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        to_hex(&hash.finalize())
    };
    let tenant = digest(&[key.tenant.as_bytes()]);
    let session = digest(&[key.tenant.as_bytes(), key.name.as_bytes()]);
    format!("sessions/{}/{session}.jsonl.gz", tenant.get(..16).unwrap_or(&tenant))
}
