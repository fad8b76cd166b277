//! The conformance suite catches stores that break the contract: each rule is broken here by a store made for it.

#![allow(clippy::unwrap_used)] // clippy knows `#[test]` functions only, not their helpers

mod faulty;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use faulty::{Fault, Faulty};
use mosaic_core::store::conformance::{Factory, RULES};
use mosaic_core::{SessionStore, StoreError};
use mosaic_storage::RamStore;

/// What a store can do wrong, and the rules that must notice.
const CATCHES: &[(Fault, &[&str])] = &[
    (Fault::ForgetsKinds, &["what_was_written_is_read"]),
    (Fault::ReadsBackwards, &["rows_come_in_order"]),
    (Fault::ReadsFromTheStart, &["reading_starts_at_the_number_asked_for"]),
    (Fault::ReadsNothingWhereNothingIs, &["what_does_not_exist_is_not_found"]),
    (Fault::NeverUpdates, &["info_follows_the_log"]),
    (Fault::CutsLargeEntries, &["large_entries_are_kept"]),
    (Fault::CutsLongLogs, &["ten_thousand_rows_are_kept"]),
    (Fault::KeepsTextOnly, &["any_bytes_are_kept"]),
    (
        Fault::AppendsAnywhere,
        &["an_append_in_the_wrong_place_conflicts", "one_racing_writer_wins", "two_handles_see_one_log"],
    ),
    (Fault::KeepsHalfOfWhatItRefuses, &["a_conflict_writes_nothing"]),
    (Fault::ClosesGaps, &["gaps_are_refused"]),
    (Fault::RenumbersRows, &["a_wrong_first_number_is_refused"]),
    (Fault::InventsAFirstRow, &["a_session_needs_a_first_row"]),
    (Fault::CreatesOver, &["a_session_is_created_once", "one_racing_create_wins"]),
    (Fault::ChecksNoEmptyAppend, &["an_append_without_rows_changes_nothing"]),
    (Fault::LosesOrderedRows, &["ordered_rows_are_read_at_once", "many_sessions_are_written_at_once"]),
    (Fault::LeasesTwice, &["one_writer_at_a_time", "one_racing_lease_wins", "two_handles_are_two_owners"]),
    (Fault::FencesNobody, &["a_replaced_writer_is_fenced_for_ever", "a_released_lease_appends_no_more"]),
    (Fault::ReleasesAnything, &["an_old_lease_releases_nothing"]),
    (Fault::LeasesWhatIsNot, &["only_what_exists_is_leased"]),
    (Fault::LeasesWithoutItsEnd, &["a_lease_says_where_the_log_ends"]),
    (Fault::ForksAll, &["a_fork_copies_up_to_a_number"]),
    (Fault::ForksShareRows, &["a_fork_and_its_source_go_apart"]),
    (Fault::ForksUnderALeaseOnly, &["a_fork_needs_no_lease_and_has_none"]),
    (Fault::ForksOver, &["a_fork_takes_no_name_in_use"]),
    (Fault::ForksWhatThereIs, &["a_fork_stays_within_its_source"]),
    (Fault::ForksAcrossTenants, &["a_fork_stays_within_its_tenant"]),
    (Fault::FoldsCase, &["any_text_is_a_name"]),
    (Fault::ListsBackwards, &["lists_are_sorted_and_paged"]),
    (Fault::TakesPrefixesForPatterns, &["a_prefix_is_no_pattern"]),
    (Fault::MixesTenants, &["tenants_do_not_see_each_other"]),
    (Fault::ForgetsATenant, &["tenants_are_those_that_have_sessions"]),
    (Fault::ErasesNothing, &["erased_is_gone", "an_erased_name_begins_anew"]),
    (Fault::CountsEpochsBySession, &["a_lease_does_not_outlive_its_session"]),
    (Fault::ErasesWhatIsWritten, &["what_is_written_is_not_erased"]),
    (Fault::ErasesForksToo, &["a_fork_outlives_its_source"]),
    (Fault::ErasesTheUnread, &["the_holder_of_a_lease_erases_what_it_has_read"]),
    (Fault::ErasesUnderOldLeases, &["an_erasure_under_an_old_lease_is_fenced"]),
    (Fault::ReadsShortNowAndThen, &["a_reader_beside_a_writer_sees_no_gap"]),
    (Fault::AppendsRowByRow, &["a_dropped_append_leaves_all_or_nothing"]),
    (Fault::CreatesRowByRow, &["a_dropped_create_leaves_all_or_nothing"]),
    (Fault::HoldsLeasesOfTheGone, &["a_dropped_lease_is_not_held"]),
    (Fault::NeverCloses, &["a_closed_store_refuses_everything", "closing_gives_leases_back"]),
    (Fault::KeepsNothing, &["what_was_written_is_there_after_opening_again"]),
];

/// Stores that all do one thing wrong.
struct Places {
    fault: Fault,
    places: Mutex<HashMap<String, RamStore>>,
}

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn SessionStore>, StoreError> {
        let mut places = self.places.lock().unwrap();
        let store = places.entry(place.into()).or_default();
        if self.fault == Fault::KeepsNothing {
            *store = RamStore::new();
        }
        Ok(Arc::new(Faulty::new(store.sibling(), self.fault)))
    }
}

fn places(fault: Fault) -> Places {
    Places { fault, places: Mutex::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_caught_by_the_rule_about_it() {
    for (fault, rules) in CATCHES {
        for name in *rules {
            let rule = RULES.iter().find(|rule| rule.name == *name).unwrap();
            let caught = rule.check(&places(*fault)).await;
            assert!(caught.is_err(), "`{name}` does not notice that a store {fault:?}");
        }
    }
}

#[test]
fn every_rule_is_broken_by_some_fault() {
    let shown: BTreeSet<&str> = CATCHES.iter().flat_map(|(_, rules)| rules.iter().copied()).collect();
    let all: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(shown, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_a_fault_breaks_no_rule() {
    mosaic_core::store::conformance::check_all(&places(Fault::None)).await.unwrap();
}

#[tokio::test]
async fn a_failure_tells_the_rule_and_what_was_seen() {
    let failures = mosaic_core::store::conformance::check_all(&places(Fault::ForksAll)).await.unwrap_err();
    let told = format!("{failures:?}");
    assert!(told.contains("a_fork_copies_up_to_a_number: a fork at 1 gives"), "{told}");
}
