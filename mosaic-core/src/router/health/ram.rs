//! States in RAM: for tests, and for several routers in one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{HealthPage, HealthRow, HealthStore, Swap};
use crate::store::StoreError;

/// States in RAM, for routers in one process that have one name.
#[derive(Debug, Default)]
pub struct RamHealthStore(Mutex<HashMap<String, Space>>);

#[derive(Debug, Default)]
struct Space {
    version: u64,
    states: HashMap<Arc<str>, (u64, String)>,
}

impl RamHealthStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait::async_trait]
impl HealthStore for RamHealthStore {
    async fn load(&self, space: &str, since: u64) -> Result<HealthPage, StoreError> {
        // Nothing that can panic runs under the lock.
        let spaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(space) = spaces.get(space) else { return Ok(HealthPage::default()) };
        let newer = space.states.iter().filter(|(_, (version, _))| *version > since);
        let rows = newer.map(|(candidate, state)| row(candidate, state)).collect();
        Ok(HealthPage { version: space.version, rows })
    }

    async fn swap(
        &self,
        space: &str,
        candidate: &str,
        expected: u64,
        state: String,
    ) -> Result<Swap, StoreError> {
        let mut spaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let space = spaces.entry(space.to_owned()).or_default();
        let found = space.states.get_key_value(candidate);
        if found.map_or(0, |(_, (version, _))| *version) != expected {
            return Ok(Swap::Conflict { row: found.map(|(candidate, state)| row(candidate, state)) });
        }
        space.version += 1;
        space.states.insert(candidate.into(), (space.version, state));
        Ok(Swap::Done { version: space.version })
    }
}

fn row(candidate: &Arc<str>, (version, state): &(u64, String)) -> HealthRow {
    HealthRow { candidate: candidate.clone(), version: *version, state: state.clone() }
}
