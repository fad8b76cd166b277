//! The conformance suite of memories catches stores that break the contract.

#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use mosaic_core::memory::conformance::{Factory, RULES};
use mosaic_core::memory::{
    AsOf, Candidates, Change, Memory, MemoryBlock, MemoryCounts, MemoryError, MemoryId, MemoryPage,
    MemoryStore, Reach, RecordStream, Scope, SearchQuery, Vector,
};
use mosaic_storage::{RamMemories, RamStore};

/// What a store can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    MixesTenants,
    MixesUsers,
    FoldsCase,
    InheritsAlways,
    NeverInherits,
    ForgetsTimes,
    ForgetsMetadata,
    AppliesOneByOne,
    ClosesForGood,
    ForgetsTheRest,
    ForgetsNothing,
    ErasesNothing,
    ErasesTheTenant,
    MatchesWholeWordsOnly,
    FindsNoNeighbours,
    IgnoresLimits,
    PagesFromTheStart,
    CutsPagesBeforeFiltering,
    CountsOpenOnly,
    ForgetsVectors,
    MissesNoVectors,
    KeepsAllModels,
    OverwritesBlocks,
    ListsBlocksBackwards,
    TouchesNothing,
    YieldsToNobody,
    SwallowsErrors,
}

/// The faults, and the rules that must notice.
const CATCHES: &[(Fault, &[&str])] = &[
    (
        Fault::MixesTenants,
        &["a_scope_sees_what_is_in_it", "nothing_outside_is_reached", "ids_are_unique_in_a_tenant"],
    ),
    (Fault::MixesUsers, &["a_scope_sees_what_is_in_it", "scores_tell_nothing_of_others"]),
    (Fault::FoldsCase, &["any_text_is_a_name"]),
    (Fault::InheritsAlways, &["a_scope_sees_what_is_in_it"]),
    (Fault::NeverInherits, &["wider_memories_can_be_inherited", "blocks_come_in_order"]),
    (Fault::ForgetsTimes, &["what_is_closed_was_believed_then", "two_times_are_told_apart"]),
    (Fault::ForgetsMetadata, &["what_was_added_is_got", "filters_admit_what_they_say"]),
    (Fault::AppliesOneByOne, &["changes_are_made_all_or_none", "bad_memories_are_refused"]),
    (Fault::ClosesForGood, &["two_times_are_told_apart", "what_is_closed_was_believed_then"]),
    (Fault::ForgetsTheRest, &["two_times_are_told_apart", "what_is_kept_was_so"]),
    (Fault::ForgetsNothing, &["removed_is_gone", "later_changes_see_earlier_ones"]),
    (Fault::ErasesNothing, &["erased_is_gone"]),
    (Fault::ErasesTheTenant, &["erased_is_gone", "nothing_outside_is_reached"]),
    (Fault::MatchesWholeWordsOnly, &["words_are_found_by_their_kin"]),
    (Fault::FindsNoNeighbours, &["neighbours_stand_beside_hits", "closed_neighbours_are_passed_over"]),
    (Fault::IgnoresLimits, &["limits_are_of_each_arm", "vectors_are_found_by_direction"]),
    (Fault::PagesFromTheStart, &["lists_are_sorted_and_paged"]),
    (Fault::CutsPagesBeforeFiltering, &["a_filtered_page_is_full"]),
    (Fault::CountsOpenOnly, &["counts_add_up"]),
    (Fault::ForgetsVectors, &["vectors_are_found_by_direction", "arms_are_joined", "a_model_has_one_width"]),
    (Fault::MissesNoVectors, &["two_models_serve_while_one_replaces_the_other"]),
    (Fault::KeepsAllModels, &["a_model_has_one_width"]),
    (Fault::OverwritesBlocks, &["no_edit_is_lost"]),
    (Fault::ListsBlocksBackwards, &["blocks_come_in_order"]),
    (Fault::TouchesNothing, &["touching_never_goes_back", "later_changes_see_earlier_ones"]),
    (Fault::YieldsToNobody, &["what_yields_leaves_another_behind"]),
    (Fault::SwallowsErrors, &["a_memory_is_closed_once", "one_racing_writer_wins", "imports_are_checked"]),
];

#[derive(Debug)]
struct Faulty {
    fault: Fault,
    inner: RamMemories,
}

impl Faulty {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The scope as the store mistakes it.
    fn scope(&self, scope: &Scope) -> Scope {
        let mut scope = scope.clone();
        match self.fault {
            Fault::MixesTenants => scope.tenant = "all".into(),
            Fault::MixesUsers => scope.user = scope.user.map(|_| "all".into()),
            Fault::FoldsCase => {
                scope.tenant = scope.tenant.to_lowercase().into();
                scope.user = scope.user.map(|user| user.to_lowercase().into());
            }
            _ => {}
        }
        scope
    }

    fn reach(&self, reach: Reach) -> Reach {
        match self.fault {
            Fault::InheritsAlways => Reach::Inherited,
            Fault::NeverInherits => Reach::Within,
            _ => reach,
        }
    }

    fn memory(&self, mut memory: Box<Memory>) -> Box<Memory> {
        memory.scope = self.scope(&memory.scope);
        if self.is(Fault::ForgetsMetadata) {
            memory.metadata.clear();
        }
        memory
    }

    fn vectors(&self, vectors: Vec<Vector>) -> Vec<Vector> {
        if self.is(Fault::ForgetsVectors) { Vec::new() } else { vectors }
    }

    fn change(&self, change: Change) -> Vec<Change> {
        vec![match change {
            Change::Add { memory, vectors } => {
                Change::Add { memory: self.memory(memory), vectors: self.vectors(vectors) }
            }
            Change::Supersede { id, by, vectors, kept } => {
                let kept = kept.filter(|_| !self.is(Fault::ForgetsTheRest));
                if self.is(Fault::ClosesForGood) {
                    return vec![Change::Remove { id }, Change::Add { memory: by, vectors }];
                }
                Change::Supersede { id, by: self.memory(by), vectors: self.vectors(vectors), kept }
            }
            Change::Close { id, .. } if self.is(Fault::ClosesForGood) => Change::Remove { id },
            Change::Close { id, at, kept } => {
                Change::Close { id, at, kept: kept.filter(|_| !self.is(Fault::ForgetsTheRest)) }
            }
            Change::Yield { id, at, kept, .. } if self.is(Fault::YieldsToNobody) => {
                Change::Close { id, at, kept }
            }
            Change::Remove { .. } if self.is(Fault::ForgetsNothing) => return Vec::new(),
            Change::Touch { .. } if self.is(Fault::TouchesNothing) => return Vec::new(),
            Change::DropVectors { .. } if self.is(Fault::KeepsAllModels) => return Vec::new(),
            Change::PutBlock { mut block, expected } => {
                block.scope = self.scope(&block.scope);
                Change::PutBlock { block, expected: expected.filter(|_| !self.is(Fault::OverwritesBlocks)) }
            }
            other => other,
        }]
    }
}

#[async_trait::async_trait]
impl MemoryStore for Faulty {
    async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<(), MemoryError> {
        let scope = self.scope(scope);
        let changes: Vec<Change> = changes.into_iter().flat_map(|change| self.change(change)).collect();
        let result = if self.is(Fault::AppliesOneByOne) {
            let mut result = Ok(());
            for change in changes {
                result = self.inner.apply(&scope, vec![change]).await;
                if result.is_err() {
                    break;
                }
            }
            result
        } else {
            self.inner.apply(&scope, changes).await
        };
        if self.is(Fault::SwallowsErrors) { Ok(()) } else { result }
    }

    async fn search(&self, mut query: SearchQuery) -> Result<Candidates, MemoryError> {
        query.scope = self.scope(&query.scope);
        query.reach = self.reach(query.reach);
        match self.fault {
            Fault::ForgetsTimes => query.filter.as_of = AsOf::default(),
            Fault::FindsNoNeighbours => query.neighbours = 0,
            Fault::IgnoresLimits => query.limit = 100,
            _ => {}
        }
        let whole = query.text.clone().filter(|_| self.is(Fault::MatchesWholeWordsOnly));
        let mut found = self.inner.search(query).await?;
        if let Some(text) = whole {
            found.candidates.retain(|one| text.split(' ').any(|word| one.memory.document().contains(word)));
        }
        Ok(found)
    }

    async fn get(&self, scope: &Scope, ids: &[MemoryId]) -> Result<Vec<Option<Arc<Memory>>>, MemoryError> {
        self.inner.get(&self.scope(scope), ids).await
    }

    async fn list(&self, scope: &Scope, mut page: MemoryPage) -> Result<Vec<Arc<Memory>>, MemoryError> {
        let scope = self.scope(scope);
        match self.fault {
            Fault::PagesFromTheStart => page.after = None,
            Fault::ForgetsTimes => page.filter.as_of = AsOf::default(),
            Fault::CutsPagesBeforeFiltering => {
                let filter = std::mem::take(&mut page.filter);
                let mut found = self.inner.list(&scope, page).await?;
                found.retain(|memory| filter.admits(memory));
                return Ok(found);
            }
            _ => {}
        }
        self.inner.list(&scope, page).await
    }

    async fn missing_vectors(
        &self,
        scope: &Scope,
        model: &str,
        after: Option<MemoryId>,
        limit: u32,
    ) -> Result<Vec<Arc<Memory>>, MemoryError> {
        let limit = if self.is(Fault::MissesNoVectors) { 0 } else { limit };
        self.inner.missing_vectors(&self.scope(scope), model, after, limit).await
    }

    async fn blocks(&self, scope: &Scope, reach: Reach) -> Result<Vec<MemoryBlock>, MemoryError> {
        let mut blocks = self.inner.blocks(&self.scope(scope), self.reach(reach)).await?;
        if self.is(Fault::ListsBlocksBackwards) {
            blocks.reverse();
        }
        Ok(blocks)
    }

    async fn counts(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        let mut counts = self.inner.counts(&self.scope(scope)).await?;
        if self.is(Fault::CountsOpenOnly) {
            counts.memories = counts.open;
        }
        Ok(counts)
    }

    async fn export(&self, scope: &Scope) -> Result<RecordStream, MemoryError> {
        self.inner.export(&self.scope(scope)).await
    }

    async fn erase(&self, scope: &Scope) -> Result<MemoryCounts, MemoryError> {
        match self.fault {
            Fault::ErasesNothing => self.inner.counts(scope).await,
            Fault::ErasesTheTenant => self.inner.erase(&Scope::of(scope.tenant.clone())).await,
            _ => self.inner.erase(&self.scope(scope)).await,
        }
    }
}

struct Stores {
    fault: Fault,
    places: Mutex<HashMap<String, RamStore>>,
}

#[async_trait::async_trait]
impl Factory for Stores {
    async fn open(&self, place: &str) -> Result<Arc<dyn MemoryStore>, MemoryError> {
        let inner = self.places.lock().unwrap().entry(place.to_owned()).or_default().sibling().memories();
        Ok(Arc::new(Faulty { fault: self.fault, inner }))
    }
}

async fn broken(fault: Fault) -> BTreeSet<&'static str> {
    let stores = Stores { fault, places: Mutex::default() };
    let mut broken = BTreeSet::new();
    for rule in RULES.iter().filter(|rule| rule.name != "ten_thousand_memories_are_kept") {
        if rule.check(&stores).await.is_err() {
            broken.insert(rule.name);
        }
    }
    broken
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_breaks_the_contract_is_caught() {
    assert_eq!(broken(Fault::None).await, BTreeSet::new());
    for (fault, rules) in CATCHES {
        let broken = broken(*fault).await;
        for rule in *rules {
            assert!(broken.contains(rule), "`{rule}` does not notice {fault:?}; these do: {broken:?}");
        }
    }
}
