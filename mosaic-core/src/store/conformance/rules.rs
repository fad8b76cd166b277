//! The list of all rules.

use super::{
    Broken, Factory, Failures, appending, closing, erasing, forking, leasing, naming, racing, reading,
};
use crate::conformance::suite;

suite! {
    reading:
        what_was_written_is_read,
        rows_come_in_order,
        reading_starts_at_the_number_asked_for,
        what_does_not_exist_is_not_found,
        info_follows_the_log,
        large_entries_are_kept,
        ten_thousand_rows_are_kept,
        any_bytes_are_kept;
    appending:
        an_append_in_the_wrong_place_conflicts,
        a_conflict_writes_nothing,
        gaps_are_refused,
        a_wrong_first_number_is_refused,
        a_session_needs_a_first_row,
        a_session_is_created_once,
        an_append_without_rows_changes_nothing,
        ordered_rows_are_read_at_once;
    leasing:
        one_writer_at_a_time,
        a_lease_says_where_the_log_ends,
        a_replaced_writer_is_fenced_for_ever,
        a_released_lease_appends_no_more,
        an_old_lease_releases_nothing,
        only_what_exists_is_leased;
    forking:
        a_fork_copies_up_to_a_number,
        a_fork_and_its_source_go_apart,
        a_fork_needs_no_lease_and_has_none,
        a_fork_takes_no_name_in_use,
        a_fork_stays_within_its_source,
        a_fork_stays_within_its_tenant;
    naming:
        any_text_is_a_name,
        lists_are_sorted_and_paged,
        a_prefix_is_no_pattern,
        tenants_do_not_see_each_other,
        tenants_are_those_that_have_sessions;
    erasing:
        erased_is_gone,
        an_erased_name_begins_anew,
        a_lease_does_not_outlive_its_session,
        what_is_written_is_not_erased,
        the_holder_of_a_lease_erases_what_it_has_read,
        an_erasure_under_an_old_lease_is_fenced,
        a_fork_outlives_its_source;
    racing:
        many_sessions_are_written_at_once,
        one_racing_writer_wins,
        one_racing_lease_wins,
        one_racing_create_wins,
        a_reader_beside_a_writer_sees_no_gap,
        a_dropped_append_leaves_all_or_nothing,
        a_dropped_create_leaves_all_or_nothing,
        a_dropped_lease_is_not_held;
    closing:
        a_closed_store_refuses_everything,
        what_was_written_is_there_after_opening_again,
        closing_gives_leases_back,
        two_handles_are_two_owners,
        two_handles_see_one_log;
}
