//! From the files too.

use std::time::Duration;

use mosaic_core::StoreError;
use mosaic_core::memory::MemoryError;
use sqlx::AssertSqlSafe;

use super::schema::TENANTS_OWN;
use super::store::PostgresMemories;
use crate::postgres::fault::told;

/// Between two looks whether older transactions have ended.
const AGAIN: Duration = Duration::from_millis(100);

const ACTION: &str = "scrubbing";

impl PostgresMemories {
    /// Takes what was removed and erased out of the database's files: writes the tables of memories, and their indexes, anew
    /// (`VACUUM FULL`). Each is locked while that goes on, and indexes of many vectors take minutes: do it when nobody works.
    ///
    /// When `erase` has returned nobody can read the rows any more, but Postgres never overwrites a row: its bytes stay on
    /// their page until something else is written there, and a plain `VACUUM` only says that it may. After this they are in no file
    /// of the tables. They still are in the write-ahead log until the server reuses its segments (after a `CHECKPOINT` or two, which
    /// superusers may ask for), in archives of it, and in backups.
    ///
    /// What a transaction may still see that began before is not taken out; so this waits for those of the same role. Those of
    /// others, replicas and prepared transactions are for the administrator to know of.
    ///
    /// # Errors
    /// [`MemoryError::Store`]: [`StoreError::Locked`] where a transaction from before does not end. A role that does not own the
    /// tables may not; the server then says so as a warning only.
    pub async fn scrub(&self) -> Result<(), MemoryError> {
        let shared = &self.shared;
        let said = |error| MemoryError::from(told(&shared.name, ACTION, error));
        // Whatever was removed before this was removed by an older one.
        let now = sqlx::query_scalar::<_, String>("SELECT pg_current_xact_id()::xid::text");
        let now = now.fetch_one(&shared.pool).await.map_err(said)?;
        self.wait_for_older_than(&now).await?;
        for table in TENANTS_OWN {
            let text = format!("VACUUM (FULL, ANALYZE) \"{}\".{table}", shared.schema);
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&shared.pool).await.map_err(said)?;
        }
        Ok(())
    }

    /// Waits until nobody sees what was there before a transaction.
    async fn wait_for_older_than(&self, transaction: &str) -> Result<(), MemoryError> {
        let shared = &self.shared;
        let mut left = shared.patience;
        loop {
            let older = sqlx::query_scalar::<_, i64>(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                 AND backend_type = 'client backend'
                 AND greatest(age(backend_xmin), age(backend_xid)) > age($1::text::xid)",
            );
            let older = older.bind(transaction).fetch_one(&shared.pool).await;
            if older.map_err(|error| told(&shared.name, ACTION, error))? == 0 {
                return Ok(());
            }
            if left.is_zero() {
                let source = "a transaction from before is still open, and what was removed stays for it; end it and scrub again";
                return Err(
                    StoreError::Locked { store: shared.name.to_string(), source: source.into() }.into()
                );
            }
            tokio::time::sleep(AGAIN.min(left)).await;
            left = left.saturating_sub(AGAIN);
        }
    }
}
