//! The archive in RAM, and archives that break the contract.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use mosaic_core::archive::conformance::{Factory, Failures, check_all};
use mosaic_core::archive::{Archive, ArchiveError, RamArchive};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Appends,
    GivesAll,
    NeverShort,
    KeepsRemoved,
    RemovesByPrefix,
    TakesAnyName,
    ListsAll,
    MadeUp,
}

const CATCHES: &[(Fault, &str)] = &[
    (Fault::Appends, "what_is_put_again_is_replaced"),
    (Fault::GivesAll, "a_part_is_got"),
    (Fault::NeverShort, "a_part_is_got"),
    (Fault::KeepsRemoved, "removed_is_gone"),
    (Fault::RemovesByPrefix, "removed_is_gone"),
    (Fault::TakesAnyName, "names_that_are_none_are_refused"),
    (Fault::ListsAll, "names_are_listed_in_order"),
    (Fault::MadeUp, "what_does_not_exist_is_missing"),
];

#[derive(Debug)]
struct Faulty(Fault, RamArchive);

#[async_trait::async_trait]
impl Archive for Faulty {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        let before = self.1.get(name).await.unwrap_or_default();
        match self.0 {
            Fault::Appends => self.1.put(name, [before, bytes].concat().into()).await,
            Fault::TakesAnyName => self.1.put(&name.replace("..", "x"), bytes).await,
            _ => self.1.put(name, bytes).await,
        }
    }

    async fn get(&self, name: &str) -> Result<Bytes, ArchiveError> {
        match self.1.get(name).await {
            Err(ArchiveError::Missing { .. }) if self.0 == Fault::MadeUp => Ok(Bytes::new()),
            got => got,
        }
    }

    async fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Bytes, ArchiveError> {
        match (self.0, self.1.get_range(name, offset, length).await) {
            (Fault::GivesAll, _) => self.1.get(name).await,
            (Fault::NeverShort, Err(ArchiveError::Short { .. })) => self.1.get(name).await,
            (_, got) => got,
        }
    }

    async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        match self.0 {
            Fault::KeepsRemoved => Ok(()),
            Fault::RemovesByPrefix => {
                for other in self.1.list(name.split('/').next().unwrap_or(name)).await? {
                    self.1.remove(&other).await?;
                }
                Ok(())
            }
            _ => self.1.remove(name).await,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, ArchiveError> {
        self.1.list(if self.0 == Fault::ListsAll { "" } else { prefix }).await
    }
}

struct Places(Fault, Mutex<HashMap<String, RamArchive>>);

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn Archive>, ArchiveError> {
        let inner = self.1.lock().unwrap().entry(place.into()).or_default().clone();
        Ok(Arc::new(Faulty(self.0, inner)))
    }
}

#[tokio::test]
async fn ram_keeps_the_contract_and_archives_that_do_not_are_caught() {
    check_all(&Places(Fault::None, Mutex::default())).await.unwrap();
    for (fault, rule) in CATCHES {
        let Err(Failures(broken)) = check_all(&Places(*fault, Mutex::default())).await else {
            panic!("nobody caught {fault:?}");
        };
        let broken: Vec<_> = broken.iter().map(|(name, _)| *name).collect();
        assert!(broken.contains(rule), "{fault:?} was caught by {broken:?}, not by {rule}");
    }
}
