//! Vectors of texts that were embedded, in a SQLite file: a cache that survives the process.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mosaic_core::memory::{CacheKey, CachedVector, Scope, VectorCache};
use mosaic_core::{BoxError, StoreError};
use sqlx::sqlite::{SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Row as _, SqliteConnection, SqlitePool};

use super::anew::write_anew;
use super::fault::{Doing, Fault};
use super::memory::{bytes, user_key, values};
use super::options::SqliteOptions;
use super::schema::{self, Unusable};
use super::statements::step;
use super::store::connection;

/// The tables. Whoever adds or removes rows (the cache, or the erasing of memories), the triggers count.
pub(super) const MIGRATION: &str = "
    CREATE TABLE embeddings (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        tenant TEXT NOT NULL,
        user TEXT NOT NULL,
        model TEXT NOT NULL,
        used INTEGER NOT NULL,
        vector BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX embeddings_by_key ON embeddings (key);
    CREATE INDEX embeddings_by_owner ON embeddings (tenant, user);
    CREATE INDEX embeddings_by_use ON embeddings (used);
    CREATE TABLE embedding_totals (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER NOT NULL, clock INTEGER NOT NULL) STRICT;
    INSERT INTO embedding_totals VALUES (1, 0, 0);
    CREATE TRIGGER embeddings_added AFTER INSERT ON embeddings BEGIN
        UPDATE embedding_totals SET bytes = bytes + length(NEW.vector) + 256;
    END;
    CREATE TRIGGER embeddings_replaced AFTER UPDATE OF vector ON embeddings BEGIN
        UPDATE embedding_totals SET bytes = bytes + length(NEW.vector) - length(OLD.vector);
    END;
    CREATE TRIGGER embeddings_removed AFTER DELETE ON embeddings BEGIN
        UPDATE embedding_totals SET bytes = bytes - length(OLD.vector) - 256;
    END;
";

/// One may read while another writes; more wait.
const CONNECTIONS: u32 = 2;
/// About so many bytes are kept unless the host says otherwise.
const MOST: u64 = 64 << 20;
/// So many that were used are noted before it is written down.
const NOTED: usize = 1_024;
/// So many go at once when there is no room.
const EVICTED: u32 = 64;

/// Vectors of texts that were embedded, in a SQLite file: for the processes of one machine, and for the next start.
///
/// The file may be that of a [`SqliteStore`](super::SqliteStore): then erasing memories of a user also removes the vectors that
/// are filed under the user, in the same transaction. In a file of its own, whoever erases calls [`VectorCache::forget`].
///
/// When there is no room, what was not used for the longest time goes. That is written down only now and then, so after a crash it
/// is not exact. Nothing waits for the disk: a power cut may take the newest.
///
/// Forgetting writes what stays anew, so that no copy of what goes is left in the file: it takes time that grows with all that is kept, and
/// others wait that long with writing.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.db");
/// use mosaic_core::memory::{CacheKey, CachedVector, Scope, VectorCache};
/// use mosaic_storage::sqlite::{SqliteOptions, SqliteVectorCache};
///
/// // For `CachedEmbedder::new(embedder, cache)` of `mosaic-memory`.
/// let cache = SqliteVectorCache::open(SqliteOptions::new(&path)).await?.most_bytes(16 << 20);
/// let ann = Scope::of("acme").user("ann");
/// let vector = CachedVector { model: "m".into(), values: [0.6, 0.8].into() };
/// cache.put(Some(&ann), vec![(CacheKey([7; 32]), vector.clone())]).await?;
/// assert_eq!(cache.get(&[CacheKey([7; 32])]).await?, [Some(vector)]);
/// assert_eq!(cache.forget(&ann).await?, 1);
/// cache.close().await;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct SqliteVectorCache {
    name: Arc<str>,
    pool: SqlitePool,
    most: u64,
    used: Mutex<HashSet<CacheKey>>,
    /// Something was forgotten that may still stand in the WAL.
    scrub: AtomicBool,
}

impl SqliteVectorCache {
    /// Opens a database, and makes it if there is none. Needs a tokio runtime; the cache must not outlive it. Of the options the
    /// durability does not matter. About 64 MB are kept.
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
        let connect = connection(&options).synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            // What is forgotten is overwritten.
            .connect_lazy_with(connect.pragma("secure_delete", "ON"));
        Ok(Self { name, pool, most: MOST, used: Mutex::default(), scrub: AtomicBool::default() })
    }

    /// Opens the database at an address: see [`SqliteOptions::from_url`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_url(url: &str) -> Result<Self, StoreError> {
        Self::open(SqliteOptions::from_url(url)?).await
    }

    /// Keeps about so many bytes: a vector of 384 numbers takes about 1.8 kB. Every process that puts vectors sees to its own limit.
    #[must_use]
    pub fn most_bytes(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// About how many bytes the vectors take.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let asked = sqlx::query_scalar::<_, i64>("SELECT bytes FROM embedding_totals");
        let bytes = asked.fetch_one(&self.pool).await.doing("counting vectors");
        Ok(bytes.map_err(|fault| self.told(&fault))?.cast_unsigned())
    }

    /// Finishes what was begun. Calls after this fail, and embedders go on without.
    pub async fn close(&self) {
        let used = self.noted();
        if !used.is_empty() {
            // Only the order of eviction depends on it.
            let _ = self.write(&used, None).await;
        }
        self.pool.close().await;
    }

    fn told(&self, fault: &Fault) -> StoreError {
        fault.told(&self.name, None)
    }

    fn noted(&self) -> Vec<CacheKey> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }

    /// Notes what was used; says whether it is time to write that down.
    fn note(&self, used: impl Iterator<Item = CacheKey>) -> bool {
        let mut noted = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(used);
        noted.len() >= NOTED
    }

    async fn find(&self, keys: &[CacheKey]) -> Result<Vec<(CacheKey, CachedVector)>, Fault> {
        const ACTION: &str = "looking up vectors";
        let mut found = Vec::with_capacity(keys.len());
        let mut left = keys;
        while !left.is_empty() {
            let (now, later) = left.split_at(step(left.len()));
            left = later;
            let marks = vec!["?"; now.len()].join(",");
            let text = format!("SELECT key, model, vector FROM embeddings WHERE key IN ({marks})");
            let mut query = sqlx::query(AssertSqlSafe(text));
            for key in now {
                query = query.bind(key.0.as_slice());
            }
            for row in query.fetch_all(&self.pool).await.doing(ACTION)? {
                found.extend(read(&row).doing(ACTION)?);
            }
        }
        Ok(found)
    }

    /// Writes down what was used, and puts vectors, and makes room: all of it or nothing.
    async fn write(
        &self,
        used: &[CacheKey],
        put: Option<(&Scope, Vec<(CacheKey, CachedVector)>)>,
    ) -> Result<(), Fault> {
        const ACTION: &str = "keeping vectors";
        let mut db = self.pool.begin_with("BEGIN IMMEDIATE").await.doing(ACTION)?;
        let clock =
            sqlx::query_scalar::<_, i64>("UPDATE embedding_totals SET clock = clock + 2 RETURNING clock");
        let clock = clock.fetch_one(&mut *db).await.doing(ACTION)?;
        let mut left = used;
        while !left.is_empty() {
            let (now, later) = left.split_at(step(left.len()));
            left = later;
            let marks = vec!["?"; now.len()].join(",");
            let text = format!("UPDATE embeddings SET used = ? WHERE key IN ({marks})");
            let mut query = sqlx::query(AssertSqlSafe(text)).bind(clock - 1); // before what is put now
            for key in now {
                query = query.bind(key.0.as_slice());
            }
            query.execute(&mut *db).await.doing(ACTION)?;
        }
        let (owner, vectors) = put.map_or((None, Vec::new()), |(owner, vectors)| (Some(owner), vectors));
        for (key, vector) in vectors {
            let Some(owner) = owner else { break };
            sqlx::query(
                "INSERT INTO embeddings (key, tenant, user, model, used, vector) VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT (key) DO UPDATE SET model = excluded.model, used = excluded.used, vector = excluded.vector",
            )
            .bind(key.0.as_slice())
            .bind(&*owner.tenant)
            .bind(user_key(owner.user.as_ref()))
            .bind(&*vector.model)
            .bind(clock)
            .bind(bytes(&vector.values))
            .execute(&mut *db)
            .await
            .doing(ACTION)?;
        }
        self.make_room(&mut db).await?;
        db.commit().await.doing(ACTION)?;
        if self.scrub.load(Ordering::Relaxed) {
            self.scrub().await;
        }
        Ok(())
    }

    /// Lets go of what was not used for the longest time.
    async fn make_room(&self, db: &mut SqliteConnection) -> Result<(), Fault> {
        const ACTION: &str = "making room for vectors";
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        loop {
            let bytes = sqlx::query_scalar::<_, i64>("SELECT bytes FROM embedding_totals");
            let over = bytes.fetch_one(&mut *db).await.doing(ACTION)?.saturating_sub(most);
            if over <= 0 {
                return Ok(());
            }
            // As many of the oldest as free that much, but not all in one statement.
            let gone = sqlx::query(
                "DELETE FROM embeddings WHERE id IN (
                     SELECT id FROM (
                         SELECT id, sum(length(vector) + 256) OVER (ORDER BY used, id) - length(vector) - 256 AS before
                         FROM (SELECT id, used, vector FROM embeddings ORDER BY used, id LIMIT ?)
                     ) WHERE before < ?
                 )",
            );
            let gone = gone.bind(EVICTED).bind(over).execute(&mut *db).await.doing(ACTION)?;
            if gone.rows_affected() == 0 {
                return Ok(());
            }
        }
    }

    async fn remove(&self, scope: &Scope) -> Result<u64, Fault> {
        const ACTION: &str = "forgetting vectors";
        let user = scope.user.as_ref().map(|user| user_key(Some(user)));
        let mut db = self.pool.begin_with("BEGIN IMMEDIATE").await.doing(ACTION)?;
        let removed = sqlx::query(REMOVE).bind(&*scope.tenant).bind(user).execute(&mut *db).await;
        let removed = removed.doing(ACTION)?.rows_affected();
        // Also where nothing was removed: what had to make room may have left copies.
        write_anew(&mut db, &["embeddings"]).await?;
        db.commit().await.doing(ACTION)?;
        self.scrub().await;
        Ok(removed)
    }

    /// Empties the WAL, in which what was removed may still stand; where somebody reads from it, after the next change.
    async fn scrub(&self) {
        let emptied = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.pool).await;
        let emptied = emptied.is_ok_and(|row| row.try_get::<i64, _>(0).is_ok_and(|busy| busy == 0));
        self.scrub.store(!emptied, Ordering::Relaxed);
    }
}

/// Removes what is filed under a user, or under anybody of a tenant. The user is `?2`, as [`user_key`] has it.
pub(super) const REMOVE: &str = "DELETE FROM embeddings WHERE tenant = ?1 AND (?2 IS NULL OR user = ?2)";

fn read(row: &SqliteRow) -> Result<Option<(CacheKey, CachedVector)>, sqlx::Error> {
    let (key, model, vector): (&[u8], &str, &[u8]) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let vector = CachedVector { model: model.into(), values: values(vector).into() };
    Ok(key.try_into().ok().map(|key| (CacheKey(key), vector)))
}

#[async_trait::async_trait]
impl VectorCache for SqliteVectorCache {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<CachedVector>>, BoxError> {
        let found = self.find(keys).await.map_err(|fault| self.told(&fault))?;
        if self.note(found.iter().map(|(key, _)| *key)) {
            let used = self.noted();
            // What was found is given, whether that it was used can be written down or not.
            let _ = self.write(&used, None).await;
        }
        let found: HashMap<CacheKey, CachedVector> = found.into_iter().collect();
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn put(
        &self,
        owner: Option<&Scope>,
        vectors: Vec<(CacheKey, CachedVector)>,
    ) -> Result<(), BoxError> {
        // Nobody's vectors could never be asked to be forgotten.
        let Some(owner) = owner.filter(|_| !vectors.is_empty()) else { return Ok(()) };
        let used = self.noted();
        Ok(self.write(&used, Some((owner, vectors))).await.map_err(|fault| self.told(&fault))?)
    }

    async fn forget(&self, scope: &Scope) -> Result<u64, BoxError> {
        Ok(self.remove(scope).await.map_err(|fault| self.told(&fault))?)
    }
}

/// Checks the file and brings it to the newest format.
async fn prepare(options: &SqliteOptions, name: &str) -> Result<(), Unusable> {
    let mut db = connection(options).create_if_missing(true).connect().await.doing("opening it")?;
    let prepared = schema::set_up(&mut db, name).await;
    schema::hang_up(db).await;
    prepared
}
