//! What routers know of their candidates, in a SQLite file that processes of one machine share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mosaic_core::StoreError;
use mosaic_core::router::health::{HealthPage, HealthRow, HealthStore, Swap};
use sqlx::sqlite::{SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Row as _, SqlitePool};

use super::fault::{Doing, Fault};
use super::options::SqliteOptions;
use super::schema::{self, Unusable};
use super::store::connection;

/// One may read while another writes; more wait.
const CONNECTIONS: u32 = 2;

/// Writes where the version is the expected one, 0 where there is no state: one statement, so it is done whole or not at
/// all. It takes the write lock before it compares.
const SWAP: &str = "
    INSERT INTO health (space, candidate, version, state)
    SELECT ?1, ?2, 1 + coalesce((SELECT max(version) FROM health WHERE space = ?1), 0), ?4
    WHERE coalesce((SELECT version FROM health WHERE space = ?1 AND candidate = ?2), 0) = ?3
    ON CONFLICT (space, candidate) DO UPDATE SET version = excluded.version, state = excluded.state
    RETURNING version";

const THERE: &str = "SELECT candidate, version, state FROM health WHERE space = ? AND candidate = ?";

/// One statement, so that the newest version and the states are of one moment. A row without a candidate carries the
/// version.
const LOAD: &str = "
    SELECT NULL, coalesce(max(version), 0), NULL FROM health WHERE space = ?1
    UNION ALL
    SELECT candidate, version, state FROM health WHERE space = ?1 AND version > ?2";

/// What routers know of their candidates, in a SQLite file: for the processes of one machine.
///
/// The file may be that of a [`SqliteStore`](super::SqliteStore): the states are a table beside its sessions, written over
/// connections of its own. They survive the processes, and need not survive a power cut, so that no write waits for the disk.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.db");
/// use std::sync::Arc;
/// use mosaic_core::router::health::{HealthStore, Swap};
/// use mosaic_storage::sqlite::{SqliteHealthStore, SqliteOptions};
///
/// // For `Router::builder(..).name("chat").health(health.clone())`.
/// let health = Arc::new(SqliteHealthStore::open(SqliteOptions::new(&path)).await?);
/// assert_eq!(health.swap("chat", "east", 0, "{\"at\":0}".into()).await?, Swap::Done { version: 1 });
/// health.close().await;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct SqliteHealthStore {
    name: Arc<str>,
    pool: SqlitePool,
}

impl SqliteHealthStore {
    /// Opens a database, and makes it if there is none. Needs a tokio runtime; the store must not outlive it. Of the options
    /// the durability does not matter.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](super::SqliteStore::open).
    pub async fn open(options: SqliteOptions) -> Result<Self, StoreError> {
        options.check_path()?;
        let name: Arc<str> = options.name().into();
        let started = Instant::now();
        loop {
            match prepare(&options, &name).await {
                Ok(()) => break,
                Err(Unusable::Said(error)) => return Err(error),
                // Some locks of SQLite do not wait for the busy timeout: that of the change to the WAL, for one.
                Err(Unusable::Fault(fault))
                    if fault.is_busy() && started.elapsed() < options.busy_timeout =>
                {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(Unusable::Fault(fault)) => return Err(fault.told(&name, None)),
            }
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(connection(&options).synchronous(SqliteSynchronous::Normal));
        Ok(Self { name, pool })
    }

    /// Opens the database at an address: see [`SqliteOptions::from_url`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_url(url: &str) -> Result<Self, StoreError> {
        Self::open(SqliteOptions::from_url(url)?).await
    }

    /// Finishes what was begun. Calls after this fail with [`StoreError::Closed`]; a router goes on without.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn told(&self, fault: &Fault) -> StoreError {
        fault.told(&self.name, None)
    }
}

#[async_trait::async_trait]
impl HealthStore for SqliteHealthStore {
    async fn load(&self, space: &str, since: u64) -> Result<HealthPage, StoreError> {
        let rows = sqlx::query(LOAD).bind(space).bind(to_sql(since)).fetch_all(&self.pool).await;
        let rows = rows.doing("loading health").map_err(|fault| self.told(&fault))?;
        let mut page = HealthPage::default();
        for found in &rows {
            let found = Found::of(found).doing("loading health").map_err(|fault| self.told(&fault))?;
            match found {
                Found { candidate: Some(candidate), version, state } => {
                    page.rows.push(HealthRow { candidate, version, state: state.unwrap_or_default() });
                }
                Found { version, .. } => page.version = version,
            }
        }
        Ok(page)
    }

    async fn swap(
        &self,
        space: &str,
        candidate: &str,
        expected: u64,
        state: String,
    ) -> Result<Swap, StoreError> {
        let swap = sqlx::query(SWAP).bind(space).bind(candidate).bind(to_sql(expected)).bind(state);
        let done = swap.fetch_optional(&self.pool).await.doing("writing health");
        if let Some(done) = done.map_err(|fault| self.told(&fault))? {
            let version = done.try_get::<i64, _>(0).doing("writing health");
            return Ok(Swap::Done { version: from_sql(version.map_err(|fault| self.told(&fault))?) });
        }
        let there = sqlx::query(THERE).bind(space).bind(candidate).fetch_optional(&self.pool).await;
        let there = there.and_then(|row| row.as_ref().map(Found::of).transpose()).doing("loading health");
        let row = there.map_err(|fault| self.told(&fault))?.map(|Found { version, state, .. }| HealthRow {
            candidate: candidate.into(),
            version,
            state: state.unwrap_or_default(),
        });
        Ok(Swap::Conflict { row })
    }
}

struct Found {
    candidate: Option<Arc<str>>,
    version: u64,
    state: Option<String>,
}

impl Found {
    fn of(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            candidate: row.try_get::<Option<&str>, _>(0)?.map(Into::into),
            version: from_sql(row.try_get(1)?),
            state: row.try_get(2)?,
        })
    }
}

fn to_sql(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

fn from_sql(version: i64) -> u64 {
    u64::try_from(version).unwrap_or(0)
}

/// Checks the file and brings it to the newest format.
async fn prepare(options: &SqliteOptions, name: &str) -> Result<(), Unusable> {
    let mut db = connection(options).create_if_missing(true).connect().await.doing("opening it")?;
    let prepared = schema::set_up(&mut db, name).await;
    schema::hang_up(db).await;
    prepared
}
