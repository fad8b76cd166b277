//! Agent logs in Postgres: the contract, who sees what, what is erased, databases of the version before.

#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // clippy knows `#[test]` functions only, not their helpers

mod erasing;
mod isolation;
#[path = "../postgres_memory/killed.rs"]
mod killed;
mod opening;
#[allow(dead_code)] // shared with a test program that uses all of it
#[path = "../postgres_memory/server.rs"]
mod server;

use std::sync::Arc;

use mosaic_core::agent_log::conformance::{Factory, check_all};
use mosaic_core::agent_log::{AgentLogError, AgentLogStore};
use mosaic_storage::{PostgresAgentLog, PostgresStore};
use server::{Database, database};

/// The agent logs of a database, with connections of their own.
async fn open(database: &Database) -> PostgresAgentLog {
    PostgresStore::open(database.options()).await.unwrap().agent_log()
}

#[async_trait::async_trait]
impl Factory for Database {
    async fn open(&self, place: &str) -> Result<Arc<dyn AgentLogStore>, AgentLogError> {
        let options = self.options().schema(place).connections(2);
        Ok(Arc::new(PostgresStore::open(options).await?.agent_log()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_contract() {
    let Some(database) = database().await else { return };
    check_all(&database).await.unwrap();
}

/// Row-level security does not hold for it, so here every statement asks for the tenant by itself, or is found out.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_contract_for_a_superuser() {
    let Some(database) = database().await else { return };
    check_all(&Database { url: database.superuser.clone(), ..database }).await.unwrap();
}
