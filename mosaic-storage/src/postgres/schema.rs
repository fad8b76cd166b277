//! What the schema holds, and how it comes to hold it.
//!
//! | table | holds |
//! | --- | --- |
//! | `meta` | one row: the format |
//! | `jobs`, `job_pauses`, `schedules` | jobs |
//! | `agent_log*` | agent logs |
//! | `memory_meta` | one row: the format of what follows |
//! | `memory_parts`, `memories`, ... | memories: see [`memory`](super::memory) |
//!
//! Jobs and agent logs are of one format, memories of another, for they need an extension (pgvector) that a host with jobs alone may
//! not have.
//!
//! Text that is compared is compared byte by byte (`COLLATE "C"`), as the contracts want it, whatever the database's own order is.

use mosaic_core::StoreError;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::begin::{begin, lock_timeout};
use super::fault::told;
use super::options::PostgresOptions;
use super::{agent_log, jobs};

/// Tables that go from one format to the next together.
pub(super) struct Tables<'t> {
    /// The table of one row that says which format they have.
    pub(super) meta: &'static str,
    /// From one format to the next. Never change one that was released.
    pub(super) migrations: &'t [String],
}

/// Makes the tables of jobs and of agent logs.
pub(super) async fn migrate_jobs(
    pool: &PgPool,
    options: &PostgresOptions,
    store: &str,
) -> Result<(), StoreError> {
    let migrations = [
        jobs::TABLES.to_owned(),
        agent_log::TABLES.to_owned(),
        agent_log::keep_apart(),
        jobs::without_statistics(),
    ];
    migrate(pool, options, store, &Tables { meta: "meta", migrations: &migrations }).await
}

/// Brings tables to the newest format. Several processes may do so at once: one does, the others wait and find it done.
pub(super) async fn migrate(
    pool: &PgPool,
    options: &PostgresOptions,
    store: &str,
    tables: &Tables<'_>,
) -> Result<(), StoreError> {
    let said = |error| told(store, "making the tables", error);
    let (schema, Tables { meta, migrations }) = (&*options.schema, tables);
    let known = migrations.len() as u64;
    let statement = format!("BEGIN; {}", lock_timeout(options.patience));
    let mut transaction = begin(pool, statement).await.map_err(said)?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('mosaic migration of ' || $1, 0))")
        .bind(schema)
        .execute(&mut *transaction)
        .await
        .map_err(said)?;
    let found = format(&mut transaction, schema, meta).await.map_err(said)?;
    if found > known {
        return Err(StoreError::NewerFormat { store: store.into(), found, known });
    }
    if found == known {
        return Ok(());
    }
    // The name of the schema was checked.
    let first = format!(
        "CREATE SCHEMA IF NOT EXISTS \"{schema}\";
         CREATE TABLE IF NOT EXISTS \"{schema}\".{meta} (id integer PRIMARY KEY CHECK (id = 1), format bigint NOT NULL)"
    );
    run(&mut transaction, first).await.map_err(said)?;
    for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        run(&mut transaction, migration.clone()).await.map_err(said)?;
    }
    let text = format!(
        "INSERT INTO \"{schema}\".{meta} VALUES (1, {known}) ON CONFLICT (id) DO UPDATE SET format = excluded.format"
    );
    run(&mut transaction, text).await.map_err(said)?;
    transaction.commit().await.map_err(said)
}

/// The format of tables; 0 when they are not there.
async fn format(db: &mut PgConnection, schema: &str, meta: &str) -> Result<u64, sqlx::Error> {
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass(format('%I.%I', $1::text, $2::text)) IS NOT NULL")
            .bind(schema)
            .bind(meta)
            .fetch_one(&mut *db)
            .await?;
    if !there {
        return Ok(0);
    }
    let text = format!("SELECT format FROM \"{schema}\".{meta}");
    let format: Option<i64> = sqlx::query_scalar(AssertSqlSafe(text)).fetch_optional(db).await?;
    Ok(format.unwrap_or(0).cast_unsigned())
}

async fn run(db: &mut PgConnection, text: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(db).await.map(drop)
}
