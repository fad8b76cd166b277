//! Memories in SQLite keep the contract.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

use std::sync::Arc;

use mosaic_core::memory::conformance::{Factory, check_all};
use mosaic_core::memory::{MemoryError, MemoryStore};
use mosaic_storage::{SqliteOptions, SqliteStore};

struct Stores {
    folder: tempfile::TempDir,
    graph_from: Option<usize>,
}

#[async_trait::async_trait]
impl Factory for Stores {
    async fn open(&self, place: &str) -> Result<Arc<dyn MemoryStore>, MemoryError> {
        let options = SqliteOptions::new(self.folder.path().join(format!("{place}.db")))
            .memory_graph_from(self.graph_from);
        Ok(Arc::new(SqliteStore::open(options).await?.memories()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    check_all(&Stores { folder, graph_from: None }).await.unwrap();
}

/// Whether a graph is there yet makes no difference.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_contract_with_graphs() {
    let folder = tempfile::tempdir().unwrap();
    check_all(&Stores { folder, graph_from: Some(1) }).await.unwrap();
}
