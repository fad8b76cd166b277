//! From an address to a store.

use std::sync::Arc;

use mosaic_core::agent_log::AgentLogStore;
use mosaic_core::memory::MemoryStore;
use mosaic_core::queue::JobStore;
use mosaic_core::{SessionStore, StoreError};

use crate::RamStore;

/// Opens the store at an address: `memory:`, or `sqlite://app.db` with the options of `SqliteOptions::from_url`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = mosaic_storage::open("memory:").await?;
/// let error = mosaic_storage::open("redis://localhost").await.unwrap_err();
/// assert!(error.to_string().contains("`memory:`"));
/// # Ok::<(), mosaic_core::StoreError>(()) }).unwrap();
/// ```
///
/// # Errors
/// [`StoreError::Address`] for any other address; what the store says when it is opened.
pub async fn open(url: &str) -> Result<Arc<dyn SessionStore>, StoreError> {
    Ok(open_stores(url).await?.sessions)
}

/// What is kept at one address. Closing the sessions closes all of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stores {
    /// The sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// The memories.
    pub memories: Arc<dyn MemoryStore>,
    /// The jobs.
    pub jobs: Arc<dyn JobStore>,
    /// The agent logs.
    pub agent_log: Arc<dyn AgentLogStore>,
}

/// Opens all that is kept at an address: see [`open`].
///
/// # Errors
/// As [`open`].
pub async fn open_stores(url: &str) -> Result<Stores, StoreError> {
    let reason = match url.split_once(':') {
        Some(("memory", "")) => {
            let store = Arc::new(RamStore::new());
            return Ok(Stores {
                memories: Arc::new(store.memories()),
                jobs: store.clone(),
                agent_log: Arc::new(store.agent_log()),
                sessions: store,
            });
        }
        #[cfg(feature = "sqlite")]
        Some(("sqlite", _)) => {
            let store = Arc::new(crate::SqliteStore::open_url(url).await?);
            return Ok(Stores {
                memories: Arc::new(store.memories()),
                jobs: store.clone(),
                agent_log: Arc::new(store.agent_log()),
                sessions: store,
            });
        }
        #[cfg(not(feature = "sqlite"))]
        Some(("sqlite", _)) => {
            "this build has no SQLite; switch the feature `sqlite` of `mosaic-storage` on".into()
        }
        Some(("memory", _)) => "a store in RAM is `memory:`, without more".into(),
        Some(("postgres" | "postgresql", _)) => {
            "Postgres keeps no sessions yet; `open_memories` and `open_jobs` open what it keeps".into()
        }
        Some((scheme, _)) => {
            format!("there is no store `{scheme}`; there are `memory:` and `sqlite://app.db`")
        }
        None => "it has no scheme; write `sqlite://app.db` or `memory:`".into(),
    };
    Err(StoreError::Address { url: shown(url), reason })
}

/// Opens the store of jobs at an address: `memory:`, `sqlite://app.db` (the same file as that of the sessions), or
/// `postgres://user@host/database` with the options of `PostgresOptions::from_url`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = mosaic_storage::open_jobs("memory:").await?;
/// assert_eq!(store.counts(None).await?.waiting, 0);
/// # Ok::<(), mosaic_core::queue::QueueError>(()) }).unwrap();
/// ```
///
/// # Errors
/// [`StoreError::Address`] for any other address; what the store says when it is opened.
pub async fn open_jobs(url: &str) -> Result<Arc<dyn JobStore>, StoreError> {
    match url.split_once(':') {
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => Ok(Arc::new(crate::PostgresStore::open_url(url).await?)),
        #[cfg(not(feature = "postgres"))]
        Some(("postgres" | "postgresql", _)) => Err(no_postgres(url)),
        _ => Ok(open_stores(url).await?.jobs),
    }
}

/// Opens the store of memories at an address: `memory:`, `sqlite://app.db` (the same file as that of the sessions), or
/// `postgres://user@host/database` (with pgvector) with the options of `PostgresOptions::from_url`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # use mosaic_core::memory::Scope;
/// let store = mosaic_storage::open_memories("memory:").await?;
/// assert_eq!(store.counts(&Scope::of("acme")).await?.memories, 0);
/// # Ok::<(), mosaic_core::memory::MemoryError>(()) }).unwrap();
/// ```
///
/// # Errors
/// [`StoreError::Address`] for any other address; what the store says when it is opened.
pub async fn open_memories(url: &str) -> Result<Arc<dyn MemoryStore>, StoreError> {
    match url.split_once(':') {
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => Ok(Arc::new(crate::PostgresMemories::open_url(url).await?)),
        #[cfg(not(feature = "postgres"))]
        Some(("postgres" | "postgresql", _)) => Err(no_postgres(url)),
        _ => Ok(open_stores(url).await?.memories),
    }
}

#[cfg(not(feature = "postgres"))]
fn no_postgres(url: &str) -> StoreError {
    let reason = "this build has no Postgres; switch the feature `postgres` of `mosaic-storage` on";
    StoreError::Address { url: shown(url), reason: reason.into() }
}

/// The address without the password that one for another kind of store may hold.
pub(crate) fn shown(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (_, host))) => format!("{scheme}://***@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
