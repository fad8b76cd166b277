//! Where the stores of the tests are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mosaic_core::queue::conformance::Factory;
use mosaic_core::queue::{JobStore, QueueError};
use mosaic_storage::RamStore;

/// Opens stores of one kind by the names of places.
pub(crate) enum Places {
    Ram(Mutex<HashMap<String, RamStore>>),
    #[cfg(feature = "sqlite")]
    Sqlite(tempfile::TempDir),
}

impl Places {
    pub(crate) fn ram() -> Self {
        Self::Ram(Mutex::default())
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }
}

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn JobStore>, QueueError> {
        Ok(match self {
            Self::Ram(places) => {
                Arc::new(places.lock().unwrap().entry(place.into()).or_default().sibling())
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(folder) => {
                let options = mosaic_storage::SqliteOptions::new(folder.path().join(place).with_extension("db"));
                let options = options.durability(mosaic_storage::Durability::Process);
                Arc::new(mosaic_storage::SqliteStore::open(options).await?)
            }
        })
    }
}
