//! The store in RAM keeps the contract.

#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mosaic_core::store::conformance::{self, Factory};
use mosaic_core::{Row, Seq, SessionKey, SessionStore, StoreError, Timestamp};
use mosaic_storage::RamStore;

#[derive(Default)]
struct Places(Mutex<HashMap<String, RamStore>>);

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn SessionStore>, StoreError> {
        Ok(Arc::new(self.0.lock().unwrap().entry(place.into()).or_default().sibling()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ram_store_keeps_the_contract() {
    conformance::check_all(&Places::default()).await.unwrap();
}

#[tokio::test]
async fn the_lease_of_a_dead_owner_is_taken_over_and_the_dead_one_is_fenced() {
    let (one, two) = {
        let store = RamStore::new();
        (store.sibling(), store)
    };
    let key = SessionKey::new("s");
    let row = |seq| Row { seq: Seq(seq), v: 1, kind: "x".into(), at: Timestamp(0), bytes: "{}".into() };
    one.create(&key, vec![row(1)]).await.unwrap();
    let old = one.lease(&key).await.unwrap();
    assert!(matches!(two.lease(&key).await, Err(StoreError::Leased { .. })));
    drop(one);
    let new = two.lease(&key).await.unwrap();
    let result = two.append(&old, Seq(1), vec![row(2)], Default::default()).await;
    assert!(matches!(result, Err(StoreError::Fenced { .. })));
    two.append(&new, Seq(1), vec![row(2)], Default::default()).await.unwrap();
}
