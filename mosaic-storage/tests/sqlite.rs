//! The store in SQLite keeps the contract.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

use std::sync::Arc;

use mosaic_core::store::conformance::{self, Factory};
use mosaic_core::{SessionStore, StoreError};
use mosaic_storage::{Durability, SqliteOptions, SqliteStore};

struct Files(tempfile::TempDir, Durability);

#[async_trait::async_trait]
impl Factory for Files {
    async fn open(&self, place: &str) -> Result<Arc<dyn SessionStore>, StoreError> {
        let path = self.0.path().join(place).with_extension("db");
        Ok(Arc::new(SqliteStore::open(SqliteOptions::new(path).durability(self.1)).await?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_keeps_the_contract_in_full_durability() {
    let files = Files(tempfile::tempdir().unwrap(), Durability::Full);
    conformance::check_all(&files).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_keeps_the_contract_in_process_durability() {
    let files = Files(tempfile::tempdir().unwrap(), Durability::Process);
    conformance::check_all(&files).await.unwrap();
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_on_one_thread() {
    let files = Files(tempfile::tempdir().unwrap(), Durability::Full);
    conformance::check_all(&files).await.unwrap();
}
