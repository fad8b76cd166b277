//! From the files too.

use mosaic_core::memory::MemoryError;
use sqlx::AssertSqlSafe;

use super::schema::TENANTS_OWN;
use super::store::PostgresMemories;
use crate::postgres::fault::told;

impl PostgresMemories {
    /// Takes what was removed and erased out of the database's files: writes the tables of memories, and their indexes, anew
    /// (`VACUUM FULL`). Each is locked while that goes on, so do it at night.
    ///
    /// When `erase` has returned nobody can read the rows any more, but Postgres never overwrites a row: its bytes stay on
    /// their page until something else is written there, and a plain `VACUUM` only says that it may. After this they are in no file
    /// of the tables. They still are in the write-ahead log until the server reuses its segments (after a `CHECKPOINT` or two, which
    /// superusers may ask for), in archives of it, and in backups.
    ///
    /// # Errors
    /// [`MemoryError::Store`]. A role that does not own the tables may not; the server then says so as a warning only.
    pub async fn scrub(&self) -> Result<(), MemoryError> {
        for table in TENANTS_OWN {
            let text = format!("VACUUM (FULL, ANALYZE) \"{}\".{table}", self.shared.schema);
            let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(&self.shared.pool).await;
            done.map_err(|error| told(&self.shared.name, "scrubbing", error))?;
        }
        Ok(())
    }
}
