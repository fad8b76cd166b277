//! Where the server is and how it is used.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use mosaic_core::StoreError;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

/// Where the server is and how it is used. Shows no password.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresOptions {
    connect: PgConnectOptions,
    /// The schema with all tables. `mosaic`.
    pub schema: String,
    /// At most so many connections, besides the one of the owner's lock. 8.
    pub connections: u32,
    /// How long to wait for a connection, and but for jobs for a lock. 10 seconds.
    pub patience: Duration,
    /// From how many vectors of a model in a tenant on they get an index of neighbours. 10,000; see
    /// [`PostgresMemories::index_vectors`](super::PostgresMemories::index_vectors).
    pub index_vectors_from: u32,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PostgresOptions");
        shown.field("server", &self.name()).field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl PostgresOptions {
    /// Reads an address: `postgres://user:password@host:port/database`, with the options of libpq (`sslmode`, ...).
    ///
    /// # Errors
    /// [`StoreError::Address`].
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        let bad = |reason: String| StoreError::Address { url: crate::open::shown(url), reason };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(bad("it does not begin with `postgres://`".into()));
        }
        let connect = PgConnectOptions::from_str(url).map_err(|error| bad(error.to_string()))?;
        Ok(Self {
            connect,
            schema: "mosaic".into(),
            connections: 8,
            patience: Duration::from_secs(10),
            index_vectors_from: 10_000,
        })
    }

    /// Sets the schema with all tables; made when it is not there. Small letters, digits and `_`.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets how many connections there may be, besides the one of the owner's lock.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Sets how long to wait for a connection or a lock.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets from how many vectors of a model in a tenant on they get an index.
    #[must_use]
    pub fn index_vectors_from(mut self, vectors: u32) -> Self {
        self.index_vectors_from = vectors;
        self
    }

    /// The store's name for itself in errors.
    pub(super) fn name(&self) -> String {
        let database = self.connect.get_database().unwrap_or_default();
        format!("postgres:{}/{database}.{}", self.connect.get_host(), self.schema)
    }

    /// How all connections are made.
    pub(super) fn connection(&self) -> Result<PgConnectOptions, StoreError> {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = self.schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if !begins
            || self.schema.len() > 48
            || !self.schema.chars().all(letters)
            || self.schema.starts_with("pg_")
        {
            let reason = format!("`{}` is no name of a schema: small letters, digits and `_`", self.schema);
            return Err(StoreError::Address { url: self.name(), reason });
        }
        // Extensions (pgvector) live in `public`. A machine that vanished is noticed after half a minute.
        let settings = [
            ("search_path", format!("\"{}\",public", self.schema)),
            ("tcp_keepalives_idle", "15".into()),
            ("tcp_keepalives_interval", "5".into()),
            ("tcp_keepalives_count", "3".into()),
        ];
        let connect = self.connect.clone().application_name("mosaic").options(settings);
        Ok(connect.disable_statement_logging())
    }
}
