//! Agent logs and archives in RAM keep their contracts, and the suites catch stores that do not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // clippy knows `#[test]` functions only, not their helpers

mod archives;
mod catches;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mosaic_core::agent_log::conformance::{Factory, RULES, check_all};
use mosaic_core::agent_log::{AgentLogError, AgentLogStore, RamAgentLog};

#[derive(Default)]
struct Places(Mutex<HashMap<String, RamAgentLog>>);

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn AgentLogStore>, AgentLogError> {
        Ok(Arc::new(self.0.lock().unwrap().entry(place.into()).or_default().sibling()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ram_keeps_the_contract() {
    check_all(&Places::default()).await.unwrap();
    assert!(RULES.len() > 25, "{} rules", RULES.len());
}

#[tokio::test]
async fn a_closed_store_refuses_everything_and_its_sibling_nothing() {
    let store = RamAgentLog::new();
    let (clone, sibling) = (store.clone(), store.sibling());
    store.close();
    assert!(clone.tenants().await.is_err());
    assert!(clone.put(Vec::new()).await.is_err());
    assert!(sibling.tenants().await.is_ok());
}
