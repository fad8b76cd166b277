//! Memories in SQLite keep the contract.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

mod common;

use std::sync::Arc;

use common::open;
use mosaic_core::memory::conformance::{Factory, check_all};
use mosaic_core::memory::{MemoryError, MemoryStore};

struct Stores(tempfile::TempDir);

#[async_trait::async_trait]
impl Factory for Stores {
    async fn open(&self, place: &str) -> Result<Arc<dyn MemoryStore>, MemoryError> {
        Ok(Arc::new(open(&self.0.path().join(format!("{place}.db"))).await.memories()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_contract() {
    check_all(&Stores(tempfile::tempdir().unwrap())).await.unwrap();
}
