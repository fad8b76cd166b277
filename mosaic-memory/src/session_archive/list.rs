//! What is archived.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, MutexGuard, PoisonError};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mosaic_core::archive::ArchiveError;

use super::archive::SessionArchive;
use super::error::SessionArchiveError;
use super::names;
use super::pack::{ArchivedSession, unpack_head};

/// So many heads are read at once: an archive may be far away.
const AT_ONCE: usize = 16;

impl SessionArchive {
    /// The sessions of a tenant that are archived, in the order of their names (byte by byte). A copy that a crash left beside a session in
    /// the store may be among them. Of a file only the head is read, and only the first time; one that is damaged is left out, with a
    /// warning.
    ///
    /// # Errors
    /// What the archive says.
    pub async fn list(&self, tenant: &str) -> Result<Vec<ArchivedSession>, SessionArchiveError> {
        let tenant = names::of_tenant(tenant);
        let files = self.archive.list(&tenant).await?;
        let mut found = BTreeMap::new();
        for session in self.heads(&files).await? {
            let last = session.info.last;
            let newest = found.entry(session.info.key.name.clone()).or_insert_with(|| session.clone());
            if newest.info.last < last {
                *newest = session;
            }
        }
        // What is gone is not kept in RAM either.
        let there: HashSet<&String> = files.iter().collect();
        self.known_heads().retain(|name, _| !name.starts_with(&tenant) || there.contains(name));
        Ok(found.into_values().collect())
    }

    /// The tenants that have archived sessions, but for some, in no order.
    pub(super) async fn tenants_but(&self, known: &[Arc<str>]) -> Result<Vec<Arc<str>>, SessionArchiveError> {
        let known: Vec<String> = known.iter().map(|tenant| names::of_tenant(tenant)).collect();
        let mut files = self.archive.list(names::ROOT).await?;
        files.retain(|name| !known.iter().any(|tenant| name.starts_with(tenant)));
        let folder = |name: &str| name.split('/').nth(1).map(str::to_owned);
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for name in files {
            // One file that can be read is enough.
            if !seen.contains(&folder(&name))
                && let [session] = &*self.heads(std::slice::from_ref(&name)).await?
            {
                seen.insert(folder(&name));
                found.push(session.info.key.tenant.clone());
            }
        }
        Ok(found)
    }

    /// The heads of files. A name is never that of other bytes, so what was read once is known.
    pub(super) async fn heads(&self, files: &[String]) -> Result<Vec<ArchivedSession>, SessionArchiveError> {
        let heads: Vec<_> = files.iter().map(|name| self.head(name)).collect();
        let heads: Vec<Option<ArchivedSession>> = stream::iter(heads).buffered(AT_ONCE).try_collect().await?;
        Ok(heads.into_iter().flatten().collect())
    }

    /// `None` where it is gone, or damaged.
    async fn head(&self, name: &str) -> Result<Option<ArchivedSession>, SessionArchiveError> {
        let known = self.known_heads().get(name).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(told) = names::told(name) else { return Ok(None) };
        let read = match self.archive.get_range(name, 0, told.head).await {
            Ok(bytes) => unpack_head(&bytes),
            Err(ArchiveError::Missing { .. }) => return Ok(None),
            Err(error @ ArchiveError::Short { .. }) => Err(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        match read {
            Ok(session) => {
                self.known_heads().insert(name.to_owned(), session.clone());
                Ok(Some(session))
            }
            Err(why) => {
                tracing::warn!(name, why, "the file of an archived session is damaged");
                Ok(None)
            }
        }
    }

    /// The heads that were read.
    pub(super) fn known_heads(&self) -> MutexGuard<'_, HashMap<String, ArchivedSession>> {
        // No call leaves it half changed, whatever panics.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
