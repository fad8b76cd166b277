//! Memories in Postgres: the contract, who sees what, processes that are killed, what is left in the files.

#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
#![allow(dead_code)] // the server is shared with other test programs, which use all of it

mod erasing;
mod isolation;
mod kill;
mod killed;
mod opening;
mod searching;
mod server;
mod traces;

use std::sync::Arc;

use mosaic_core::memory::conformance::{Factory, check_all};
use mosaic_core::memory::{MemoryError, MemoryStore};
use mosaic_storage::PostgresMemories;
use server::{Database, database};

#[async_trait::async_trait]
impl Factory for Database {
    async fn open(&self, place: &str) -> Result<Arc<dyn MemoryStore>, MemoryError> {
        Ok(Arc::new(PostgresMemories::open(self.options().schema(place)).await?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_contract() {
    let Some(database) = database().await else { return };
    check_all(&database).await.unwrap();
}

#[tokio::test]
async fn postgres_keeps_the_contract_on_one_thread() {
    let Some(database) = database().await else { return };
    check_all(&database).await.unwrap();
}

/// Row-level security does not hold for it, so here every statement asks for the tenant by itself, or is found out.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_contract_for_a_superuser() {
    let Some(database) = database().await else { return };
    check_all(&Database { url: database.superuser.clone(), ..database }).await.unwrap();
}
