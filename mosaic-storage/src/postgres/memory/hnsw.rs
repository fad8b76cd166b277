//! Indexes of neighbours (HNSW): of one model of one tenant each, where there are so many vectors that a scan takes too long.
//!
//! The tenant is the index, so no other tenant's vectors stand in the way of a search, and a small tenant beside a large one is scanned
//! from end to end. pgvector indexes no more than 4,000 numbers; wider vectors are scanned always.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mosaic_core::StoreError;
use mosaic_core::memory::{MemoryError, Reach, Scope};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

use super::filter::Within;
use super::read::Model;
use super::store::{PostgresMemories, Shared};
use super::transaction::{OfTenant, sql};
use super::write::Grown;
use crate::postgres::fault::told;

/// The widest vectors that pgvector indexes.
const WIDEST: usize = 4_000;

/// The most that `hnsw.ef_search` may be.
const MOST: u32 = 1_000;

/// Between two looks whether another process has made a tenant's indexes.
const AGAIN: Duration = Duration::from_millis(200);

const ACTION: &str = "indexing vectors";

/// Where indexes are worth it.
#[derive(Debug)]
pub(super) struct Indexing {
    /// So many vectors of a model in a scope.
    from: u32,
    /// How many this process has written of each model since it last looked.
    written: Mutex<HashMap<i64, u64>>,
}

impl From<u32> for Indexing {
    fn from(from: u32) -> Self {
        Self { from: from.max(1), written: Mutex::default() }
    }
}

impl Indexing {
    /// Whether it is time to look whether a model is worth an index: this process writes vectors of it for the first time, or has written
    /// some more.
    fn is_time(&self, grown: Grown) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = u64::from(self.from.div_ceil(4));
        let mut is_time = false;
        for (model, count) in grown {
            let sum = written.entry(model).or_insert(enough);
            *sum += count;
            if *sum >= enough {
                *sum = 0;
                is_time = true;
            }
        }
        is_time
    }
}

/// The index of a model. The name says the tenant, so that what a tenant no longer needs is found.
fn name(tenant: Uuid, model: i64) -> String {
    format!("{}{model}", prefix(tenant))
}

fn prefix(tenant: Uuid) -> String {
    format!("hnsw_{}_", tenant.simple())
}

/// Whether a search in a scope should use the index of a model: it is there, and a scan would take longer.
pub(super) async fn serves(
    db: &mut OfTenant,
    shared: &Shared,
    within: &Within,
    model: Model,
) -> Result<bool, MemoryError> {
    if model.width > WIDEST {
        return Ok(false);
    }
    // The name of the schema was checked, and names of indexes are digits and letters.
    let mut text =
        sql("SELECT CASE WHEN (SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(");
    text.push_bind(format!("\"{}\".{}", shared.schema, name(db.tenant, model.id)));
    text.push(")) THEN (SELECT count(*) FROM (SELECT 1 FROM memory_vectors v WHERE v.model = ")
        .push_bind(model.id);
    text.push(" AND");
    within.push_parts(&mut text, "v");
    text.push(" LIMIT ").push_bind(i64::from(shared.indexing.from)).push(") AS few) ELSE 0 END");
    let rows = db.rows(text, "looking for an index").await?;
    let count = rows.first().map_or(Ok(0), |row| db.get::<i64>(row, 0))?;
    Ok(count >= i64::from(shared.indexing.from))
}

/// For the rest of the transaction: a scan of an index goes on until enough rows have passed the filter, and sorting is not thought
/// cheaper than that.
pub(super) async fn read_on(db: &mut OfTenant, best: u32) -> Result<(), MemoryError> {
    let mut text = sql(
        "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('enable_sort', 'off', true),
                set_config('hnsw.ef_search', ",
    );
    text.push_bind(best.saturating_mul(2).clamp(100, MOST).to_string()).push(", true)");
    db.rows(text, ACTION).await.map(drop)
}

/// The end of that.
pub(super) async fn scan_again(db: &mut OfTenant) -> Result<(), MemoryError> {
    db.rows(sql("SELECT set_config('enable_sort', 'on', true)"), ACTION).await.map(drop)
}

/// What to do when another process makes a tenant's indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// Wait until it has, and look what is left to do.
    Await,
    /// Leave it to that one.
    Leave,
}

impl PostgresMemories {
    /// Makes the indexes that a tenant's vectors are worth, and removes those of models that it no longer has. Nobody waits for it but
    /// the caller; searches do without until it is done. The store does so by itself, in the background, when vectors were
    /// written; this is for whoever wants to know that it is done, or writes with another role than that of the tables.
    ///
    /// # Errors
    /// [`MemoryError::Store`]: [`StoreError::ReadOnly`] where the role does not own the tables.
    pub async fn index_vectors(&self, tenant: &str) -> Result<(), MemoryError> {
        self.index_tenant(tenant, Other::Await).await
    }

    async fn index_tenant(&self, tenant: &str, other: Other) -> Result<(), MemoryError> {
        let scope = Scope::of(tenant);
        let mut db = OfTenant::read(&self.shared, &scope).await?;
        let mut text = sql("SELECT id, width FROM memory_models WHERE tenant = ");
        text.push_bind(db.tenant);
        let rows = db.rows(text, ACTION).await?;
        let mut models = Vec::with_capacity(rows.len());
        for row in &rows {
            let width = usize::try_from(db.get::<i32>(row, 1)?).unwrap_or(usize::MAX);
            models.push(Model { id: db.get(row, 0)?, width });
        }
        let mut wanted = Vec::new();
        for model in models.into_iter().filter(|model| model.width <= WIDEST) {
            if is_large(&mut db, &self.shared, &scope, model).await? {
                wanted.push(model);
            }
        }
        let tenant = db.tenant;
        db.commit().await?;
        let indexed = index(&self.shared, tenant, &wanted, other).await;
        indexed.map_err(|error| told(&self.shared.name, ACTION, error).into())
    }

    /// Looks in the background whether models that vectors were written of are worth an index.
    pub(super) fn index_in_background(&self, tenant: &str, grown: Grown) {
        if !self.shared.indexing.is_time(grown) {
            return;
        }
        let (memories, tenant) = (self.clone(), tenant.to_owned());
        tokio::spawn(async move {
            match memories.index_tenant(&tenant, Other::Leave).await {
                Ok(()) | Err(MemoryError::Store(StoreError::Closed { .. })) => {}
                // Searches are right without, and slower.
                Err(error) => tracing::warn!(%error, "vectors were not indexed"),
            }
        });
    }
}

/// Makes and removes a tenant's indexes, if there is something to do. One process at a time does so.
async fn index(shared: &Shared, tenant: Uuid, wanted: &[Model], other: Other) -> Result<(), sqlx::Error> {
    let mut db = shared.pool.acquire().await?;
    let Changes { needless, missing } = changes(&mut db, shared, tenant, wanted).await?;
    if needless.is_empty() && missing.is_empty() {
        return Ok(());
    }
    // Not one of the pool's any more: making an index takes long, and a connection whose caller has gone away must not keep the lock.
    let mut db = db.detach();
    let key = (tenant.as_u64_pair().1 ^ 1).cast_signed();
    loop {
        let ours = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(key);
        if ours.fetch_one(&mut db).await? {
            break;
        }
        if other == Other::Leave {
            return db.close().await;
        }
        // Not waiting in the server: who makes an index there waits for all who wait.
        tokio::time::sleep(AGAIN).await;
    }
    // What does not fit takes much longer to build. The usual 64 MB are some 40,000 vectors of 384 numbers.
    let room = "SELECT set_config('maintenance_work_mem', '256MB', false)
                WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('256MB')";
    sqlx::query(room).execute(&mut db).await?;
    let indexed = index_all(&mut db, shared, tenant, wanted).await;
    db.close().await?;
    indexed
}

async fn is_large(
    db: &mut OfTenant,
    shared: &Shared,
    scope: &Scope,
    model: Model,
) -> Result<bool, MemoryError> {
    let within = Within::find(db, scope, Reach::Within).await?;
    let mut text = sql("SELECT count(*) FROM (SELECT 1 FROM memory_vectors v WHERE v.model = ");
    text.push_bind(model.id).push(" AND");
    within.push_parts(&mut text, "v");
    text.push(" LIMIT ").push_bind(i64::from(shared.indexing.from)).push(") AS few");
    let rows = db.rows(text, ACTION).await?;
    let count = rows.first().map_or(Ok(0), |row| db.get::<i64>(row, 0))?;
    Ok(count >= i64::from(shared.indexing.from))
}

/// What is to be done about the indexes of a tenant.
#[derive(Debug)]
struct Changes {
    needless: Vec<String>,
    missing: Vec<Model>,
}

async fn changes(
    db: &mut PgConnection,
    shared: &Shared,
    tenant: Uuid,
    wanted: &[Model],
) -> Result<Changes, sqlx::Error> {
    let found: Vec<(String, bool)> = sqlx::query_as(
        "SELECT c.relname::text, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = $1 AND starts_with(c.relname::text, $2)",
    )
    .bind(&shared.schema)
    .bind(prefix(tenant))
    .fetch_all(db)
    .await?;
    // One that is not valid is being made, or is of a process that ended while it made it.
    let (there, needless): (Vec<_>, Vec<_>) = found.into_iter().partition(|(index, is_valid)| {
        *is_valid && wanted.iter().any(|model| name(tenant, model.id) == *index)
    });
    let is_there = |model: &&Model| there.iter().any(|(index, _)| *index == name(tenant, model.id));
    let missing = wanted.iter().filter(|model| !is_there(model)).copied().collect();
    Ok(Changes { needless: needless.into_iter().map(|(index, _)| index).collect(), missing })
}

async fn index_all(
    db: &mut PgConnection,
    shared: &Shared,
    tenant: Uuid,
    wanted: &[Model],
) -> Result<(), sqlx::Error> {
    let Shared { schema, vector, .. } = shared;
    let Changes { needless, missing } = changes(db, shared, tenant, wanted).await?;
    for index in needless {
        run(db, format!("DROP INDEX CONCURRENTLY IF EXISTS \"{schema}\".{index}")).await?;
    }
    for Model { id, width } in missing {
        let index = name(tenant, id);
        run(
            db,
            format!(
                "CREATE INDEX CONCURRENTLY {index} ON \"{schema}\".memory_vectors
                 USING hnsw ((half::{vector}.halfvec({width})) {vector}.halfvec_cosine_ops) WHERE model = {id}"
            ),
        )
        .await?;
        // No vectors among what the planner keeps.
        run(db, format!("ALTER INDEX \"{schema}\".{index} ALTER COLUMN 1 SET STATISTICS 0")).await?;
    }
    Ok(())
}

async fn run(db: &mut PgConnection, text: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(db).await.map(drop)
}
