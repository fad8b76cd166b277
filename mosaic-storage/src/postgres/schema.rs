//! What the schema holds, and how it comes to hold it.
//!
//! | table | holds |
//! | --- | --- |
//! | `meta` | one row: the format |
//! | `jobs`, `job_pauses`, `schedules` | jobs |
//! | `agent_log*` | agent logs |
//!
//! Text that is compared is compared byte by byte (`COLLATE "C"`), as the contracts want it, whatever the database's own order is.

use mosaic_core::StoreError;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::fault::told;
use super::{agent_log, jobs};

/// From one format to the next. Never change one that was released.
const MIGRATIONS: &[&str] = &[jobs::TABLES, agent_log::TABLES];

/// The newest format that this version knows.
const FORMAT: u64 = MIGRATIONS.len() as u64;

/// Brings a schema to the newest format. Several processes may do so at once: one does, the others wait and find it done.
pub(super) async fn migrate(pool: &PgPool, schema: &str, store: &str) -> Result<(), StoreError> {
    let said = |error| told(store, "making the tables", error);
    let mut transaction = pool.begin().await.map_err(said)?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('mosaic migration of ' || $1, 0))")
        .bind(schema)
        .execute(&mut *transaction)
        .await
        .map_err(said)?;
    let found = format(&mut transaction, schema).await.map_err(said)?;
    if found > FORMAT {
        return Err(StoreError::NewerFormat { store: store.into(), found, known: FORMAT });
    }
    if found == FORMAT {
        return Ok(());
    }
    // The name of the schema was checked.
    let begin = format!(
        "CREATE SCHEMA IF NOT EXISTS \"{schema}\";
         CREATE TABLE IF NOT EXISTS \"{schema}\".meta (id integer PRIMARY KEY CHECK (id = 1), format bigint NOT NULL)"
    );
    run(&mut transaction, begin).await.map_err(said)?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        run(&mut transaction, (*migration).to_owned()).await.map_err(said)?;
    }
    sqlx::query("INSERT INTO meta VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET format = excluded.format")
        .bind(FORMAT.cast_signed())
        .execute(&mut *transaction)
        .await
        .map_err(said)?;
    transaction.commit().await.map_err(said)
}

/// The format of a schema; 0 when it is not there.
async fn format(db: &mut PgConnection, schema: &str) -> Result<u64, sqlx::Error> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass(format('%I.meta', $1::text)) IS NOT NULL")
        .bind(schema)
        .fetch_one(&mut *db)
        .await?;
    if !there {
        return Ok(0);
    }
    let text = format!("SELECT format FROM \"{schema}\".meta");
    let format: Option<i64> = sqlx::query_scalar(AssertSqlSafe(text)).fetch_optional(db).await?;
    Ok(format.unwrap_or(0).cast_unsigned())
}

async fn run(db: &mut PgConnection, text: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(text)).execute(db).await.map(drop)
}
