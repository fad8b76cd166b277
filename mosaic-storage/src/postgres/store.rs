//! The store: opens and closes. What it keeps is told in the folders beside.

use std::fmt;
use std::sync::Arc;

use mosaic_core::StoreError;
use mosaic_core::queue::Bell;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Mutex;

use super::fault::told;
use super::memory::PostgresMemories;
use super::options::PostgresOptions;
use super::presence::{self, Presence};
use super::schema;

/// Jobs, and memories beside them, in Postgres. See [the module](super).
pub struct PostgresStore {
    pub(super) name: Arc<str>,
    pub(super) pool: PgPool,
    /// Its id as an owner: what a claim in the database says, and what its lock is named by.
    pub(super) owner: Arc<str>,
    pub(super) channel: Arc<str>,
    pub(super) bell: Bell,
    presence: Mutex<Option<Presence>>,
    pub(super) options: PostgresOptions,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("name", &self.name)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects, makes the tables or brings them to the newest format. Needs a tokio runtime; the store must not outlive it.
    ///
    /// # Errors
    /// [`StoreError::Address`], [`StoreError::Unreachable`], [`StoreError::NewerFormat`], [`StoreError::ReadOnly`].
    pub async fn open(options: PostgresOptions) -> Result<Self, StoreError> {
        let (name, connect): (Arc<str>, _) = (options.name().into(), options.connection()?);
        let pool =
            PgPoolOptions::new().max_connections(options.connections).acquire_timeout(options.patience);
        let pool =
            pool.connect_with(connect.clone()).await.map_err(|error| told(&name, "connecting", error))?;
        schema::migrate_jobs(&pool, &options, &name).await?;
        let owner: Arc<str> = format!("{}-{}", std::process::id(), uuid::Uuid::now_v7()).into();
        let (bell, channel) = (Bell::default(), format!("{}_jobs", options.schema));
        let presence =
            presence::begin(connect, options.patience, owner.clone(), channel.clone(), bell.clone(), &name);
        let presence = Mutex::new(Some(presence.await?));
        Ok(Self { name, pool, owner, channel: channel.into(), bell, presence, options })
    }

    /// Opens the store at an address: see [`PostgresOptions::from_url`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_url(url: &str) -> Result<Self, StoreError> {
        Self::open(PostgresOptions::from_url(url)?).await
    }

    /// The memories in the same schema, on the same connections, until the store is closed. Makes their tables when they are not
    /// there.
    ///
    /// # Errors
    /// As [`PostgresMemories::open`].
    pub async fn memories(&self) -> Result<PostgresMemories, StoreError> {
        PostgresMemories::of(self.pool.clone(), self.name.clone(), &self.options).await
    }

    pub(super) fn told(&self, action: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        let name = self.name.clone();
        move |error| told(&name, action, error)
    }

    /// Ends the proof of life and closes all connections.
    pub(super) async fn shut(&self) {
        if let Some(presence) = self.presence.lock().await.take() {
            presence.end().await;
        }
        self.pool.close().await;
    }
}
