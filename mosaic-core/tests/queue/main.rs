//! Durable jobs, over the queue in RAM and a clock that is turned by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod by_hand;
mod catches;
mod faulty;
mod help;
mod losing;
mod scheduled;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mosaic_core::queue::conformance::{self, Factory};
use mosaic_core::queue::{JobStore, QueueError, RamQueue};

#[derive(Default)]
struct Places(Mutex<HashMap<String, RamQueue>>);

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn JobStore>, QueueError> {
        Ok(Arc::new(self.0.lock().unwrap().entry(place.into()).or_default().sibling()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_in_ram_keeps_the_contract() {
    conformance::check_all(&Places::default()).await.unwrap();
}
