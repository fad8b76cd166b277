//! Memories in RAM keep the contract.

#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mosaic_core::memory::conformance::{Factory, RULES, check_all};
use mosaic_core::memory::{MemoryError, MemoryStore};
use mosaic_storage::RamStore;

#[derive(Default)]
struct Stores(Mutex<HashMap<String, RamStore>>);

#[async_trait::async_trait]
impl Factory for Stores {
    async fn open(&self, place: &str) -> Result<Arc<dyn MemoryStore>, MemoryError> {
        let mut stores = self.0.lock().unwrap();
        let sibling = stores.entry(place.to_owned()).or_default().sibling();
        Ok(Arc::new(sibling.memories()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ram_keeps_the_contract() {
    check_all(&Stores::default()).await.unwrap();
    assert!(RULES.len() > 35, "{} rules", RULES.len());
}
