//! An archive in RAM.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Archive, ArchiveError, check_name};

/// The archive's name for itself in errors.
const ARCHIVE: &str = "memory:";

/// An archive in RAM, for tests. Clones share what is in it.
#[derive(Debug, Clone, Default)]
pub struct RamArchive(Arc<Mutex<BTreeMap<String, Bytes>>>);

impl RamArchive {
    /// An empty archive.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        // No call leaves it half changed, whatever panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Archive for RamArchive {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        check_name(name)?;
        self.files().insert(name.to_owned(), bytes);
        Ok(())
    }

    async fn get(&self, name: &str) -> Result<Bytes, ArchiveError> {
        check_name(name)?;
        let found = self.files().get(name).cloned();
        found.ok_or_else(|| ArchiveError::Missing { archive: ARCHIVE.into(), name: name.into() })
    }

    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, ArchiveError> {
        let bytes = self.get(name).await?;
        let (found, wanted) = (bytes.len() as u64, offset.saturating_add(length));
        match (usize::try_from(offset), usize::try_from(wanted)) {
            (Ok(from), Ok(to)) if to <= bytes.len() => Ok(bytes.slice(from..to)),
            _ => Err(ArchiveError::Short { archive: ARCHIVE.into(), name: name.into(), found, wanted }),
        }
    }

    async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        check_name(name)?;
        self.files().remove(name);
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        Ok(self.files().keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }
}
