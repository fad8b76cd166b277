//! From the files too.

use mosaic_core::memory::MemoryError;

use super::schema::TENANTS_OWN;
use super::store::PostgresMemories;
use crate::postgres::scrub::scrub;

impl PostgresMemories {
    /// Takes what was removed and erased out of the database's files: writes the tables of memories, and their indexes, anew
    /// (`VACUUM FULL`). Each is locked while that goes on, and indexes of many vectors take minutes: do it when nobody works.
    ///
    /// When `erase` has returned nobody can read the rows any more, but Postgres never overwrites a row: its bytes stay on
    /// their page until something else is written there, and a plain `VACUUM` only says that it may. After this they are in no file
    /// of the tables. They still are in the write-ahead log until the server reuses its segments (after a `CHECKPOINT` or two, which
    /// superusers may ask for), in archives of it, and in backups.
    ///
    /// What a transaction may still see that began before is not taken out; so this waits for those of the same role, and for all that write,
    /// in any database of the server. What others only read, and replicas, are for the administrator to know of.
    ///
    /// # Errors
    /// [`MemoryError::Store`]: [`StoreError::Locked`](mosaic_core::StoreError::Locked) where a transaction from before does not end. A role that does not own the
    /// tables may not; the server then says so as a warning only.
    pub async fn scrub(&self) -> Result<(), MemoryError> {
        let shared = &self.shared;
        Ok(scrub(&shared.pool, &shared.schema, &shared.name, shared.patience, TENANTS_OWN).await?)
    }
}
