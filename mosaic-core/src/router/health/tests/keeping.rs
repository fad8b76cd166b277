//! The store in RAM keeps the contract, and the suite finds those that do not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::router::health::{HealthPage, HealthStore, RamHealthStore, Swap, conformance};
use crate::store::StoreError;

/// How a store is wrong.
#[derive(Debug, Clone, Copy, Default)]
enum Wrong {
    #[default]
    Nothing,
    SwapsWithoutComparing,
    ForgetsWhatIsThere,
    LoadsAll,
    LoadsTooLittle,
    TellsNoVersion,
    MixesSpaces,
    MixesNames,
    IsNotShared,
}

#[derive(Debug, Default)]
struct Store(Wrong, Arc<RamHealthStore>);

#[async_trait::async_trait]
impl HealthStore for Store {
    async fn load(&self, space: &str, since: u64) -> Result<HealthPage, StoreError> {
        let since = match self.0 {
            Wrong::LoadsAll => 0,
            Wrong::LoadsTooLittle => since + 1,
            _ => since,
        };
        let space = if matches!(self.0, Wrong::MixesSpaces) { "" } else { space };
        let mut page = self.1.load(space, since).await?;
        if matches!(self.0, Wrong::TellsNoVersion) {
            page.version = page.rows.iter().map(|row| row.version).max().unwrap_or(0);
        }
        Ok(page)
    }

    async fn swap(
        &self,
        space: &str,
        candidate: &str,
        expected: u64,
        state: String,
    ) -> Result<Swap, StoreError> {
        let space = if matches!(self.0, Wrong::MixesSpaces) { "" } else { space };
        let candidate = match self.0 {
            Wrong::MixesNames => candidate.trim(),
            _ => candidate,
        };
        let swap = self.1.swap(space, candidate, expected, state.clone()).await?;
        match (self.0, swap) {
            (Wrong::SwapsWithoutComparing, Swap::Conflict { row: Some(row) }) => {
                self.1.swap(space, candidate, row.version, state).await
            }
            (Wrong::ForgetsWhatIsThere, Swap::Conflict { .. }) => Ok(Swap::Conflict { row: None }),
            (_, swap) => Ok(swap),
        }
    }
}

#[derive(Default)]
struct Places(Wrong, Mutex<HashMap<String, Arc<RamHealthStore>>>);

#[async_trait::async_trait]
impl conformance::Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn HealthStore>, StoreError> {
        let store = match self.0 {
            Wrong::IsNotShared => Arc::default(),
            _ => self.1.lock().unwrap().entry(place.to_owned()).or_default().clone(),
        };
        Ok(Arc::new(Store(self.0, store)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_ram_keeps_the_contract() {
    conformance::check_all(&Places::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_each_store_that_is_wrong() {
    let wrong = [
        (Wrong::SwapsWithoutComparing, "one_racing_swap_wins"),
        (Wrong::SwapsWithoutComparing, "a_swap_with_another_version"),
        (Wrong::ForgetsWhatIsThere, "a_swap_with_another_version"),
        (Wrong::LoadsAll, "a_load_gives_what_is_newer"),
        (Wrong::LoadsTooLittle, "a_load_gives_what_is_newer"),
        (Wrong::TellsNoVersion, "a_load_gives_what_is_newer"),
        (Wrong::MixesSpaces, "name_spaces_do_not_see_each_other"),
        (Wrong::MixesNames, "any_text_is_a_name"),
        (Wrong::IsNotShared, "two_handles_see_the_same"),
    ];
    for (wrong, rule) in wrong {
        let failures = conformance::check_all(&Places(wrong, Mutex::default())).await.unwrap_err();
        assert!(failures.0.iter().any(|(name, _)| name.starts_with(rule)), "{wrong:?}: {failures}");
    }
}
