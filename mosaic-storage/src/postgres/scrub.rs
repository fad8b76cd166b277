//! Taking what was removed out of the server's files: `VACUUM FULL`.

use std::time::Duration;

use mosaic_core::StoreError;
use sqlx::{AssertSqlSafe, PgPool};

use super::fault::told;

/// Between two looks whether older transactions have ended.
const AGAIN: Duration = Duration::from_millis(100);

const ACTION: &str = "scrubbing";

/// Writes tables of a schema anew, without what was removed before; waits so long for those who may still see it.
pub(super) async fn scrub(
    pool: &PgPool,
    schema: &str,
    store: &str,
    patience: Duration,
    tables: &[&str],
) -> Result<(), StoreError> {
    let said = |error| told(store, ACTION, error);
    // Whatever was removed before this was removed by an older one.
    let now = sqlx::query_scalar::<_, String>("SELECT pg_current_xact_id()::text");
    let now = now.fetch_one(pool).await.map_err(said)?;
    wait_for_older_than(pool, &now, store, patience).await?;
    for table in tables {
        let text = format!("VACUUM (FULL, ANALYZE) \"{schema}\".{table}");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(pool).await.map_err(said)?;
    }
    Ok(())
}

/// Waits until nobody sees what was there before a transaction.
///
/// Those who read are seen of the same role only. Those who write are known by the oldest number that a new snapshot still waits for, whoever
/// they are and in whichever database: `VACUUM FULL` takes such a snapshot itself, and leaves what was removed after that number began.
async fn wait_for_older_than(
    pool: &PgPool,
    transaction: &str,
    store: &str,
    mut left: Duration,
) -> Result<(), StoreError> {
    loop {
        let older = sqlx::query_scalar::<_, bool>(
            "SELECT pg_snapshot_xmin(pg_current_snapshot()) < $1::text::xid8 OR EXISTS (
                 SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                 AND backend_type = 'client backend' AND age(backend_xmin) > age($1::text::xid8::xid))",
        );
        let older = older.bind(transaction).fetch_one(pool).await;
        if !older.map_err(|error| told(store, ACTION, error))? {
            return Ok(());
        }
        if left.is_zero() {
            let source = "a transaction from before is still open, and what was removed stays for it; end it and scrub again";
            return Err(StoreError::Locked { store: store.to_owned(), source: source.into() });
        }
        tokio::time::sleep(AGAIN.min(left)).await;
        left = left.saturating_sub(AGAIN);
    }
}
